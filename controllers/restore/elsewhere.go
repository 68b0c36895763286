package restore

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/copying"
	"github.com/sitewright/sitewright/controllers/step"
)

// makeInstall makes the new Install of the Backup.
func (t *task) makeInstall(ctx context.Context) (*step.Wait, error) {
	source, err := t.source(ctx)
	if err != nil {
		return nil, err
	}
	spec := copying.Spec(t.restore.Spec.To.CopyTarget, t.backup.Status.Application, "", source,
		api.BootstrapSpec{Backup: &api.BackupBootstrap{BackupRef: &t.restore.Spec.BackupRef}})
	t.Install, err = copying.Make(ctx, t.Client, t.restore, t.restore.Spec.To.Name, spec)
	if err != nil {
		return nil, err
	}
	step.Begin(&t.status.TaskStatus, t.now)
	t.status.Install, t.status.URL = t.Install.Name, string(t.Install.Spec.URL)
	return nil, nil
}

// madeInstall reads the Install that was made before.
func (t *task) madeInstall(ctx context.Context) (*step.Wait, error) {
	var err error
	t.Install, err = copying.Made(ctx, t.Client, t.restore, t.status.Install)
	return nil, err
}

// source is the Install that was backed up, nil where it is gone.
func (t *task) source(ctx context.Context) (*api.Install, error) {
	name := t.backedUp()
	if name == "" {
		return nil, nil
	}
	in := &api.Install{}
	err := t.Get(ctx, client.ObjectKey{Namespace: t.restore.Namespace, Name: name}, in)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	return in, nil
}

// followInstall waits for the new Install to serve.
func (t *task) followInstall(context.Context) (*step.Wait, error) {
	return copying.Follow(t.Install, &t.status.TaskStatus)
}
