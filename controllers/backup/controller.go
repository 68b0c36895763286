// Package backup makes one snapshot of an Install, verified before the Backup is Ready, and removes it with the Backup.
package backup

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
	"github.com/sitewright/sitewright/internal/names"
)

// indexLocation on Backup is the name of the location that it went to, or is to go to.
const indexLocation = "sitewright.dev/location"

// Reconciler reconciles Backups.
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
	backup   *api.Backup
	status   api.BackupStatus
	now      time.Time
	install  *api.Install
	location *api.BackupLocation
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=backups,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=sitewright.dev,resources=backups/status,verbs=patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=backups/finalizers,verbs=update

// Reconcile brings one Backup closer to its end.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	backup := &api.Backup{}
	if err := r.Get(ctx, req.NamespacedName, backup); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	t := &task{Reconciler: r, backup: backup, status: *backup.Status.DeepCopy(), now: r.Now()}
	if backup.DeletionTimestamp != nil {
		return t.report(ctx, step.Run(ctx, t.stop, t.unread, t.forget, t.letGo))
	}
	if step.Ended(&t.status.TaskStatus) {
		return t.expire(ctx)
	}
	if err := step.EnsureFinalizer(ctx, r.Client, backup); err != nil {
		return ctrl.Result{}, fmt.Errorf("adding the finalizer: %w", err)
	}
	o := r.Jobs.Abandon(ctx, backup, t.jobName(), step.Run(ctx, t.steps()...))
	result, err := t.report(ctx, o)
	if err == nil && step.Ended(&t.status.TaskStatus) {
		return step.Unwritten(t.release(ctx))
	}
	return result, err
}

// steps make a snapshot of an Install or of an archive or, where the spec names one, look at it.
func (t *task) steps() []step.Func {
	switch {
	case t.backup.Spec.Snapshot != nil:
		return []step.Func{t.findLocation, t.adopt}
	case t.backup.Spec.Archive != nil:
		return []step.Func{t.findLocation, t.importArchive}
	}
	return []step.Func{t.findInstall, t.findLocation, t.hold, t.run}
}

// jobName is the Job that works for the Backup.
func (t *task) jobName() string {
	switch {
	case t.backup.Spec.Snapshot != nil:
		return names.Job("adopt", t.backup.Name)
	case t.backup.Spec.Archive != nil:
		return names.Job("import", t.backup.Name)
	}
	return names.Job("backup", t.backup.Name)
}

// report writes the status, once, and then tells people.
func (t *task) report(ctx context.Context, o step.Outcome) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: o.RequeueAfter()}
	if t.backup.DeletionTimestamp != nil && len(t.backup.Finalizers) == 0 {
		return ctrl.Result{}, nil
	}
	step.Finish(&t.status.TaskStatus, o, t.backup.Generation, t.now, t.summary())
	if equality.Semantic.DeepEqual(t.backup.Status, t.status) {
		return result, o.Retryable()
	}
	configuration, err := step.Configuration[ac.BackupStatusApplyConfiguration](t.status)
	if err != nil {
		return ctrl.Result{}, err
	}
	err = step.ApplyStatus(ctx, t.Client, ac.Backup(t.backup.Name, t.backup.Namespace).WithResourceVersion(t.backup.ResourceVersion).WithStatus(configuration))
	if err != nil {
		return step.Unwritten(err)
	}
	step.Announce(t.Events, t.backup, t.backup.Status.Conditions, t.status.Conditions)
	return result, o.Retryable()
}

// summary is what Ready says.
func (t *task) summary() string {
	s := t.status.Snapshot
	if s == nil {
		return "done"
	}
	return fmt.Sprintf("%d files and %d bytes of database verified in %s", s.Files, s.DatabaseBytes, s.Location)
}

// SetupWithManager registers the controller: what it owns, and what wakes it.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	index := func(name string, value func(*api.Backup) string) error {
		return mgr.GetFieldIndexer().IndexField(ctx, &api.Backup{}, name, func(o client.Object) []string {
			return []string{value(o.(*api.Backup))}
		})
	}
	if err := index(operation.IndexInstall, installOf); err != nil {
		return fmt.Errorf("indexing Backups by Install: %w", err)
	}
	if err := index(indexLocation, locationOf); err != nil {
		return fmt.Errorf("indexing Backups by location: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.Backup{}).
		Owns(&batchv1.Job{}).
		Watches(&api.Install{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			waiting := r.unfinished(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{operation.IndexInstall: o.GetName()})
			if b := o.(*api.Install).Spec.Bootstrap; b != nil && b.Backup != nil && b.Backup.BackupRef != nil {
				waiting = append(waiting, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: b.Backup.BackupRef.Name}})
			}
			return waiting
		})).
		Watches(&api.Restore{}, handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
			return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: o.(*api.Restore).Spec.BackupRef.Name}}}
		})).
		Watches(&api.BackupLocation{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return r.unfinished(ctx, client.InNamespace(o.GetNamespace()))
		})).
		Complete(r)
}

func installOf(b *api.Backup) string {
	if b.Spec.InstallRef == nil {
		return ""
	}
	return b.Spec.InstallRef.Name
}

func locationOf(b *api.Backup) string {
	switch {
	case b.Status.Snapshot != nil:
		return b.Status.Snapshot.Location
	case b.Spec.LocationRef != nil:
		return b.Spec.LocationRef.Name
	}
	return ""
}

// unfinished wakes the Backups that are not done, or wait to be removed.
func (r *Reconciler) unfinished(ctx context.Context, options ...client.ListOption) []reconcile.Request {
	var list api.BackupList
	if err := r.List(ctx, &list, options...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the Backups to wake")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if b := &list.Items[i]; b.Status.CompletionTime == nil || b.DeletionTimestamp != nil {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(b)})
		}
	}
	return out
}
