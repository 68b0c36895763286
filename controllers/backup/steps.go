package backup

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// forgetRetry is how long to wait before a snapshot's removal is tried again.
const forgetRetry = time.Minute

// findInstall reads the Install, which must serve: there is nothing else to back up.
func (t *task) findInstall(ctx context.Context) (*step.Wait, error) {
	in, name := &api.Install{}, t.backup.Spec.InstallRef.Name
	err := t.Get(ctx, client.ObjectKey{Namespace: t.backup.Namespace, Name: name}, in)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.installRef: Install %s does not exist in namespace %s", name, t.backup.Namespace))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	if in.Status.Generation == 0 {
		return step.Dependency(fmt.Sprintf("Install %s does not serve yet: %s", name, step.Message(in.Status.Conditions))), nil
	}
	t.install = in
	t.status.Install = in.Name
	return nil, nil
}

// findLocation reads the location: the Backup's own, the Install's, or the namespace's default. One that a Job was begun with stays.
func (t *task) findLocation(ctx context.Context) (*step.Wait, error) {
	name := ""
	switch {
	case t.backup.Spec.LocationRef != nil:
		name = t.backup.Spec.LocationRef.Name
	case t.install != nil && t.install.Spec.Backups != nil && t.install.Spec.Backups.LocationRef != nil:
		name = t.install.Spec.Backups.LocationRef.Name
	}
	begun, err := t.Jobs.Begun(ctx, t.backup, t.jobName())
	switch {
	case err != nil:
		return nil, err
	case begun != nil && begun.Backup != nil && begun.Backup.UID == string(t.backup.UID):
		name = begun.Backup.Location.Name
	case begun != nil && begun.Adopt != nil:
		name = begun.Adopt.Location.Name
	case begun != nil && begun.Import != nil && begun.Import.UID == string(t.backup.UID):
		name = begun.Import.Location.Name
	}
	l, wait, err := location.Find(ctx, t.Client, t.backup.Namespace, name)
	t.location = l
	return wait, err
}

func (t *task) holder() operation.Task { return operation.Task{Kind: "Backup", Object: t.backup} }

// hold takes the Install, or queues for it.
func (t *task) hold(ctx context.Context) (*step.Wait, error) {
	wait, err := operation.Take(ctx, t.Client, t.install, t.holder(), t.now)
	if wait == nil && err == nil {
		step.Begin(&t.status.TaskStatus, t.now)
	}
	return wait, err
}

// run makes the snapshot. The status has it only when it was verified.
func (t *task) run(ctx context.Context) (*step.Wait, error) {
	m := &job.Mounts{}
	site, wait, err := t.Sites.Serving(ctx, t.install, m)
	if wait != nil || err != nil {
		return wait, err
	}
	where := location.Plan(t.location, m)
	state, wait, err := t.Jobs.Run(ctx, job.Spec{
		Name: t.jobName(), Namespace: t.backup.Namespace, Install: t.install.Name,
		Owner: t.ownerReference(), Mounts: m, Beside: install.Beside(t.install),
		Plan: plan.Plan{Backup: &plan.Backup{
			Site: site, Location: where, Name: t.backup.Name, UID: string(t.backup.UID), Note: t.backup.Spec.Note,
			Quiesce: t.backup.Spec.Consistency == api.ConsistencyQuiesced, Maker: string(t.location.UID),
		}},
	})
	step.Advance(&t.status.TaskStatus, state.Progress)
	if wait != nil || err != nil {
		return wait, err
	}
	r := state.Result
	if r.Failure != nil {
		return nil, step.Failed(r.Failure.Message)
	}
	t.record(r)
	return nil, nil
}

// record takes the agent's answer into the status.
func (t *task) record(r plan.Result) {
	t.status.Snapshot = t.snapshot(r)
	t.status.Snapshot.UploadedBytes = r.UploadedBytes
	t.status.Snapshot.Pause = &metav1.Duration{Duration: time.Duration(r.PauseMillis) * time.Millisecond}
	t.status.Application, t.status.Version = t.install.Spec.Application, r.Version
	t.status.URL, t.status.Title, t.status.Runtime = t.install.Status.URL, r.Title, t.install.Status.Runtime
	t.status.Database = t.install.Status.Database
	t.limit()
}

// snapshot is what an agent answered about one.
func (t *task) snapshot(r plan.Result) *api.SnapshotStatus {
	s := &api.SnapshotStatus{ID: r.Snapshot, Location: t.location.Name, Files: r.Files, Bytes: r.Bytes, DatabaseBytes: r.DatabaseBytes}
	if r.Time != nil {
		s.Time = new(metav1.NewTime(r.Time.Truncate(time.Second)))
	}
	return s
}

// limit notes when a Backup that is not kept for ever is deleted.
func (t *task) limit() {
	if ttl := t.backup.Spec.TTL; ttl != nil {
		t.status.ExpirationTime = new(metav1.NewTime(t.now.Add(ttl.Duration).Truncate(time.Second)))
	}
}

