package repository_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sitewright/sitewright/internal/repository"
)

func TestSnapshotAndRestore(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		r := create(t, p)
		www := makeSite(t, 1)
		dump := strings.Repeat("INSERT INTO t VALUES (1);\n", 50_000)
		read := false
		req := request(www, dump)
		req.AfterRead = func() { read = true }
		var progress []repository.Progress
		req.Progress = func(p repository.Progress) { progress = append(progress, p) }
		one := snapshot(t, r, req)
		if one.Files != 69 || one.DatabaseBytes != int64(len(dump)+23) || one.Bytes < 12<<20+one.DatabaseBytes || one.Skipped != 1 || !read {
			t.Errorf("%+v, read %v", one, read)
		}
		if one.UploadedBytes < 12<<20 || one.UploadedBytes > 13<<20 || one.NewBlobs < 3 || len(progress) == 0 {
			t.Errorf("%+v, %d reports", one, len(progress))
		}
		v := verify(t, r, one.ID, false)
		if v.ReadBlobs < 3 || v.ReadBytes < 12<<20 || v.SeenBlobs < 2 || v.Objects < 70 {
			t.Errorf("%+v", v)
		}
		if again := verify(t, r, one.ID, true); again.ReadBlobs != 0 || again.SeenBlobs != v.SeenBlobs {
			t.Errorf("second verification: %+v, first %+v", again, v)
		}
		dest := filepath.Join(t.TempDir(), "restored")
		var last repository.Progress
		ro := repository.RestoreOptions{Sync: true, Progress: func(p repository.Progress) { last = p }}
		if err := r.Restore(t.Context(), one.ID, "files/www", dest, ro); err != nil {
			t.Fatal(err)
		}
		equalTrees(t, describeTree(t, www, leftOut...), describeTree(t, dest))
		if last.Bytes != last.TotalBytes || last.Files != last.TotalFiles || last.Files != one.Files {
			t.Errorf("progress ended at %+v", last)
		}
		if err := r.Restore(t.Context(), one.ID, "files/www", dest, ro); err == nil {
			t.Error("restored into a directory that is not empty")
		}
		checkStreams(t, r, one.ID, dump)
		checkNext(t, r, www, one)
	})
}

