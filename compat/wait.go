package compat

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/view"
)

// longestWait is how long a request in the foreground waits. After that it is answered with the task, which goes on.
const longestWait = time.Hour

// ends wakes who waits for an object to change.
type ends struct {
	mu      sync.Mutex
	waiting map[types.UID]map[chan struct{}]bool
}

func newEnds() *ends { return &ends{waiting: map[types.UID]map[chan struct{}]bool{}} }

// watch gives a channel that has something in it after each change of an object, until stop is called.
func (e *ends) watch(uid types.UID) (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting[uid] == nil {
		e.waiting[uid] = map[chan struct{}]bool{}
	}
	e.waiting[uid][c] = true
	return c, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.waiting[uid], c)
		if len(e.waiting[uid]) == 0 {
			delete(e.waiting, uid)
		}
	}
}

func (e *ends) wake(uid types.UID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.waiting[uid] {
		select {
		case c <- struct{}{}:
		default: // It has not looked since the last change.
		}
	}
}

func (e *ends) handler(deleted *deletions) toolscache.ResourceEventHandler {
	wake := func(o any) {
		if object, ok := o.(metav1.Object); ok {
			e.wake(object.GetUID())
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc: wake, UpdateFunc: func(_, o any) { wake(o) },
		DeleteFunc: func(o any) {
			if last, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			if object, ok := o.(client.Object); ok {
				deleted.note(object)
			}
			wake(o)
		},
	}
}

// await waits until a test of the object in memory holds. It answers false when the wait was given up, because the program ends or it took too long: the work goes on.
// Of an object that is gone the test gets what was known before.
func await[T client.Object](ctx context.Context, s *Server, o T, test func(o T, gone bool) bool) (bool, error) {
	changed, stop := s.ends.watch(o.GetUID())
	defer stop()
	limit := time.NewTimer(longestWait)
	defer limit.Stop()
	for {
		now := o.DeepCopyObject().(T)
		err := s.cache.Get(ctx, client.ObjectKeyFromObject(o), now)
		switch {
		case apierrors.IsNotFound(err) || err == nil && now.GetUID() != o.GetUID():
			// Either it is gone, or memory does not have it yet: it knows what was.
			if s.deleted.has(o.GetUID()) {
				test(o, true)
				return true, nil
			}
		case err != nil:
			return false, fmt.Errorf("waiting for %s: %w", o.GetName(), err)
		case test(now, false):
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-s.drain:
			return false, nil
		case <-limit.C:
			return false, nil
		case <-changed:
		}
	}
}

// deletion is an object that was deleted.
type deletion struct {
	object client.Object
	at     time.Time
}

// deletions remembers what was deleted recently, which no object tells any more.
type deletions struct {
	mu    sync.Mutex
	now   func() time.Time
	order []deletion
	known map[types.UID]bool
}

// mostDeletions is how many are remembered.
const mostDeletions = 10000

func newDeletions(now func() time.Time) *deletions {
	return &deletions{now: now, known: map[types.UID]bool{}}
}

func (d *deletions) note(o client.Object) {
	if o.GetDeletionTimestamp() == nil { // Nothing held it, so nobody saw it go.
		o = o.DeepCopyObject().(client.Object)
		o.SetDeletionTimestamp(new(metav1.NewTime(d.now())))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.order = append(d.order, deletion{o, d.now()})
	d.known[o.GetUID()] = true
	old := d.now().Add(-recently)
	for len(d.order) > mostDeletions || len(d.order) > 0 && d.order[0].at.Before(old) {
		delete(d.known, d.order[0].object.GetUID())
		d.order = d.order[1:]
	}
}

func (d *deletions) has(uid types.UID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[uid]
}

// all are the deletions, oldest first.
func (d *deletions) all() []deletion {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]deletion(nil), d.order...)
}

// workOf is the work of an object.
func workOf(o client.Object) view.Work {
	switch o := o.(type) {
	case *api.Install:
		return view.OfInstalling(o)
	case *api.Backup:
		command := "backup"
		if o.Spec.Archive != nil {
			command = "importbackup"
		}
		return view.OfTask(command, &o.ObjectMeta, &o.Status.TaskStatus)
	case *api.Restore:
		return view.OfTask("restore", &o.ObjectMeta, &o.Status.TaskStatus)
	case *api.Clone:
		return view.OfTask("clone", &o.ObjectMeta, &o.Status.TaskStatus)
	case *api.Upgrade:
		return view.OfTask("upgrade", &o.ObjectMeta, &o.Status.TaskStatus)
	}
	return view.Work{}
}
