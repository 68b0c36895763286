package backup

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// unread waits until nobody reads the snapshot of a Backup that is being deleted: what a Restore has begun it ends. Whoever only waits to begin
// keeps nothing back.
func (t *task) unread(ctx context.Context) (*step.Wait, error) {
	if t.backup.Spec.DeletionPolicy == api.DeletionOrphan || t.status.Snapshot == nil || t.backup.Annotations[api.AnnotationForceDelete] == "true" {
		return nil, nil
	}
	var restores api.RestoreList
	if err := t.List(ctx, &restores, client.InNamespace(t.backup.Namespace)); err != nil {
		return nil, fmt.Errorf("listing the Restores of namespace %s: %w", t.backup.Namespace, err)
	}
	for i := range restores.Items {
		if r := &restores.Items[i]; r.Spec.BackupRef.Name == t.backup.Name && r.Status.StartTime != nil && !step.Ended(&r.Status.TaskStatus) {
			return step.Dependency(fmt.Sprintf("Restore %s is reading the snapshot", r.Name)), nil
		}
	}
	var installs api.InstallList
	if err := t.List(ctx, &installs, client.InNamespace(t.backup.Namespace)); err != nil {
		return nil, fmt.Errorf("listing the Installs of namespace %s: %w", t.backup.Namespace, err)
	}
	for i := range installs.Items {
		in := &installs.Items[i]
		if in.DeletionTimestamp != nil || in.Status.Generation > 0 || !madeOf(in, t.backup.Name) {
			continue
		}
		begun, err := t.Jobs.Begun(ctx, in, names.BootstrapJob("restore", in.Name))
		if err != nil {
			return nil, err
		}
		if begun != nil {
			return step.Dependency(fmt.Sprintf("Install %s is being made of the snapshot", in.Name)), nil
		}
	}
	return nil, nil
}

// madeOf says whether an Install is made of the Backup of this name.
func madeOf(in *api.Install, backup string) bool {
	b := in.Spec.Bootstrap
	return b != nil && b.Backup != nil && b.Backup.BackupRef != nil && b.Backup.BackupRef.Name == backup
}
