package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/repository"
)

// inventory is everything that there is, by name: what is in it after a task and was not before, the task has left. The number of the serving
// generation is no part of it.
func (h *harness) inventory(ctx context.Context) (map[string]bool, error) {
	var in api.Install
	if err := h.Get(ctx, client.ObjectKey{Namespace: h.Namespace, Name: h.site.install}, &in); err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", h.site.install, err)
	}
	things := map[string]bool{}
	for _, g := range in.Status.Generations {
		if g.Number != in.Status.Generation {
			things[fmt.Sprintf("generation %d in the Install's status", g.Number)] = true
		}
	}
	if op := in.Status.Operation; op != nil {
		things[fmt.Sprintf("%s %s holds the Install", op.Kind, op.Name)] = true
	}
	for _, look := range []func(context.Context, *api.Install, map[string]bool) error{h.objects, h.databases, h.volume, h.stored, h.beside} {
		if err := look(ctx, &in, things); err != nil {
			return nil, err
		}
	}
	return things, nil
}

// objects are those of the namespace.
func (h *harness) objects(ctx context.Context, _ *api.Install, things map[string]bool) error {
	for _, list := range []client.ObjectList{
		&api.InstallList{}, &api.BackupList{}, &api.RestoreList{}, &api.CloneList{}, &batchv1.JobList{}, &appsv1.DeploymentList{},
		&corev1.SecretList{}, &corev1.PersistentVolumeClaimList{}, &corev1.ServiceList{}, &corev1.ConfigMapList{}, &networkingv1.IngressList{},
	} {
		if err := h.List(ctx, list, client.InNamespace(h.Namespace)); err != nil {
			return fmt.Errorf("listing %T: %w", list, err)
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			things[strings.TrimPrefix(fmt.Sprintf("%T ", o), "*")+o.(client.Object).GetName()] = true
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// databases are those of the server, with their tables, the users, and what these may.
func (h *harness) databases(ctx context.Context, in *api.Install, things map[string]bool) error {
	serving := names.Database(string(in.UID), in.Status.Generation)
	for what, query := range map[string]string{
		"database ":  "SELECT schema_name FROM information_schema.schemata",
		"user ":      "SELECT user FROM mysql.user",
		"grant ":     "SELECT CONCAT(user, ' on ', REPLACE(db, '\\\\', '')) FROM mysql.db",
		"table ":     "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables WHERE table_schema LIKE 'sw%' OR table_schema LIKE 'chaos%'",
		"in InnoDB ": "SELECT name FROM information_schema.innodb_sys_tables WHERE name LIKE '%#sql%'",
		"routine ":   "SELECT CONCAT(routine_schema, '.', routine_name) FROM information_schema.routines WHERE routine_schema <> 'sys'",
	} {
		rows, err := h.db.QueryContext(ctx, query)
		if err != nil {
			return fmt.Errorf("looking for each %s: %w", what, err)
		}
		values, err := column(rows)
		if err != nil {
			return fmt.Errorf("looking for each %s: %w", what, err)
		}
		for _, v := range values {
			things[what+strings.ReplaceAll(v+" ", serving+" ", "serving")] = true
			if table, ok := strings.CutPrefix(v, serving+"."); ok {
				delete(things, what+v+" ")
				things[what+"serving."+table] = true
			}
		}
	}
	return nil
}

// volume is what lies on the site's volume, apart from the site's own temporary directory.
func (h *harness) volume(ctx context.Context, in *api.Install, things map[string]bool) error {
	path, err := h.pathOf(ctx, h.Namespace, in.Name)
	if err != nil {
		return err
	}
	serving := filepath.Join("gen", strconv.FormatInt(in.Status.Generation, 10))
	return filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // The site works.
		}
		if err != nil {
			return err
		}
		name, err = filepath.Rel(path, name)
		if below, ok := strings.CutPrefix(name, serving); ok {
			name = "serving" + below
		}
		things["file "+name] = true
		if name == "serving/tmp" {
			return fs.SkipDir
		}
		return err
	})
}

// pathOf is where the volume of a claim lies on this machine.
func (h *harness) pathOf(ctx context.Context, namespace, claim string) (string, error) {
	var c corev1.PersistentVolumeClaim
	if err := h.Get(ctx, client.ObjectKey{Namespace: namespace, Name: claim}, &c); err != nil {
		return "", fmt.Errorf("reading PersistentVolumeClaim %s: %w", claim, err)
	}
	var v corev1.PersistentVolume
	if err := h.Get(ctx, client.ObjectKey{Name: c.Spec.VolumeName}, &v); err != nil {
		return "", fmt.Errorf("reading PersistentVolume %s: %w", c.Spec.VolumeName, err)
	}
	if v.Spec.Local == nil {
		return "", fmt.Errorf("PersistentVolume %s is not on this machine", v.Name)
	}
	return v.Spec.Local.Path, nil
}

// stored is what is in the repository, and beside it in its bucket. Packs and indexes are Kopia's: full maintenance drops those that no
// snapshot needs, a day or two later.
func (h *harness) stored(ctx context.Context, _ *api.Install, things map[string]bool) error {
	for info, err := range h.store.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("listing the bucket: %w", err)
		}
		if name := filepath.Base(info.Name); !strings.HasPrefix(name, "kopia.") && !strings.ContainsAny(name[:1], "pqx_") {
			things["stored "+info.Name] = true
		}
	}
	return h.inRepository(ctx, func(r *repository.Repository) error {
		done, err := r.List(ctx, nil)
		if err != nil {
			return err
		}
		pending, err := r.ListPending(ctx, nil)
		for _, s := range slices.Concat(done, pending) {
			things[fmt.Sprintf("snapshot %s, pending %t", s.ID, s.Pending)] = true
		}
		return err
	})
}

// beside is what lies where files are restored by hand, and what the storage server keeps of uploads that have not ended.
func (h *harness) beside(ctx context.Context, _ *api.Install, things map[string]bool) error {
	list, err := os.ReadDir(h.scratch)
	for _, e := range list {
		things["beside "+e.Name()] = true
	}
	if err != nil {
		return err
	}
	path, err := h.pathOf(ctx, "storage", "s3")
	if err != nil {
		return err
	}
	uploads, err := filepath.Glob(filepath.Join(path, "*", ".sgwtmp", "multipart", "*", "*"))
	for _, u := range uploads {
		things["upload "+filepath.Base(u)] = true
	}
	return err
}

// difference says what is in one inventory alone.
func difference(before, now map[string]bool) (left, lost []string) {
	for _, thing := range slices.Sorted(maps.Keys(now)) {
		if !before[thing] {
			left = append(left, thing)
		}
	}
	for _, thing := range slices.Sorted(maps.Keys(before)) {
		if !now[thing] {
			lost = append(lost, thing)
		}
	}
	return left, lost
}
