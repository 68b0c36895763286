package compat

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/view"
	"github.com/sitewright/sitewright/compat/wire"
)

// checksFor is how long a request in the background waits for the preliminary checks, which are the controllers'.
const checksFor = 15 * time.Second

// work is an object that was made for a request, or one that is being deleted, whose work is to be followed.
type work[T client.Object] struct {
	object T
	// done is what to answer when all went well.
	done func(ctx context.Context, object T) (any, error)
}

// follow answers a request in the foreground when the work has ended, and one in the background with the task.
func follow[T client.Object](ctx context.Context, s *Server, c *call, w work[T]) (answer, error) {
	a := answer{object: objectName(w.object)}
	background, quick := c.background()
	last := w.object
	if background {
		if !quick {
			if err := checked(ctx, s, w.object, &last); err != nil {
				return a, err
			}
		}
		a.task = s.task(ctx, last, newGallery(s))
		return a, nil
	}
	ended, err := await(ctx, s, w.object, func(o T, gone bool) bool {
		last = o
		return gone || workOf(o).Over()
	})
	if err != nil {
		return a, err
	}
	if !ended { // The program ends, or an hour is over: the task goes on.
		a.task = s.task(ctx, last, newGallery(s))
		return a, nil
	}
	if err := outcome(ctx, s, c, last); err != nil {
		return a, err
	}
	a.data, err = w.done(ctx, last)
	return a, err
}

// outcome is how the work of an object ended: nil when it went well.
func outcome(ctx context.Context, s *Server, c *call, o client.Object) error {
	if s.deleted.has(o.GetUID()) {
		return wire.Failed("failed_"+c.command.Name, "It was deleted before it ended")
	}
	well, message := workOf(o).Outcome()
	if well {
		return nil
	}
	withdraw(ctx, s, o)
	return wire.Failed("failed_"+c.command.Name, message)
}

// checked waits until the controllers have looked at an object, and fails where they refuse it.
func checked[T client.Object](ctx context.Context, s *Server, o T, last *T) error {
	limited, cancel := context.WithTimeout(ctx, checksFor)
	defer cancel()
	_, err := await(limited, s, o, func(now T, gone bool) bool {
		*last = now
		return gone || len(workOf(now).Conditions) > 0 || workOf(now).Deleting
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if w := workOf(*last); w.Failed() && !w.Deleting {
		_, message := w.Outcome()
		withdraw(ctx, s, *last)
		return wire.Failed("failed_"+w.Command, message)
	}
	return nil
}

// withdraw deletes a task that was refused before it began: it would begin by itself once what it lacks is there, long after the client was told that it
// failed. A site that failed stays for people to look at; another request for the same place replaces it.
func withdraw(ctx context.Context, s *Server, o client.Object) {
	began := true
	switch o := o.(type) {
	case *api.Backup:
		began = o.Status.StartTime != nil
	case *api.Restore:
		began = o.Status.StartTime != nil
	case *api.Clone:
		began = o.Status.StartTime != nil
	case *api.Upgrade:
		began = o.Status.StartTime != nil
	}
	if began {
		return
	}
	if err := client.IgnoreNotFound(s.tenant.Delete(ctx, o, sameObject(o))); err != nil {
		s.log.ErrorContext(ctx, "a refused task is left over", "object", objectName(o), "error", err)
	}
}

// sameObject keeps a deletion from another object of the same name.
func sameObject(o client.Object) client.Preconditions {
	return client.Preconditions{UID: new(o.GetUID())}
}

// objectName names an object in the log.
func objectName(o client.Object) string {
	return fmt.Sprintf("%T %s/%s", o, o.GetNamespace(), o.GetName())[len("*v1alpha1."):]
}

// make creates an object, or in a dry run only asks whether it could be.
func (s *Server) make(ctx context.Context, c *call, o client.Object) error {
	switch c.dryRun() {
	case 1:
		return nil
	case 2:
		return s.tenant.Create(ctx, o, client.DryRunAll)
	}
	return s.tenant.Create(ctx, o)
}

// remove deletes an object, by force where the client wants that, and follows it.
func remove[T client.Object](ctx context.Context, s *Server, c *call, o T) (answer, error) {
	a := answer{object: objectName(o)}
	if c.flag("force") && o.GetAnnotations()[api.AnnotationForceDelete] != "true" {
		if err := s.annotate(ctx, o, api.AnnotationForceDelete, "true"); err != nil {
			return a, err
		}
	}
	if err := s.tenant.Delete(ctx, o, sameObject(o)); apierrors.IsNotFound(err) {
		return a, nil
	} else if err != nil {
		return a, err
	}
	if background, _ := c.background(); background {
		// Memory may not know yet that it is being deleted.
		o.SetDeletionTimestamp(new(metav1.NewTime(s.now())))
		a.task = s.task(ctx, o, newGallery(s))
		return a, nil
	}
	gone, err := await(ctx, s, o, func(now T, gone bool) bool { return gone })
	if err == nil && !gone {
		a.task = s.task(ctx, o, newGallery(s))
	}
	a.data = []string{}
	return a, err
}

func (s *Server) annotate(ctx context.Context, o client.Object, key, value string) error {
	before := o.DeepCopyObject().(client.Object)
	annotations := map[string]string{key: value}
	for k, v := range o.GetAnnotations() {
		if k != key {
			annotations[k] = v
		}
	}
	o.SetAnnotations(annotations)
	return s.tenant.Patch(ctx, o, client.MergeFrom(before))
}

// task shows an object's work.
func (s *Server) task(ctx context.Context, o client.Object, g *gallery) view.Task {
	t := view.OfWork(workOf(o))
	t.ID = ID(o.GetUID())
	g.describe(ctx, &t, o)
	return t
}