func (t *task) ownerReference() metav1.OwnerReference {
	return *metav1.NewControllerRef(t.backup, api.GroupVersion.WithKind("Backup"))
}

// release gives the Install back.
func (t *task) release(ctx context.Context) error {
	in := t.install
	if installOf(t.backup) == "" {
		return nil
	}
	if in == nil {
		in = &api.Install{}
		err := t.Get(ctx, client.ObjectKey{Namespace: t.backup.Namespace, Name: installOf(t.backup)}, in)
		if err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	return operation.Release(ctx, t.Client, in, string(t.backup.UID))
}

// expire deletes a Backup whose time has come; its finalizer takes the snapshot along.
func (t *task) expire(ctx context.Context) (ctrl.Result, error) {
	if err := t.release(ctx); err != nil {
		return step.Unwritten(err)
	}
	at := t.status.ExpirationTime
	if at == nil {
		return ctrl.Result{}, nil
	}
	if t.now.Before(at.Time) {
		return ctrl.Result{RequeueAfter: at.Sub(t.now)}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(t.Delete(ctx, t.backup, client.Preconditions{UID: &t.backup.UID}))
}

// stop ends an agent that still works for a Backup which is being deleted, and gives the Install back.
func (t *task) stop(ctx context.Context) (*step.Wait, error) {
	gone, err := t.Jobs.Remove(ctx, t.backup, t.jobName())
	if err != nil {
		return nil, err
	}
	if !gone {
		return step.Progressing("waiting for the agent to end"), nil
	}
	return nil, t.release(ctx)
}

// forget removes the snapshot, or what an unfinished Backup may have left of one.
func (t *task) forget(ctx context.Context) (*step.Wait, error) {
	if t.backup.Spec.DeletionPolicy == api.DeletionOrphan || t.status.StartTime == nil || t.backup.Annotations[api.AnnotationForceDelete] == "true" {
		return nil, nil
	}
	l, wait, err := t.snapshotLocation(ctx)
	if l == nil || wait != nil || err != nil {
		return wait, err
	}
	m := &job.Mounts{}
	f := &plan.Forget{BackupUID: string(t.backup.UID)}
	if s := t.status.Snapshot; s != nil {
		f.Snapshot = s.ID
	}
	where := location.Plan(l, m)
	f.Location = where
	name := names.Job("forget", t.backup.Name)
	state, wait, err := t.Jobs.Run(ctx, job.Spec{
		Name: name, Namespace: t.backup.Namespace, Owner: t.ownerReference(), Mounts: m, Plan: plan.Plan{Forget: f},
	})
	if wait != nil || err != nil {
		return wait, err
	}
	if r := state.Result.Failure; r != nil {
		_, err := t.Jobs.Remove(ctx, t.backup, name)
		return step.Retry(fmt.Sprintf("the snapshot cannot be removed: %s; annotate the Backup with %s=true to leave it behind", r.Message, api.AnnotationForceDelete), forgetRetry), err
	}
	return nil, nil
}

// snapshotLocation is where the snapshot is to be removed from. It is nil where nothing can be removed any more: the location is gone, or the
// whole namespace is going, in which no Job can be made.
func (t *task) snapshotLocation(ctx context.Context) (*api.BackupLocation, *step.Wait, error) {
	var namespace corev1.Namespace
	if err := t.Get(ctx, client.ObjectKey{Name: t.backup.Namespace}, &namespace); err != nil {
		return nil, nil, fmt.Errorf("reading namespace %s: %w", t.backup.Namespace, err)
	}
	if namespace.DeletionTimestamp != nil {
		return nil, nil, nil
	}
	name := locationOf(t.backup)
	if name == "" {
		if t.status.Snapshot == nil {
			return t.guessLocation(ctx)
		}
		return nil, nil, nil
	}
	l := &api.BackupLocation{}
	err := t.Get(ctx, client.ObjectKey{Namespace: t.backup.Namespace, Name: name}, l)
	if apierrors.IsNotFound(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading BackupLocation %s: %w", name, err)
	}
	return l, nil, nil
}

// guessLocation finds the location of a Backup that was stopped before it had a snapshot and named none itself.
func (t *task) guessLocation(ctx context.Context) (*api.BackupLocation, *step.Wait, error) {
	if installOf(t.backup) != "" {
		t.install = &api.Install{}
		err := t.Get(ctx, client.ObjectKey{Namespace: t.backup.Namespace, Name: installOf(t.backup)}, t.install)
		if err != nil {
			return nil, nil, client.IgnoreNotFound(err)
		}
	}
	wait, err := t.findLocation(ctx)
	if (step.Outcome{Err: err}).Stalled() != nil {
		return nil, nil, nil
	}
	return t.location, wait, err
}

// letGo releases the finalizer.
func (t *task) letGo(ctx context.Context) (*step.Wait, error) {
	return nil, step.ReleaseFinalizer(ctx, t.Client, t.backup)
}
