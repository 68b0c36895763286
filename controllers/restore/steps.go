package restore

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	t.install = in
	return nil, nil
}

// findLocation reads where the snapshot is.
func (t *task) findLocation(ctx context.Context) (*step.Wait, error) {
	l, wait, err := location.Find(ctx, t.Client, t.restore.Namespace, t.backup.Status.Snapshot.Location)
	t.location = l
	return wait, err
}

func (t *task) holder() operation.Task {
	return operation.Task{Kind: "Restore", Object: t.restore, Writes: true}
}

// hold takes the Install, or queues for it.
func (t *task) hold(ctx context.Context) (*step.Wait, error) {
	wait, err := operation.Take(ctx, t.Client, t.install, t.holder(), t.now)
	if wait == nil && err == nil {
		step.Begin(&t.status.TaskStatus, t.now)
	}
	return wait, err
}

// room waits until the Install has given this task a generation of its own, with an empty database.
func (t *task) room(context.Context) (*step.Wait, error) {
	i := slices.IndexFunc(t.install.Status.Generations, func(g api.GenerationStatus) bool {
		return g.UID == string(t.restore.UID) && g.Ready
	})
	if i < 0 {
		return step.Progressing("waiting for a new generation to be made room for"), nil
	}
	t.status.Generation = t.install.Status.Generations[i].Number
	return nil, nil
}

// run makes the generation beside the one that serves.
func (t *task) run(ctx context.Context) (*step.Wait, error) {
	if op := t.install.Status.Operation; op != nil && op.Generation == t.status.Generation {
		return nil, nil
	}
	m := &job.Mounts{}
	site, wait, err := t.Sites.Generation(ctx, t.install, m, t.status.Generation)
	if wait != nil || err != nil {
		return wait, err
	}
	where := location.Plan(t.location, m)
	state, wait, err := t.Jobs.Run(ctx, job.Spec{
		Name: names.Job("restore", t.restore.Name), Namespace: t.restore.Namespace, Install: t.install.Name,
		Owner: *metav1.NewControllerRef(t.restore, api.GroupVersion.WithKind("Restore")), Mounts: m, Beside: install.Beside(t.install),
		Plan: plan.Plan{Restore: &plan.Restore{Site: site, Location: where, Snapshot: t.backup.Status.Snapshot.ID}},
	})
	step.Advance(&t.status.TaskStatus, state.Progress)
	if wait != nil || err != nil {
		return wait, err
	}
	r := state.Result
	if r.Failure != nil {
		return nil, step.Failed(fmt.Sprintf("%s; Install %s serves as before", r.Failure.Message, t.install.Name))
	}
	return nil, operation.Ask(ctx, t.Client, t.install, t.holder(), api.OperationStatus{
		Generation: t.status.Generation, Version: r.Version, SchemaVersion: r.SchemaVersion,
		Size: &api.SizeStatus{Files: r.Files, Bytes: r.Bytes, DatabaseBytes: r.DatabaseBytes},
	})
}

// switchPoll is how often a Restore that is being deleted looks whether its switch has ended.
const switchPoll = 2 * time.Second

// lastSwitch is how this task's switch went, nil before it ended.
func (t *task) lastSwitch() *api.SwitchStatus {
	if t.install == nil {
		return nil
	}
	last := t.install.Status.LastSwitch
	if last == nil || last.UID != string(t.restore.UID) || last.Generation != t.status.Generation {
		return nil
	}
	return last
}

// switched waits until the Install serves the generation, or has given it up.
func (t *task) switched(context.Context) (*step.Wait, error) {
	last := t.lastSwitch()
	if last == nil {
		t.status.Progress = &api.Progress{Percent: 95, Message: "switching to the restored generation"}
		return step.Progressing(fmt.Sprintf("Install %s is switching to generation %d", t.install.Name, t.status.Generation)), nil
	}
	if last.Outcome == api.SwitchFailed {
		return nil, step.Failed(fmt.Sprintf("%s; Install %s serves generation %d as before", last.Message, t.install.Name, t.install.Status.Generation))
	}
	return nil, nil
}

// release gives the Install back.
func (t *task) release(ctx context.Context) error {
	if t.restore.Spec.To != nil || t.status.Install == "" {
		return nil
	}
	in := t.install
	if in == nil {
		in = &api.Install{}
		if err := t.Get(ctx, client.ObjectKey{Namespace: t.restore.Namespace, Name: t.status.Install}, in); err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	return operation.Release(ctx, t.Client, in, string(t.restore.UID))
}

// asked says whether the Install was asked to serve what this task made: from then on the Install alone decides.
func (t *task) asked(ctx context.Context) (bool, error) {
	if t.restore.Spec.To != nil || t.status.Install == "" {
		return false, nil
	}
	in := &api.Install{}
	if err := t.Get(ctx, client.ObjectKey{Namespace: t.restore.Namespace, Name: t.status.Install}, in); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	op, last := in.Status.Operation, in.Status.LastSwitch
	uid := string(t.restore.UID)
	if (op != nil && op.UID == uid && op.Generation != 0) || (last != nil && last.UID == uid) {
		t.install = in
		return true, nil
	}
	return false, nil
}

// stop ends an agent that still works for a Restore which is being deleted, and gives the Install back, which removes what was made.
func (t *task) stop(ctx context.Context) (*step.Wait, error) {
	if asked, err := t.asked(ctx); err != nil {
		return nil, err
	} else if last := t.lastSwitch(); asked && last == nil && t.install.DeletionTimestamp == nil {
		// Visitors may have written to the new generation already: it is not taken back half-way.
		return &step.Wait{Reason: api.ReasonProgressing, Message: "waiting for the switch to end", After: switchPoll}, nil
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
