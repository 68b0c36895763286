// Package operation keeps to one operation at a time: per Install, at most one task changes or reads its files and tables. The
// holder stands in the Install's status. It is taken and given back under the resource version that was read, so two
// controllers cannot both believe that they hold it; tasks that wait are served in the order of their creation.
package operation

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
)

// owner is the field owner of an Install's operation, apart from the rest of its status.
const owner = client.FieldOwner("sitewright-operation")

// Indexes by which the tasks of an Install are found.
const (
	// IndexInstall on Backup, Restore and Upgrade is the name of the Install that they are about.
	IndexInstall = "sitewright.dev/install"
	// IndexCloneSource on Install is the name of the Install that it is yet to be cloned from.
	IndexCloneSource = "sitewright.dev/clone-source"
)

// Task is who wants to hold an Install.
type Task struct {
	Kind   string
	Object client.Object
	// Writes says that the task makes a generation.
	Writes bool
	// Configures says that an Install holds itself to bring settings to its application.
	Configures bool
}

func (t Task) holds(op *api.OperationStatus) bool {
	return op != nil && op.UID == string(t.Object.GetUID())
}

// Take makes the task the holder of the Install, or says whom it waits for. install is updated with what was written.
func Take(ctx context.Context, c client.Client, install *api.Install, task Task, now time.Time) (*step.Wait, error) {
	op := install.Status.Operation
	if task.holds(op) {
		return nil, nil
	}
	if install.DeletionTimestamp != nil {
		return nil, step.Invalid(fmt.Sprintf("Install %s is being deleted", install.Name))
	}
	if op != nil {
		return queued(op.Kind, op.Name), nil
	}
	ahead, err := first(ctx, c, install)
	if err != nil {
		return nil, err
	}
	if ahead != nil && ahead.Object.GetUID() != task.Object.GetUID() && older(ahead.Object, task.Object) {
		return queued(ahead.Kind, ahead.Object.GetName()), nil
	}
	err = apply(ctx, c, install, ac.OperationStatus().WithKind(task.Kind).WithName(task.Object.GetName()).
		WithUID(string(task.Object.GetUID())).WithSince(metav1.NewTime(now.Truncate(time.Second))).WithWrites(task.Writes).WithConfigures(task.Configures))
	if apierrors.IsConflict(err) {
		return &step.Wait{Reason: api.ReasonQueued, Message: "another task was quicker", After: time.Second}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("taking Install %s: %w", install.Name, err)
	}
	return nil, nil
}

// Ask reports the generation that the holder has made and sealed, and asks for it to be served.
func Ask(ctx context.Context, c client.Client, install *api.Install, task Task, made api.OperationStatus) error {
	op := install.Status.Operation
	if !task.holds(op) {
		return fmt.Errorf("%s %s does not hold Install %s", task.Kind, task.Object.GetName(), install.Name)
	}
	if op.Generation == made.Generation {
		return nil
	}
	made.Kind, made.Name, made.UID, made.Since, made.Writes = op.Kind, op.Name, op.UID, op.Since, op.Writes
	configuration, err := step.Configuration[ac.OperationStatusApplyConfiguration](made)
	if err != nil {
		return err
	}
	return apply(ctx, c, install, configuration)
}

// Release gives the Install back if the object of this UID holds it.
func Release(ctx context.Context, c client.Client, install *api.Install, uid string) error {
	if op := install.Status.Operation; op == nil || op.UID != uid {
		return nil
	}
	err := apply(ctx, c, install, nil)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("giving back Install %s: %w", install.Name, err)
	}
	return nil
}

// apply writes the operation alone, under the resource version that was read, and brings install up to what is there now.
func apply(ctx context.Context, c client.Client, install *api.Install, op *ac.OperationStatusApplyConfiguration) error {
	status := ac.InstallStatus()
	if op != nil {
		status.WithOperation(op)
	}
	configuration := ac.Install(install.Name, install.Namespace).WithResourceVersion(install.ResourceVersion).WithUID(install.UID).WithStatus(status)
	if err := c.Status().Apply(ctx, configuration, owner, client.ForceOwnership); err != nil {
		return err
	}
	install.ResourceVersion, install.Status.Operation = *configuration.ResourceVersion, nil
	if op == nil {
		return nil
	}
	written, err := step.Configuration[api.OperationStatus](op)
	install.Status.Operation = written
	return err
}

