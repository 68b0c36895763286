package compat

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/view"
)

// recently is how long a task that is over is still listed.
const recently = 24 * time.Hour

// listTasks lists what is being done, and what was recently, the newest first.
func (s *Server) listTasks(ctx context.Context, c *call) (answer, error) {
	id := c.text("id")
	shown := []view.Task{}
	err := s.known(ctx, func() (bool, error) {
		var err error
		shown, err = s.tasks(ctx, c.text("user"), id)
		return id == "" || len(shown) > 0, err
	})
	if err != nil {
		return answer{}, err
	}
	slices.SortStableFunc(shown, func(a, b view.Task) int { return int(b.Time - a.Time) })
	return answer{data: shown}, nil
}

// tasks are those of the objects that the caller may list, and what was deleted of them; with an id, only its.
func (s *Server) tasks(ctx context.Context, user, id string) ([]view.Task, error) {
	g := newGallery(s)
	old := s.now().Add(-recently)
	shown := []view.Task{}
	for _, k := range []kind{installs, backups, restores, clones, upgrades} {
		spaces, err := s.spaces(ctx, k, user, true)
		if err != nil {
			return nil, err
		}
		found, err := within[client.Object](s, k, spaces)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			if id != "" && ID(o.GetUID()) != id {
				continue
			}
			if w := workOf(o); isTask(o) && !(w.Over() && ended(w, o).Before(old)) {
				shown = append(shown, s.task(ctx, o, g))
			}
		}
		for _, d := range s.deleted.all() {
			o := d.object
			seen := slices.Contains(spaces, o.GetNamespace()) || slices.Contains(spaces, "")
			if seen && resourceOf(o) == k.resource && d.at.After(old) && (id == "" || ID(o.GetUID()) == id) {
				t := s.task(ctx, o, g)
				t.Status, t.PercentMin, t.PercentMax, t.Rate, t.Message = view.TaskComplete, 100, 100, 0, "deleted"
				shown = append(shown, t)
			}
		}
	}
	return shown, nil
}

// ended is when work was over: work that failed before it began says so by nothing but its age.
func ended(w view.Work, o client.Object) time.Time {
	if w.Ended.IsZero() {
		return o.GetCreationTimestamp().Time
	}
	return w.Ended
}

// isTask tells whether an object is a task of its own: an Install that a Clone or a Restore makes is theirs.
func isTask(o client.Object) bool {
	in, ok := o.(*api.Install)
	if !ok || in.DeletionTimestamp != nil {
		return true
	}
	b := in.Spec.Bootstrap
	return b == nil || b.Clone == nil && b.Backup == nil
}

func resourceOf(o client.Object) string {
	switch o.(type) {
	case *api.Install:
		return installs.resource
	case *api.Backup:
		return backups.resource
	}
	return "" // Of other kinds the deletion is no task.
}

func objects(list client.ObjectList) []client.Object {
	var all []client.Object
	_ = meta.EachListItem(list, func(o runtime.Object) error { // It fails for what is no list.
		all = append(all, o.(client.Object))
		return nil
	})
	return all
}
