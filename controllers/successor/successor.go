// Package successor is what the tasks have in common that make a generation of an Install which takes the place of the one that serves: they
// hold the Install, are given a generation, ask for it to be served when they have made it, and wait for how that goes. Until then, and whenever it
// goes wrong, the generation before serves.
package successor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
)

// switchPoll is how often a task that is being deleted looks whether its switch has ended.
const switchPoll = 2 * time.Second

// Task is one that makes a generation: the memory of one reconcile of it.
type Task struct {
	client client.Client
	kind   string
	object client.Object
	status *api.TaskStatus
	// generation is the number of the task's own, 0 before it has one.
	generation *int64
	now        time.Time

	// Install that the task is about, nil until it was read.
	Install *api.Install
}

// New is the task of an object of a kind. What it learns it writes to the object's status, and to where the number of its generation stands in there.
func New(c client.Client, kind string, object client.Object, status *api.TaskStatus, generation *int64, now time.Time) *Task {
	return &Task{client: c, kind: kind, object: object, status: status, generation: generation, now: now}
}

func (t *Task) holder() operation.Task {
	return operation.Task{Kind: t.kind, Object: t.object, Writes: true}
}

func (t *Task) uid() string { return string(t.object.GetUID()) }

// Read reads the Install, if it was not read yet; a plain NotFound says that it is gone.
func (t *Task) Read(ctx context.Context, name string) error {
	if t.Install != nil {
		return nil
	}
	in := &api.Install{}
	if err := t.client.Get(ctx, client.ObjectKey{Namespace: t.object.GetNamespace(), Name: name}, in); err != nil {
		return err
	}
	t.Install = in
	return nil
}

// Hold takes the Install, or queues for it.
func (t *Task) Hold(ctx context.Context) (*step.Wait, error) {
	wait, err := operation.Take(ctx, t.client, t.Install, t.holder(), t.now)
	if wait == nil && err == nil {
		step.Begin(t.status, t.now)
	}
	return wait, err
}

// Room waits until the Install has given this task a generation of its own, with an empty database.
func (t *Task) Room(context.Context) (*step.Wait, error) {
	i := slices.IndexFunc(t.Install.Status.Generations, func(g api.GenerationStatus) bool {
		return g.UID == t.uid() && g.Ready
	})
	if i < 0 {
		return step.Progressing("waiting for a new generation to be made room for"), nil
	}
	*t.generation = t.Install.Status.Generations[i].Number
	return nil, nil
}

// Made says whether the generation was made already, and asked to be served.
func (t *Task) Made() bool {
	op := t.Install.Status.Operation
	return op != nil && op.UID == t.uid() && op.Generation != 0 && op.Generation == *t.generation
}

// Ask asks for the generation, which is made and sealed, to be served. What of made says who asks is filled in.
func (t *Task) Ask(ctx context.Context, made api.OperationStatus) error {
	made.Generation = *t.generation
	return operation.Ask(ctx, t.client, t.Install, t.holder(), made)
}

// Asked says whether the Install of a name was asked to serve what this task made: from then on the Install alone decides. It is read, if so.
func (t *Task) Asked(ctx context.Context, name string) (bool, error) {
	in := &api.Install{}
	if err := t.client.Get(ctx, client.ObjectKey{Namespace: t.object.GetNamespace(), Name: name}, in); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	op, last := in.Status.Operation, in.Status.LastSwitch
	if (op != nil && op.UID == t.uid() && op.Generation != 0) || (last != nil && last.UID == t.uid()) {
		t.Install = in
		return true, nil
	}
	return false, nil
}

// lastSwitch is how this task's switch went, nil before it ended.
func (t *Task) lastSwitch() *api.SwitchStatus {
	if t.Install == nil {
		return nil
	}
	last := t.Install.Status.LastSwitch
	if last == nil || last.UID != t.uid() || last.Generation != *t.generation {
		return nil
	}
	return last
}

// Switched waits until the Install serves the generation, or has given it up.
func (t *Task) Switched(context.Context) (*step.Wait, error) {
	last := t.lastSwitch()
	if last == nil {
		t.status.Progress = step.Switching("switching to the new generation")
		return step.Progressing(fmt.Sprintf("Install %s is switching to generation %d", t.Install.Name, *t.generation)), nil
	}
	if last.Outcome == api.SwitchFailed {
		return nil, step.Failed(fmt.Sprintf("%s; Install %s serves generation %d as before", last.Message, t.Install.Name, t.Install.Status.Generation))
	}
	return nil, nil
}

// SwitchOver waits, for a task that is being deleted, until a switch that it asked for has ended: visitors may have written to the new generation
// already, so that it is not taken back half-way.
func (t *Task) SwitchOver(ctx context.Context, name string) (*step.Wait, error) {
	asked, err := t.Asked(ctx, name)
	if err != nil || !asked || t.lastSwitch() != nil || t.Install.DeletionTimestamp != nil {
		return nil, err
	}
	return &step.Wait{Reason: api.ReasonProgressing, Message: "waiting for the switch to end", After: switchPoll}, nil
}

// Release gives the Install of a name back.
func (t *Task) Release(ctx context.Context, name string) error {
	if err := t.Read(ctx, name); err != nil {
		return client.IgnoreNotFound(err)
	}
	return operation.Release(ctx, t.client, t.Install, t.uid())
}