func queued(kind, name string) *step.Wait {
	return &step.Wait{Reason: api.ReasonQueued, Message: fmt.Sprintf("waiting for %s %s", kind, name), After: 30 * time.Second}
}

// first is the oldest task that waits for the Install, as far as the cache knows.
func first(ctx context.Context, c client.Client, install *api.Install) (*Task, error) {
	var oldest *Task
	consider := func(kind string, o client.Object, conditions []metav1.Condition) {
		if o.GetDeletionTimestamp() == nil && waiting(conditions) && (oldest == nil || older(o, oldest.Object)) {
			oldest = &Task{Kind: kind, Object: o}
		}
	}
	in, about := client.InNamespace(install.Namespace), client.MatchingFields{IndexInstall: install.Name}
	var backups api.BackupList
	var restores api.RestoreList
	var upgrades api.UpgradeList
	var clones api.InstallList
	if err := c.List(ctx, &backups, in, about); err != nil {
		return nil, fmt.Errorf("listing the Backups of %s: %w", install.Name, err)
	}
	if err := c.List(ctx, &restores, in, about); err != nil {
		return nil, fmt.Errorf("listing the Restores of %s: %w", install.Name, err)
	}
	if err := c.List(ctx, &upgrades, in, about); err != nil {
		return nil, fmt.Errorf("listing the Upgrades of %s: %w", install.Name, err)
	}
	if err := c.List(ctx, &clones, in, client.MatchingFields{IndexCloneSource: install.Name}); err != nil {
		return nil, fmt.Errorf("listing the clones of %s: %w", install.Name, err)
	}
	for i := range backups.Items {
		consider("Backup", &backups.Items[i], backups.Items[i].Status.Conditions)
	}
	for i := range restores.Items {
		consider("Restore", &restores.Items[i], restores.Items[i].Status.Conditions)
	}
	for i := range upgrades.Items {
		consider("Upgrade", &upgrades.Items[i], upgrades.Items[i].Status.Conditions)
	}
	for i := range clones.Items {
		if copied(&clones.Items[i]) {
			continue
		}
		consider("Install", &clones.Items[i], clones.Items[i].Status.Conditions)
	}
	return oldest, nil
}

// copied says whether a clone has all that it wants of its source: what it waits for from then on are its own pods.
func copied(clone *api.Install) bool {
	return slices.ContainsFunc(clone.Status.Generations, func(g api.GenerationStatus) bool {
		return g.UID == string(clone.UID) && g.Sealed
	})
}

// waiting says whether a task stands in the queue: one that waits for something else does not keep others back.
func waiting(conditions []metav1.Condition) bool {
	c := meta.FindStatusCondition(conditions, api.ConditionReady)
	return c != nil && (c.Reason == api.ReasonQueued || c.Reason == api.ReasonProgressing)
}

func older(a, b client.Object) bool {
	ta, tb := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if ta.Equal(&tb) {
		return a.GetName() < b.GetName()
	}
	return ta.Before(&tb)
}

// Gone says whether the holder of an Install is no longer there, or has ended: its operation is over.
func Gone(ctx context.Context, c client.Client, namespace string, op *api.OperationStatus) (bool, error) {
	holder, ended := holderOf(op.Kind)
	if holder == nil {
		return true, nil
	}
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: op.Name}, holder)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading %s %s: %w", op.Kind, op.Name, err)
	}
	if string(holder.GetUID()) != op.UID {
		return true, nil
	}
	return holder.GetDeletionTimestamp() == nil && ended(), nil
}

// holderOf is an object of a holder's kind, and whether its work is over once it was read. A task that is stalled has not ended while its agent may
// still run.
func holderOf(kind string) (client.Object, func() bool) {
	switch kind {
	case "Backup":
		o := &api.Backup{}
		return o, func() bool { return step.Ended(&o.Status.TaskStatus) }
	case "Restore":
		o := &api.Restore{}
		return o, func() bool { return step.Ended(&o.Status.TaskStatus) }
	case "Upgrade":
		o := &api.Upgrade{}
		return o, func() bool { return step.Ended(&o.Status.TaskStatus) }
	case "Install":
		o := &api.Install{}
		return o, func() bool { return o.Status.Generation > 0 || copied(o) }
	}
	return nil, nil
}
