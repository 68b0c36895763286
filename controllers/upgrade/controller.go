// Package upgrade says of each Upgrade that this version of Sitewright does not act on it yet. It never pretends.
package upgrade

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
)

// Reconciler reconciles Upgrade objects.
type Reconciler struct {
	client.Client
	Events events.EventRecorder
	Now    func() time.Time
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=upgrades,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=upgrades/status,verbs=patch

// Reconcile reports that nothing will happen.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj := &api.Upgrade{}
	if err := r.Get(ctx, req.NamespacedName, obj); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status := *obj.Status.DeepCopy()
	status.ObservedGeneration = obj.Generation
	o := step.Outcome{Err: step.NotImplemented("this version of Sitewright does not upgrade sites yet")}
	o.Conditions(&status.Conditions, obj.Generation, r.Now(), "")
	if equality.Semantic.DeepEqual(obj.Status, status) {
		return ctrl.Result{}, nil
	}
	configuration, err := step.Configuration[ac.UpgradeStatusApplyConfiguration](status)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := step.ApplyStatus(ctx, r.Client, ac.Upgrade(obj.Name, obj.Namespace).WithResourceVersion(obj.ResourceVersion).WithStatus(configuration)); err != nil {
		return step.Unwritten(err)
	}
	step.Announce(r.Events, obj, obj.Status.Conditions, status.Conditions)
	return ctrl.Result{}, nil
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).For(&api.Upgrade{}).Complete(r)
}
