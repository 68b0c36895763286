package restore

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// findBackup reads the Backup, which must be Ready: nothing is restored that was not verified.
func (t *task) findBackup(ctx context.Context) (*step.Wait, error) {
	b, name := &api.Backup{}, t.restore.Spec.BackupRef.Name
	err := t.Get(ctx, client.ObjectKey{Namespace: t.restore.Namespace, Name: name}, b)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.backupRef: Backup %s does not exist in namespace %s", name, t.restore.Namespace))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Backup %s: %w", name, err)
	}
	if why, stalled := step.IsStalled(b.Status.Conditions); stalled {
		return nil, step.Invalid(fmt.Sprintf("spec.backupRef: Backup %s failed and has nothing to restore: %s", name, why))
	}
	// One that is being deleted waits for who has begun to read it, and for nobody else.
	begun := b.Status.Snapshot != nil && t.status.StartTime != nil
	if ready := b.DeletionTimestamp == nil && b.Status.Snapshot != nil && step.IsReady(b.Status.Conditions, 0); !ready && !begun {
		return step.Dependency(fmt.Sprintf("Backup %s is not ready: %s", name, step.Message(b.Status.Conditions))), nil
	}
	t.backup = b
	return nil, nil
}

// backedUp is the name of the Install that was backed up, empty for an imported archive. That of an adopted snapshot may be another cluster's:
// what is here under its name gets its content.
func (t *task) backedUp() string {
	switch {
	case t.backup.Spec.InstallRef != nil:
		return t.backup.Spec.InstallRef.Name
	case t.backup.Spec.Snapshot != nil:
		return t.backup.Status.Install
	}
	return ""
}

// findInstall reads the Install that was backed up, or that has its name.
func (t *task) findInstall(ctx context.Context) (*step.Wait, error) {
	name := t.backedUp()
	if name == "" {
		return nil, step.Invalid("spec.to: an imported backup has no Install to go back to; say where to restore it")
	}
	in := &api.Install{}
	err := t.Get(ctx, client.ObjectKey{Namespace: t.restore.Namespace, Name: name}, in)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("Install %s is gone: set spec.to to restore its Backup as a new Install", name))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	t.status.Install, t.status.URL = name, in.Status.URL
	switch {
	case in.Spec.Application != t.backup.Status.Application:
		return nil, step.Invalid(fmt.Sprintf("Install %s is of %s now, and Backup %s of %s", name, in.Spec.Application, t.backup.Name, t.backup.Status.Application))
	case in.Spec.Database != nil && in.Spec.Database.Existing != nil:
		return nil, step.NotImplemented(fmt.Sprintf("Install %s uses spec.database.existing: this version of Sitewright restores it only elsewhere, with spec.to", name))
	case in.Status.Generation == 0:
		return step.Dependency(fmt.Sprintf("Install %s does not serve yet: %s", name, step.Message(in.Status.Conditions))), nil
	}
	t.Install = in
	return nil, nil
}

// findLocation reads where the snapshot is.
func (t *task) findLocation(ctx context.Context) (*step.Wait, error) {
	l, wait, err := location.Find(ctx, t.Client, t.restore.Namespace, t.backup.Status.Snapshot.Location)
	t.location = l
	return wait, err
}

// run makes the generation beside the one that serves.
func (t *task) run(ctx context.Context) (*step.Wait, error) {
	if t.Made() {
		return nil, nil
	}
	m := &job.Mounts{}
	site, wait, err := t.Sites.Generation(ctx, t.Install, m, t.status.Generation)
	if wait != nil || err != nil {
		return wait, err
	}
	where := location.Plan(t.location, m)
	state, wait, err := t.Jobs.Run(ctx, job.Spec{
		Name: names.Job("restore", t.restore.Name), Namespace: t.restore.Namespace, Install: t.Install.Name,
		Owner: *metav1.NewControllerRef(t.restore, api.GroupVersion.WithKind("Restore")), Mounts: m, Beside: install.Beside(t.Install),
		Plan: plan.Plan{Restore: &plan.Restore{Site: site, Location: where, Snapshot: t.backup.Status.Snapshot.ID}},
	})
	if made := step.Making(state.Progress); made != nil {
		t.status.Progress = made
	}
	if wait != nil || err != nil {
		return wait, err
	}
	r := state.Result
	if r.Failure != nil {
		return nil, step.Failed(fmt.Sprintf("%s; Install %s serves as before", r.Failure.Message, t.Install.Name))
	}
	return nil, t.Ask(ctx, api.OperationStatus{
		Version: r.Version, SchemaVersion: r.SchemaVersion,
		Size: &api.SizeStatus{Files: r.Files, Bytes: r.Bytes, DatabaseBytes: r.DatabaseBytes},
	})
}

// inPlace is the name of the Install that gets its content back, empty where there is none, or before it is known.
func (t *task) inPlace() string {
	if t.restore.Spec.To != nil {
		return ""
	}
	return t.status.Install
}

// release gives the Install back.
func (t *task) release(ctx context.Context) error {
	if t.inPlace() == "" {
		return nil
	}
	return t.Release(ctx, t.inPlace())
}

// asked says whether the Install was asked to serve what this task made.
func (t *task) asked(ctx context.Context) (bool, error) {
	if t.inPlace() == "" {
		return false, nil
	}
	return t.Asked(ctx, t.inPlace())
}

// stop ends an agent that still works for a Restore which is being deleted, and gives the Install back, which removes what was made.
func (t *task) stop(ctx context.Context) (*step.Wait, error) {
	if name := t.inPlace(); name != "" {
		if wait, err := t.SwitchOver(ctx, name); wait != nil || err != nil {
			return wait, err
		}
	}
	gone, err := t.Jobs.Remove(ctx, t.restore, names.Job("restore", t.restore.Name))
	if err != nil {
		return nil, err
	}
	if !gone {
		return step.Progressing("waiting for the agent to end"), nil
	}
	return nil, t.release(ctx)
}

// letGo releases the finalizer.
func (t *task) letGo(ctx context.Context) (*step.Wait, error) {
	return nil, step.ReleaseFinalizer(ctx, t.Client, t.restore)
}
