package agent

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// repository opens the world's location, to look behind the agent.
func (w *world) repository() *repository.Repository {
	w.t.Helper()
	a := &agent{Options: Options{StateDir: w.mkdir("state")}.complete()}
	l, err := a.openLocation(w.t.Context(), &w.location)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := l.close(context.Background()); err != nil {
			w.t.Error(err)
		}
	})
	return l.Repository
}

// leave makes what a backup leaves that was killed before its snapshot was verified.
func (w *world) leave(site plan.Site, name string) repository.Snapshot {
	w.t.Helper()
	s, err := w.repository().Snapshot(w.t.Context(), repository.SnapshotRequest{
		Source: repository.Source{Namespace: site.Namespace, Name: site.Name, UID: site.UID}, Pending: true,
		Tags: map[string]string{snapshots.TagBackup: "uid-of-" + name},
		First: repository.Tree{
			Dirs:  []repository.Dir{{Name: "files/www", Path: filepath.Join(siteDir(site), "www")}},
			Blobs: map[string][]byte{archive.ManifestName: []byte(`{"formatVersion":1,"url":"http://blog.example","path":"/site/www"}`)},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) snapshots() (verified, pending int) {
	w.t.Helper()
	r := w.repository()
	v, err := r.List(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := r.ListPending(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(v), len(p)
}

// TestUnverifiedSnapshot: what was not verified is never the newest backup; its own Backup goes on with it, and takes it along when it goes.
func TestUnverifiedSnapshot(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	latest := &plan.Plan{Restore: &plan.Restore{Site: w.site("blog", blogURL, "app_", 2), Location: w.location,
		Latest: &plan.LatestSnap{Namespace: "demo", Name: "blog"}}}

	w.leave(blog, "blog-1")
	w.fails(latest, plan.ReasonNoSnapshot, true)
	saved := w.run(w.backup(blog, "blog-2"))
	if v, p := w.snapshots(); v != 1 || p != 0 {
		t.Errorf("%d verified and %d pending snapshots after a backup", v, p)
	}
	left := w.leave(blog, "blog-3")
	if restored := w.run(latest); restored.Snapshot != saved.Snapshot {
		t.Errorf("the newest backup is %s, and %s is the one that was verified", restored.Snapshot, saved.Snapshot)
	}
	if again := w.run(w.backup(blog, "blog-3")); again.Snapshot == "" || again.Snapshot == left.ID || again.Files != left.Files {
		t.Errorf("the backup goes on with %+v and answers %+v", left, again)
	}
	if v, p := w.snapshots(); v != 2 || p != 0 {
		t.Errorf("%d verified and %d pending snapshots after it went on", v, p)
	}
	w.leave(blog, "blog-4")
	w.run(&plan.Plan{Forget: &plan.Forget{Location: w.location, BackupUID: "uid-of-blog-4"}})
	if v, p := w.snapshots(); v != 2 || p != 0 {
		t.Errorf("%d verified and %d pending snapshots after the last was forgotten", v, p)
	}
}

// TestCorruptSnapshotGoes: what turned out corrupt is gone, so that nothing is ever built upon it.
func TestCorruptSnapshotGoes(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	w.leave(blog, "blog-1")
	packs, err := filepath.Glob(filepath.Join(w.location.Volume.Path, "p*.f"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	for _, p := range packs {
		b := []byte(read(t, p))
		if err := os.WriteFile(p, []byte(strings.Repeat("x", len(b))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.fails(w.backup(blog, "blog-1"), plan.ReasonCorrupt, true, "BackupLocation local")
	if v, p := w.snapshots(); v != 0 || p != 0 {
		t.Errorf("%d verified and %d pending snapshots are left", v, p)
	}
}
