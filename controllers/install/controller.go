// Package install makes and serves sites: it brings an Install's volume, database and first generation into being, runs the pods that
// serve it, and switches them to the generations that tasks make.
package install

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
)

// Reconciler reconciles Installs.
type Reconciler struct {
	client.Client
	// Live reads past the cache, which holds only what is labelled as ours.
	Live client.Reader
	// Jobs runs agents.
	Jobs *job.Runner
	// Events tells people what happened.
	Events events.EventRecorder
	// Now is the clock.
	Now func() time.Time
	// Platform is what the operator was given.
	Platform Platform
}

// Platform is what sites run on, as the operator's flags say.
type Platform struct {
	// OperatorImage holds the agent and the health check.
	OperatorImage string
	// Runtimes maps a runtime's name, such as php-8.2, to its image.
	Runtimes map[string]string
	// Exposure of Installs that say nothing: "ingress" or "none".
	Exposure string
	// IngressClass of Ingresses that name none; empty: the cluster's default.
	IngressClass string
	// Mail says that there is a mail server.
	Mail bool
}

// site is the memory of one reconcile: what was read, and the status that will be written.
type site struct {
	*Reconciler
	in     *api.Install
	status api.InstallStatus
	now    time.Time

	app     *api.Application
	release *api.Release
	server  *api.DatabaseServer
	// reached says that every generation that is to be served is complete.
	served servingState
	// refused says why the site cannot go back to a generation, or have its settings changed, and queued what that waits for.
	refused *step.Terminal
	queued  *step.Wait
	// again is the soonest time at which something is to be looked at.
	again time.Duration
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=installs,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=installs/status,verbs=patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=installs/finalizers,verbs=update
// +kubebuilder:rbac:groups=sitewright.dev,resources=applications;databaseservers;backups;restores;clones;upgrades;backuplocations,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=upgrades,verbs=create
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;patch
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims;services,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods/log,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one Install closer to its spec.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in := &api.Install{}
	if err := r.Get(ctx, req.NamespacedName, in); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	s := &site{Reconciler: r, in: in, status: *in.Status.DeepCopy(), now: r.Now()}
	if in.DeletionTimestamp != nil {
		return s.report(ctx, step.Run(ctx, s.finalizeSteps()...))
	}
	if err := step.EnsureFinalizer(ctx, r.Client, in); err != nil {
		return ctrl.Result{}, fmt.Errorf("adding the finalizer: %w", err)
	}
	return s.report(ctx, step.Run(ctx, s.steps()...))
}

// steps make a site and keep it served, in this order.
func (s *site) steps() []step.Func {
	return []step.Func{
		s.holder,
		s.uniqueURL,
		s.catalogue,
		s.adopt,
		s.volume,
		s.secrets,
		s.ownership,
		s.database,
		s.generations,
		s.bootstrap,
		s.goBack,
		s.expose,
		s.serve,
		s.prune,
		s.edit,
		s.inspect,
		s.update,
		s.rerun,
		s.move,
		s.asked,
		s.unsupported,
	}
}

// finalizeSteps take a site away, in this order.
func (s *site) finalizeSteps() []step.Func {
	return []step.Func{
		s.releaseSource,
		s.orphan,
		s.dropDatabases,
		s.letGo,
	}
}

// report writes the status, once, and then tells people.
func (s *site) report(ctx context.Context, o step.Outcome) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: soonest(o.RequeueAfter(), s.again)}
	if s.in.DeletionTimestamp != nil && len(s.in.Finalizers) == 0 {
		return ctrl.Result{}, nil
	}
	s.summarize(o)
	if equality.Semantic.DeepEqual(s.in.Status, s.status) {
		return result, o.Retryable()
	}
	configuration, err := statusConfiguration(s.in, s.status)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := step.ApplyStatus(ctx, s.Client, configuration); err != nil {
		return step.Unwritten(err)
	}
	step.Announce(s.Events, s.in, s.in.Status.Conditions, s.status.Conditions)
	return result, o.Retryable()
}

// statusConfiguration is the status as this controller owns it: the operation belongs to whoever holds the site, and what is said of backups to who
// makes them when they are due, and of mails to who sends them.
func statusConfiguration(in *api.Install, status api.InstallStatus) (*ac.InstallApplyConfiguration, error) {
	status.Operation, status.LastBackup, status.NextBackup, status.Notified = nil, nil, nil, nil
	status.Conditions = slices.DeleteFunc(slices.Clone(status.Conditions), func(c metav1.Condition) bool { return c.Type == api.ConditionBackedUp })
	configuration, err := step.Configuration[ac.InstallStatusApplyConfiguration](status)
	if err != nil {
		return nil, err
	}
	return ac.Install(in.Name, in.Namespace).WithResourceVersion(in.ResourceVersion).WithStatus(configuration), nil
}

// soonest is the earlier of two delays, where 0 means never.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// later asks for another look at a time.
func (s *site) later(at time.Time) {
	s.again = soonest(s.again, max(at.Sub(s.now), time.Second))
}
