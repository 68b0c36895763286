package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/test/local"
)

// outcome is what became of a task.
type outcome struct {
	ready   bool
	message string
}

// task is one run of a work.
type task interface {
	// begin starts it.
	begin(context.Context) error
	// process is the agent's, nil while none runs.
	process(context.Context) (*local.Process, error)
	// ended returns nil while it goes on.
	ended(context.Context) (*outcome, error)
	// judge holds what it made against what it should have made.
	judge(context.Context, outcome) error
	// remove takes it away, with what it made.
	remove(context.Context) error
}

// object is a task of the cluster: an object of the API, and the Job that works for it.
type object struct {
	*harness
	object         client.Object
	manifest, name string
	job            string
}

func (o *object) begin(ctx context.Context) error { return o.Apply(ctx, o.manifest) }

func (o *object) process(ctx context.Context) (*local.Process, error) {
	pod, err := o.Pod(ctx, o.Namespace, map[string]string{"batch.kubernetes.io/job-name": o.job})
	if pod == nil || err != nil {
		return nil, err
	}
	return local.Find(pod, "sitewright", "agent", "run"), nil
}

func (o *object) ended(ctx context.Context) (*outcome, error) {
	err := o.Get(ctx, client.ObjectKey{Namespace: o.Namespace, Name: o.name}, o.object)
	if err != nil {
		return nil, fmt.Errorf("reading %T %s: %w", o.object, o.name, err)
	}
	conditions := local.Conditions(o.object)
	ready := meta.FindStatusCondition(conditions, api.ConditionReady)
	switch {
	case ready == nil:
		return nil, nil
	case ready.Status == metav1.ConditionTrue:
		return &outcome{ready: true, message: ready.Message}, nil
	case meta.IsStatusConditionTrue(conditions, api.ConditionStalled):
		return &outcome{message: ready.Message}, nil
	}
	return nil, nil
}

func (o *object) remove(ctx context.Context) error { return o.gone(ctx, o.object, o.name) }

// gone deletes an object and waits until it is not there.
func (h *harness) gone(ctx context.Context, object client.Object, name string) error {
	object.SetNamespace(h.Namespace)
	object.SetName(name)
	if err := h.Delete(ctx, object); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting %T %s: %w", object, name, err)
	}
	return local.Await(ctx, bound, fmt.Sprintf("%T %s to go", object, name), func() (bool, string) {
		err := h.Get(ctx, client.ObjectKey{Namespace: h.Namespace, Name: name}, object)
		return apierrors.IsNotFound(err), fmt.Sprint(err, object.GetFinalizers(), local.Conditions(object))
	})
}

// saving is a Backup. The site keeps the version that it has.
type saving struct{ object }

func (h *harness) newBackup(name string) *saving {
	return &saving{object{harness: h, object: &api.Backup{}, name: name, job: names.Job("backup", name), manifest: fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: %s}
spec: {installRef: {name: %s}, locationRef: {name: s3}}
`, name, h.site.install)}}
}

// judge reads all of the snapshot back.
func (s *saving) judge(ctx context.Context, o outcome) error {
	snapshot := s.object.object.(*api.Backup).Status.Snapshot
	if !o.ready {
		if snapshot != nil {
			return fmt.Errorf("a failed Backup, %s, has a snapshot", s.name)
		}
		return nil
	}
	if snapshot == nil || snapshot.Files < markedFiles {
		return fmt.Errorf("a Ready Backup, %s, has %+v", s.name, snapshot)
	}
	return s.inRepository(ctx, func(r *repository.Repository) error {
		_, err := r.Verify(ctx, snapshot.ID, repository.VerifyOptions{Full: true})
		return err
	})
}

// undoing is a Restore in place: the site goes to the version that was saved.
type undoing struct{ object }

func (h *harness) newRestore(name string) *undoing {
	return &undoing{object{harness: h, object: &api.Restore{}, name: name, job: names.Job("restore", name), manifest: fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Restore
metadata: {name: %s}
spec: {backupRef: {name: %s}}
`, name, savedBackup)}}
}

func (u *undoing) judge(ctx context.Context, o outcome) error {
	want := u.version
	if o.ready {
		want = savedVersion
	}
	a, err := u.site.await(ctx)
	if err == nil && a.version != want {
		err = fmt.Errorf("the Restore ended with %q, and the site is of version %s instead of %s", o.message, a.version, want)
	}
	return err
}

// copying is a Clone, with the Install that it makes.
type copying struct {
	object
	copy *site
}

func (h *harness) newClone(name string) *copying {
	url := "http://chaos-copy.localtest/"
	return &copying{copy: &site{Cluster: h.Cluster, install: name, url: url}, object: object{
		harness: h, object: &api.Clone{}, name: name, job: names.BootstrapJob("clone", name), manifest: fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Clone
metadata: {name: %[1]s}
spec: {sourceRef: {name: %[2]s}, to: {name: %[1]s, url: %[3]q}}
`, name, h.site.install, url)}}
}

func (c *copying) judge(ctx context.Context, o outcome) error {
	if !o.ready {
		return nil
	}
	a, err := c.copy.await(ctx)
	if err == nil && (a.version != c.version || a.url != c.copy.url) {
		err = fmt.Errorf("the clone is of version %s at %s, instead of %s at %s", a.version, a.url, c.version, c.copy.url)
	}
	return err
}

func (c *copying) remove(ctx context.Context) error {
	if err := c.gone(ctx, &api.Clone{}, c.name); err != nil {
		return err
	}
	return c.gone(ctx, &api.Install{}, c.name)
}

// inRepository opens the repository of the backups.
func (h *harness) inRepository(ctx context.Context, do func(*repository.Repository) error) (err error) {
	r, err := h.Repository(ctx, h.state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(ctx)) }()
	return do(r)
}

// verify reads back all that the repository holds.
func (h *harness) verify(ctx context.Context) error {
	return h.inRepository(ctx, func(r *repository.Repository) error {
		list, err := r.List(ctx, nil)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(s repository.Snapshot) bool { return s.ID == h.saved }) {
			return fmt.Errorf("the repository has lost snapshot %s", h.saved)
		}
		for _, s := range list {
			if _, err := r.Verify(ctx, s.ID, repository.VerifyOptions{Full: true}); err != nil {
				return err
			}
		}
		return nil
	})
}

// bound is how long anything may take to end or come back after a kill.
const bound = 5 * time.Minute
