// Package upgrade brings an Install to another release of its application, its plugins and themes to theirs, or the site to another URL: in a new generation, a copy of the
// serving one, which takes that one's place when it answers.
package upgrade

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/controllers/successor"
)

// Reconciler reconciles Upgrades.
type Reconciler struct {
	client.Client
	Jobs   *job.Runner
	Sites  *install.Reconciler
	Events events.EventRecorder
	Now    func() time.Time
}

// task is the memory of one reconcile.
type task struct {
	*Reconciler
	upgrade *api.Upgrade
	status  api.UpgradeStatus
	now     time.Time
	// release to upgrade to; nil leaves the application as it is.
	release *api.Release
	*successor.Task
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=upgrades,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=sitewright.dev,resources=upgrades/status,verbs=patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=upgrades/finalizers,verbs=update
// +kubebuilder:rbac:groups=sitewright.dev,resources=backups,verbs=get;list;watch;create

// Reconcile brings one Upgrade closer to its end.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	upgrade := &api.Upgrade{}
	if err := r.Get(ctx, req.NamespacedName, upgrade); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	t := &task{Reconciler: r, upgrade: upgrade, status: *upgrade.Status.DeepCopy(), now: r.Now()}
	t.Task = successor.New(r.Client, "Upgrade", upgrade, &t.status.TaskStatus, &t.status.Generation, t.now)
	if upgrade.DeletionTimestamp != nil {
		return t.report(ctx, step.Run(ctx, t.stop, t.reopenStopped, t.tidy, t.letGo))
	}
	if step.Ended(&t.status.TaskStatus) {
		o := step.Run(ctx, t.tidy)
		result, err := step.Unwritten(o.Err)
		result.RequeueAfter = max(result.RequeueAfter, o.RequeueAfter())
		return result, err
	}
	if err := step.EnsureFinalizer(ctx, r.Client, upgrade); err != nil {
		return ctrl.Result{}, fmt.Errorf("adding the finalizer: %w", err)
	}
	steps := []step.Func{t.findInstall, t.choose, t.make}
	asked, err := t.Asked(ctx, t.installName())
	if err != nil {
		return ctrl.Result{}, err
	}
	if asked {
		steps = []step.Func{t.Switched}
	}
	o := t.reopen(ctx, r.Jobs.Abandon(ctx, upgrade, t.jobName(), step.Run(ctx, steps...)))
	result, err := t.report(ctx, o)
	if err == nil && step.Ended(&t.status.TaskStatus) {
		result.RequeueAfter = time.Second // To tidy up.
	}
	return result, err
}

func (t *task) installName() string { return t.upgrade.Spec.InstallRef.Name }

// report writes the status, once, and then tells people.
func (t *task) report(ctx context.Context, o step.Outcome) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: o.RequeueAfter()}
	if t.upgrade.DeletionTimestamp != nil && len(t.upgrade.Finalizers) == 0 {
		return ctrl.Result{}, nil
	}
	step.Finish(&t.status.TaskStatus, o, t.upgrade.Generation, t.now, t.summary())
	if equality.Semantic.DeepEqual(t.upgrade.Status, t.status) {
		return result, o.Retryable()
	}
	configuration, err := step.Configuration[ac.UpgradeStatusApplyConfiguration](t.status)
	if err != nil {
		return ctrl.Result{}, err
	}
	err = step.ApplyStatus(ctx, t.Client, ac.Upgrade(t.upgrade.Name, t.upgrade.Namespace).WithResourceVersion(t.upgrade.ResourceVersion).WithStatus(configuration))
	if err != nil {
		return step.Unwritten(err)
	}
	step.Announce(t.Events, t.upgrade, t.upgrade.Status.Conditions, t.status.Conditions)
	return result, o.Retryable()
}

// summary is what Ready says.
func (t *task) summary() string {
	switch {
	case t.moves() && t.status.Generation == 0:
		return fmt.Sprintf("Install %s is at %s already", t.installName(), t.upgrade.Spec.URL)
	case t.moves():
		return fmt.Sprintf("Install %s has moved from %s to %s, in generation %d", t.installName(), t.status.FromURL, t.upgrade.Spec.URL, t.status.Generation)
	case t.status.Generation == 0:
		return fmt.Sprintf("Install %s is of version %s already", t.installName(), t.status.FromVersion)
	case t.status.FromVersion == t.status.ToVersion && !t.components():
		return fmt.Sprintf("Install %s runs on %s, in generation %d", t.installName(), t.status.Runtime, t.status.Generation)
	case t.status.FromVersion == t.status.ToVersion:
		return fmt.Sprintf("the plugins and themes of Install %s are up to date in generation %d", t.installName(), t.status.Generation)
	}
	return fmt.Sprintf("Install %s is upgraded from %s to %s, in generation %d", t.installName(), t.status.FromVersion, t.status.ToVersion, t.status.Generation)
}

// SetupWithManager registers the controller: what it owns, and what wakes it.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &api.Upgrade{}, operation.IndexInstall, func(o client.Object) []string {
		return []string{o.(*api.Upgrade).Spec.InstallRef.Name}
	})
	if err != nil {
		return fmt.Errorf("indexing Upgrades by Install: %w", err)
	}
	wake := handler.EnqueueRequestsFromMapFunc(r.unfinished)
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.Upgrade{}).
		Owns(&batchv1.Job{}).
		Watches(&api.Install{}, wake).
		Watches(&api.Backup{}, wake).
		Watches(&api.Application{}, wake).
		Complete(r)
}

// unfinished wakes the Upgrades that are not done: those of a namespaced object's namespace, all for a catalogue entry.
func (r *Reconciler) unfinished(ctx context.Context, o client.Object) []reconcile.Request {
	var list api.UpgradeList
	if err := r.List(ctx, &list, client.InNamespace(o.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the Upgrades to wake")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if t := &list.Items[i]; t.Status.CompletionTime == nil {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(t)})
		}
	}
	return out
}
