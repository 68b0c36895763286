package agent

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// entries describes a tree: content, link target or mode by path.
func entries(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		info, err := e.Info()
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			found[rel] = "dir"
		case info.Mode()&os.ModeSymlink != 0:
			to, err := os.Readlink(path)
			found[rel] = "-> " + to
			return err
		case info.Mode().IsRegular():
			b, err := os.ReadFile(path)
			found[rel] = info.Mode().String() + " " + string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTreeCopy(t *testing.T) {
	source, target := t.TempDir(), t.TempDir()
	put := func(name, content string, mode os.FileMode) {
		t.Helper()
		full := filepath.Join(source, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	from, err := os.OpenRoot(source)
	must(err)
	defer from.Close()
	to, err := os.OpenRoot(target)
	must(err)
	defer to.Close()
	copyTree := func() {
		t.Helper()
		c := &treeCopy{source: from, target: to, leftOut: map[string]bool{"cache": true}, report: func(int64) {}}
		must(c.run(t.Context()))
	}

	put("a/file", "one", 0o640)
	put("a/read-only", "kept", 0o440)
	put("cache/x", "cached", 0o600)
	put("turns/into", "a file", 0o600)
	put("goes", "away", 0o600)
	must(os.Symlink("/etc", filepath.Join(source, "out")))
	must(os.Symlink("a", filepath.Join(source, "in")))
	must(os.Link(filepath.Join(source, "a/file"), filepath.Join(source, "b-hard")))
	must(syscall.Mkfifo(filepath.Join(source, "pipe"), 0o600))
	copyTree()
	want := entries(t, source)
	delete(want, "cache")
	delete(want, "cache/x")
	if got := entries(t, target); !maps.Equal(got, want) {
		t.Errorf("first pass: got %v\nwant %v", got, want)
	}
	one, err := os.Stat(filepath.Join(target, "a/file"))
	must(err)
	if two, err := os.Stat(filepath.Join(target, "b-hard")); err != nil || !os.SameFile(one, two) {
		t.Errorf("a file with two names became two files: %v", err)
	}
	kept, err := os.Stat(filepath.Join(target, "a/read-only"))
	must(err)

	put("a/file", "two", 0o640)
	must(os.Chtimes(filepath.Join(source, "a/file"), time.Time{}, time.Now().Add(time.Second)))
	must(os.RemoveAll(filepath.Join(source, "turns")))
	put("turns", "file now", 0o600)
	must(os.Remove(filepath.Join(source, "goes")))
	must(os.Remove(filepath.Join(source, "in")))
	put("in/deep", "a directory now", 0o600)
	must(os.Remove(filepath.Join(source, "out")))
	must(os.Symlink("elsewhere", filepath.Join(source, "out")))
	must(os.Link(filepath.Join(source, "a/read-only"), filepath.Join(source, "z-hard")))
	copyTree()
	want = entries(t, source)
	delete(want, "cache")
	delete(want, "cache/x")
	if got := entries(t, target); !maps.Equal(got, want) {
		t.Errorf("second pass: got %v\nwant %v", got, want)
	}
	if again, err := os.Stat(filepath.Join(target, "a/read-only")); err != nil || !os.SameFile(kept, again) {
		t.Errorf("what did not change was copied again: %v", err)
	}
	if again, err := os.Stat(filepath.Join(target, "z-hard")); err != nil || !os.SameFile(kept, again) {
		t.Errorf("a file that got a second name became two files: %v", err)
	}
}

// TestTreeCopyOfManyDirectories copies more directories than are copied at once, below each other and beside each other,
// while files of theirs come and go.
func TestTreeCopyOfManyDirectories(t *testing.T) {
	source, target := t.TempDir(), t.TempDir()
	dirs := []string{"."}
	for i := range 60 {
		dir := filepath.Join(dirs[i/2], strconv.Itoa(i))
		dirs = append(dirs, dir)
		if err := os.MkdirAll(filepath.Join(source, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		for j := range 10 {
			if err := os.WriteFile(filepath.Join(source, dir, "file"+strconv.Itoa(j)), []byte(dir), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	from, err := os.OpenRoot(source)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenRoot(target)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	ended, busy := make(chan struct{}), sync.WaitGroup{}
	busy.Go(func() {
		for i := 0; ; i = (i + 1) % len(dirs) {
			select {
			case <-ended:
				return
			default:
			}
			passing := filepath.Join(source, dirs[i], "passing")
			if err := os.WriteFile(passing, nil, 0o600); err != nil {
				t.Error(err)
			}
			if err := os.Remove(passing); err != nil {
				t.Error(err)
			}
		}
	})
	var most atomic.Int64
	report := func(done int64) { most.Store(max(most.Load(), done)) }
	for range 20 {
		if err := (&treeCopy{source: from, target: to, report: report}).run(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(ended)
	busy.Wait()
	if err := (&treeCopy{source: from, target: to, report: report}).run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := entries(t, target), entries(t, source); !maps.Equal(got, want) {
		t.Errorf("got %d entries, want %d", len(got), len(want))
	}
	if most.Load() == 0 {
		t.Error("no progress was reported")
	}
}
