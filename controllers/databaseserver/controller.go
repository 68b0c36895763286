// Package databaseserver says of each DatabaseServer whether it answers, and whether its administrator may create databases.
package databaseserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/mysql"
)

const (
	// recheck is how often a server that works is tried: its status says what is so now.
	recheck = 5 * time.Minute
	// retry is how often one that does not is tried.
	retry = 10 * time.Second
)

// Reconciler reconciles DatabaseServers.
type Reconciler struct {
	client.Client
	Events events.EventRecorder
	Now    func() time.Time
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=databaseservers,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=databaseservers/status,verbs=patch

// Reconcile tries one server.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	server := &api.DatabaseServer{}
	if err := r.Get(ctx, req.NamespacedName, server); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status := *server.Status.DeepCopy()
	outcome := r.try(ctx, server, &status)
	status.ObservedGeneration = server.Generation
	outcome.Conditions(&status.Conditions, server.Generation, r.Now(), "MySQL "+status.Version+" answers and may create databases")
	status.LastChecked = new(metav1.NewTime(r.Now().Truncate(time.Second)))
	after := recheck
	if !outcome.Done() {
		after = retry
	}
	if equality.Semantic.DeepEqual(server.Status, status) {
		return ctrl.Result{RequeueAfter: after}, nil
	}
	configuration, err := step.Configuration[ac.DatabaseServerStatusApplyConfiguration](status)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := step.ApplyStatus(ctx, r.Client, ac.DatabaseServer(server.Name).WithResourceVersion(server.ResourceVersion).WithStatus(configuration)); err != nil {
		return step.Unwritten(err)
	}
	step.Announce(r.Events, server, server.Status.Conditions, status.Conditions)
	return ctrl.Result{RequeueAfter: after}, nil
}

// try logs in and asks what the login may do.
func (r *Reconciler) try(ctx context.Context, server *api.DatabaseServer, status *api.DatabaseServerStatus) step.Outcome {
	admin, err := Connect(ctx, r.Client, server)
	if err == nil {
		defer admin.Close()
		status.Version, err = admin.CanCreate(ctx)
	}
	if err == nil {
		return step.Outcome{}
	}
	ref, what := server.Spec.AdminSecretRef, fmt.Sprintf("%s:%d", server.Spec.Host, server.Spec.Port)
	if m, ok := errors.AsType[*missing](err); ok {
		return step.Outcome{Wait: step.Dependency(m.message)}
	}
	if errors.Is(err, mysql.ErrDenied) {
		return step.Outcome{Wait: step.Retry(fmt.Sprintf("%s: %v; check the login in Secret %s of namespace %s and its privileges", what, err, ref.Name, ref.Namespace), retry)}
	}
	return step.Outcome{Wait: step.Retry(fmt.Sprintf("%s does not answer: %v", what, err), retry)}
}

// SetupWithManager registers the controller. Its own status writes do not wake it: time does.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.DatabaseServer{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(r)
}