func checkStreams(t *testing.T, r *repository.Repository, id, dump string) {
	t.Helper()
	streams, err := r.ListStreams(t.Context(), id, "database")
	if err != nil || len(streams) != 2 || streams[0].Name != "000-schema.sql" || streams[1].Size != int64(len(dump)) {
		t.Fatalf("%+v, %v", streams, err)
	}
	for name, want := range map[string]string{"database/001-data.sql": dump, "manifest.json": `{"version":1}`} {
		s, err := r.OpenStream(t.Context(), id, name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s)
		if err = errors.Join(err, s.Close()); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for _, name := range []string{"database/absent", "absent", "database", "manifest.json/x", "../etc"} {
		if _, err := r.OpenStream(t.Context(), id, name); !errors.Is(err, repository.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkNext: the next snapshot sends what changed, and both are listed and deleted on their own.
func checkNext(t *testing.T, r *repository.Repository, www string, one repository.Snapshot) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(www, "new.php"), []byte("<?php"), 0o644); err != nil {
		t.Fatal(err)
	}
	two := snapshot(t, r, request(www, "other data"))
	if two.Files != one.Files+1 || two.UploadedBytes > 200_000 || two.Bytes < 12<<20 {
		t.Errorf("second snapshot: %+v", two)
	}
	verify(t, r, two.ID, false)
	other := site
	other.UID = "another"
	for want, source := range map[int]*repository.Source{2: nil, 0: &other} {
		if found, err := r.List(t.Context(), source); err != nil || len(found) != want {
			t.Errorf("list %v: %v, %v", source, found, err)
		}
	}
	found, err := r.List(t.Context(), &site)
	if err != nil || len(found) != 2 || found[0].ID != one.ID || found[0].Tags["backup"] != "blog-1" || len(found[0].Tags) != 1 ||
		found[0].Source != site || found[0].Description != "nightly" || found[0].Files != one.Files || found[0].DatabaseBytes != one.DatabaseBytes {
		t.Errorf("%+v, %v", found, err)
	}
	stats, err := r.Stats(t.Context())
	if err != nil || stats.Snapshots != 2 || stats.LogicalBytes != one.Bytes+two.Bytes || stats.StoredBytes < 12<<20 || stats.StoredBytes > 14<<20 {
		t.Errorf("%+v, %v", stats, err)
	}
	for range 2 {
		if err := r.Delete(t.Context(), one.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Get(t.Context(), one.ID); !errors.Is(err, repository.ErrNotFound) {
		t.Errorf("after deletion: %v", err)
	}
	if err := r.Maintain(t.Context(), true); err != nil {
		t.Error(err)
	}
	verify(t, r, two.ID, true)
}

// TestChangesBetweenPasses: the snapshot holds the state of the second pass.
func TestChangesBetweenPasses(t *testing.T) {
	r := create(t, onVolume(t))
	www := t.TempDir()
	write := func(name, data string) {
		if err := os.WriteFile(filepath.Join(www, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("same", "same")
	write("gone", "gone")
	write("changed", "old")
	req := request(www, "data")
	final := req.Final
	req.Final = func(ctx context.Context) (repository.Tree, error) {
		info, err := os.Stat(filepath.Join(www, "changed"))
		if err != nil {
			t.Fatal(err)
		}
		write("changed", "new") // Of the same size, and made to look unchanged, as within one tick of the clock.
		if err := os.Chtimes(filepath.Join(www, "changed"), info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		write("added", "added")
		return errOr(final(ctx))(os.Remove(filepath.Join(www, "gone")))
	}
	s := snapshot(t, r, req)
	dest := t.TempDir()
	if err := r.Restore(t.Context(), s.ID, "files/www", dest, repository.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"same": "same", "changed": "new", "added": "added", "gone": ""} {
		if got, _ := os.ReadFile(filepath.Join(dest, name)); string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func errOr(tree repository.Tree, err error) func(error) (repository.Tree, error) {
	return func(other error) (repository.Tree, error) { return tree, errors.Join(err, other) }
}

var errDump = errors.New("the dump broke")

// TestFailures: what cannot be read fails the snapshot, and nothing of it is listed.
func TestFailures(t *testing.T) {
	r := create(t, onVolume(t))
	www := t.TempDir()
	broken := func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("INSERT"), readerFunc(func([]byte) (int, error) { return 0, errDump }))), nil
	}
	canceled, cancel := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		ctx  context.Context
		tree repository.Tree
		want error
	}{
		"directory absent": {t.Context(), repository.Tree{Dirs: []repository.Dir{{Name: "www", Path: www + "/absent"}}}, os.ErrNotExist},
		"stream breaks":    {t.Context(), repository.Tree{Streams: []repository.Stream{{Name: "db/a.sql", Open: broken}}}, errDump},
		"stream not opened": {t.Context(), repository.Tree{Streams: []repository.Stream{{Name: "db/a.sql", Open: func(context.Context) (io.ReadCloser, error) {
			return nil, fmt.Errorf("%w: %w", errDump, os.ErrNotExist)
		}}}}, errDump},
		"canceled": {canceled, repository.Tree{Streams: []repository.Stream{{Name: "db/a.sql", Open: func(context.Context) (io.ReadCloser, error) {
			cancel()
			return text("data")(t.Context())
		}}}}, context.Canceled},
		"named twice":   {t.Context(), repository.Tree{Blobs: map[string][]byte{"a": nil}, Streams: []repository.Stream{{Name: "a", Open: text("x")}}}, nil},
		"inside a file": {t.Context(), repository.Tree{Streams: []repository.Stream{{Name: "a", Open: text("x")}, {Name: "a/b", Open: text("x")}}}, nil},
		"escapes":       {t.Context(), repository.Tree{Streams: []repository.Stream{{Name: "../a", Open: text("x")}}}, nil},
		"bad pattern":   {t.Context(), repository.Tree{Dirs: []repository.Dir{{Name: "www", Path: www, Exclude: []string{"[a"}}}}, nil},
	} {
		_, err := r.Snapshot(c.ctx, repository.SnapshotRequest{Source: site, First: c.tree})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if found, err := r.List(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestConcurrentWriters: many Jobs back up different sites to one repository at once.
func TestConcurrentWriters(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		o := options(t, p)
		if err := repository.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		www := makeSite(t, 1)
		const writers = 4
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				r, err := repository.Open(t.Context(), repository.Options{Store: p.store, Password: password, StateDir: filepath.Join(o.StateDir, fmt.Sprint(i))})
				if err != nil {
					t.Error(err)
					return
				}
				defer r.Close(context.Background())
				req := request(www, fmt.Sprint("data of ", i))
				req.Source.Name = fmt.Sprint("site-", i)
				s, err := r.Snapshot(t.Context(), req)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := r.Verify(t.Context(), s.ID, repository.VerifyOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r := open(t, o)
		found, err := r.List(t.Context(), nil)
		if err != nil || len(found) != writers {
			t.Fatalf("%d snapshots, %v", len(found), err)
		}
		for _, s := range found {
			verify(t, r, s.ID, true)
		}
	})
}
