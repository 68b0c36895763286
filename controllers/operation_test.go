package controllers_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/operation"
)

// TestOneHolder lets fifty tasks take one site at once: each of them reads it before any has written.
func TestOneHolder(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	const takers = 50
	tasks := make([]*api.Backup, takers)
	for i := range tasks {
		tasks[i] = w.backup(fmt.Sprintf("b%02d", i), "blog")
	}
	var took atomic.Int32
	var winner atomic.Value
	var ready, done sync.WaitGroup
	ready.Add(takers)
	for _, b := range tasks {
		done.Go(func() {
			site := in.DeepCopy()
			ready.Done()
			ready.Wait()
			wait, err := operation.Take(t.Context(), view(cluster.live), site, operation.Task{Kind: "Backup", Object: b}, w.clock.Now())
			switch {
			case err != nil:
				t.Error(err)
			case wait == nil:
				took.Add(1)
				winner.Store(string(b.UID))
				same(t, "the holder that Take leaves in memory", site.Status.Operation.UID, string(b.UID))
			case wait.Reason != api.ReasonQueued:
				t.Errorf("a task that was too late has the reason %s", wait.Reason)
			}
		})
	}
	done.Wait()
	same(t, "holders", took.Load(), 1)
	w.must(w.Get(t.Context(), client.ObjectKeyFromObject(in), in))
	same(t, "the holder", any(in.Status.Operation.UID), winner.Load())
}

// TestTakeAndRelease covers what Take, Ask and Release do for the holder and for others.
func TestTakeAndRelease(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	c, now := view(cluster.live), w.clock.Now()
	mine := operation.Task{Kind: "Restore", Object: w.restore("mine", "monday"), Writes: true}
	other := operation.Task{Kind: "Backup", Object: w.backup("other", "blog")}
	take := func(task operation.Task) bool {
		t.Helper()
		wait, err := operation.Take(t.Context(), c, in, task, now)
		w.must(err)
		return wait == nil
	}
	same(t, "taken", take(mine), true)
	same(t, "taken once more", take(mine), true)
	same(t, "taken by another", take(other), false)
	w.must(operation.Ask(t.Context(), c, in, mine, api.OperationStatus{Generation: 2, Version: "1"}))
	w.must(w.Get(t.Context(), client.ObjectKeyFromObject(in), in))
	same(t, "what is asked for", in.Status.Operation.Generation, 2)
	same(t, "the holder that asks", in.Status.Operation.Name, "mine")
	if err := operation.Ask(t.Context(), c, in, other, api.OperationStatus{Generation: 3}); err == nil {
		t.Error("a task that does not hold the site may ask for a generation")
	}
	w.must(operation.Release(t.Context(), c, in, string(other.Object.GetUID())))
	same(t, "the holder after another's release", in.Status.Operation.Name, "mine")
	w.must(operation.Release(t.Context(), c, in, string(mine.Object.GetUID())))
	w.must(w.Get(t.Context(), client.ObjectKeyFromObject(in), in))
	same(t, "an operation", in.Status.Operation == nil, true)
	same(t, "the rest of the status", in.Status.Generation, 1)
	same(t, "taken by another", take(other), true)
	w.remove(in)
	w.must(w.Get(t.Context(), client.ObjectKeyFromObject(in), in))
	w.must(operation.Release(t.Context(), c, in, string(other.Object.GetUID())))
	if _, err := operation.Take(t.Context(), c, in, mine, now); err == nil {
		t.Error("a site that is being deleted can be taken")
	}
}
