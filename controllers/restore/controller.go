// Package restore brings a Backup's content back: into a new generation of the Install that was backed up, or into a new Install.
package restore

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
	"github.com/sitewright/sitewright/internal/names"
)

// Reconciler reconciles Restores.
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
	restore  *api.Restore
	status   api.RestoreStatus
	now      time.Time
	backup   *api.Backup
	location *api.BackupLocation
	// The Install is the one that was backed up or, elsewhere, the new one.
	*successor.Task
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=restores,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=restores/status,verbs=patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=restores/finalizers,verbs=update

// Reconcile brings one Restore closer to its end.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	restore := &api.Restore{}
	if err := r.Get(ctx, req.NamespacedName, restore); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	t := &task{Reconciler: r, restore: restore, status: *restore.Status.DeepCopy(), now: r.Now()}
	t.Task = successor.New(r.Client, "Restore", restore, &t.status.TaskStatus, &t.status.Generation, t.now)
	if restore.DeletionTimestamp != nil {
		return t.report(ctx, step.Run(ctx, t.stop, t.letGo))
	}
	if step.Ended(&t.status.TaskStatus) {
		return step.Unwritten(t.release(ctx))
	}
	if err := step.EnsureFinalizer(ctx, r.Client, restore); err != nil {
		return ctrl.Result{}, fmt.Errorf("adding the finalizer: %w", err)
	}
	asked, err := t.asked(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	o := r.Jobs.Abandon(ctx, restore, names.Job("restore", restore.Name), step.Run(ctx, t.steps(asked)...))
	result, err := t.report(ctx, o)
	if err == nil && step.Ended(&t.status.TaskStatus) {
		return step.Unwritten(t.release(ctx))
	}
	return result, err
}

// steps restore in place or, where the spec names another place, make a new Install and wait for it. What was needed to begin may go once it is
// not needed any more.
func (t *task) steps(asked bool) []step.Func {
	if asked {
		return []step.Func{t.Switched}
	}
	if t.restore.Spec.To != nil && t.status.Install != "" {
		return []step.Func{t.madeInstall, t.followInstall}
	}
	if t.restore.Spec.To != nil {
		return []step.Func{t.findBackup, t.makeInstall, t.followInstall}
	}
	return []step.Func{t.findBackup, t.findInstall, t.findLocation, t.Hold, t.Room, t.run, t.Switched}
}

// report writes the status, once, and then tells people.
func (t *task) report(ctx context.Context, o step.Outcome) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: o.RequeueAfter()}
	if t.restore.DeletionTimestamp != nil && len(t.restore.Finalizers) == 0 {
		return ctrl.Result{}, nil
	}
	step.Finish(&t.status.TaskStatus, o, t.restore.Generation, t.now,
		fmt.Sprintf("Backup %s is restored to Install %s at %s", t.restore.Spec.BackupRef.Name, t.status.Install, t.status.URL))
	if equality.Semantic.DeepEqual(t.restore.Status, t.status) {
		return result, o.Retryable()
	}
	configuration, err := step.Configuration[ac.RestoreStatusApplyConfiguration](t.status)
	if err != nil {
		return ctrl.Result{}, err
	}
	err = step.ApplyStatus(ctx, t.Client, ac.Restore(t.restore.Name, t.restore.Namespace).WithResourceVersion(t.restore.ResourceVersion).WithStatus(configuration))
	if err != nil {
		return step.Unwritten(err)
	}
	step.Announce(t.Events, t.restore, t.restore.Status.Conditions, t.status.Conditions)
	return result, o.Retryable()
}

// SetupWithManager registers the controller: what it owns, and what wakes it.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &api.Restore{}, operation.IndexInstall, func(o client.Object) []string {
		if t := o.(*api.Restore); t.Spec.To == nil && t.Status.Install != "" {
			return []string{t.Status.Install}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing Restores by Install: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.Restore{}).
		Owns(&batchv1.Job{}).
		Watches(&api.Install{}, handler.EnqueueRequestsFromMapFunc(r.unfinished)).
		Watches(&api.Backup{}, handler.EnqueueRequestsFromMapFunc(r.unfinished)).
		Watches(&api.BackupLocation{}, handler.EnqueueRequestsFromMapFunc(r.unfinished)).
		Complete(r)
}

// unfinished wakes the Restores of a namespace that are not done.
func (r *Reconciler) unfinished(ctx context.Context, o client.Object) []reconcile.Request {
	var list api.RestoreList
	if err := r.List(ctx, &list, client.InNamespace(o.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the Restores to wake")
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
