package archive_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/repository"
)

// makeSite makes a directory with what sites have: odd names, modes, times, links.
func makeSite(t *testing.T) string {
	t.Helper()
	www := t.TempDir()
	for name, mode := range map[string]os.FileMode{
		"index.php": 0o644, "run.sh": 0o755, "empty": 0o444, "uploads/ümläut 日本 🦊.txt": 0o600, "caf\xe9 in Latin-1": 0o644,
		`back\slash`: 0o644, strings.Repeat("long", 60) + "/" + strings.Repeat("name", 60): 0o640, "a/b/c/d": 0o644,
	} {
		path := filepath.Join(www, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte(name), len(name)), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(www, "empty-dir"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(www, "empty-dir"), 0o750|os.ModeSetgid|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"inside": "a/b", "dangling": "nowhere", "a/up": "../index.php", "absolute": "/site/data/x", "to-data": "../data"} {
		if err := os.Symlink(target, filepath.Join(www, link)); err != nil {
			t.Fatal(err)
		}
	}
	var paths []string
	if err := filepath.WalkDir(www, func(path string, _ fs.DirEntry, err error) error { paths = append(paths, path); return err }); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2020, 1, 2, 3, 4, 5, 123456789, time.UTC)
	for i, path := range slices.Backward(paths) {
		ts := unix.NsecToTimespec(at.Add(time.Duration(i) * time.Minute).UnixNano())
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			t.Fatal(err)
		}
	}
	return www
}

// describe lists everything about a tree.
func describe(t *testing.T, root string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, rel := "", strings.TrimPrefix(path, root)
		switch {
		case info.Mode().IsRegular():
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(b)
		case info.Mode()&os.ModeSymlink != 0:
			if content, err = os.Readlink(path); err != nil {
				return err
			}
		}
		lines = append(lines, fmt.Sprintf("%q %v %v %q", rel, info.Mode(), info.ModTime().UnixNano(), content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func text(s string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
}

func TestRoundTrip(t *testing.T) {
	r := newRepository(t)
	www := makeSite(t)
	parts := map[string]string{"000-schema.sql": "CREATE TABLE t (a int);\n", "100-table-00001-t.sql": "INSERT INTO t VALUES (1);\n", "900-end.sql": ""}
	tree := repository.Tree{
		Dirs:  []repository.Dir{{Name: "files/www", Path: www}, {Name: "files/data", Path: t.TempDir()}},
		Blobs: map[string][]byte{"manifest.json": []byte(`{"formatVersion":1}`)},
	}
	for name, content := range parts {
		tree.Streams = append(tree.Streams, repository.Stream{Name: "database/" + name, Open: text(content)})
	}
	s, err := r.Snapshot(t.Context(), repository.SnapshotRequest{Source: site, First: repository.Tree{Dirs: tree.Dirs},
		Final: func(context.Context) (repository.Tree, error) { return tree, nil }})
	if err != nil {
		t.Fatal(err)
	}
	want := describe(t, www)
	for _, f := range []archive.Format{archive.TarZstd, archive.TarGzip} {
		name, done := export(t, r, s.ID, f)
		if done.Files != s.Files || done.DatabaseBytes != s.DatabaseBytes || !slices.Equal(done.Outward, []string{"www/absolute"}) {
			t.Errorf("%s: exported %+v of %+v", f, done, s)
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		source, err := archive.File(file)
		if err != nil {
			t.Fatal(err)
		}
		again, err := take(t, r, source, archive.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if again.Files != s.Files || again.Bytes != s.Bytes || again.DatabaseBytes != s.DatabaseBytes || again.Source != site {
			t.Errorf("%s: imported %+v, was %+v", f, again, s)
		}
		checkSame(t, r, again.ID, want, parts)
		if second, _ := export(t, r, again.ID, f); unpacked(t, second) != unpacked(t, name) {
			t.Errorf("%s: an archive of what was imported unpacks to something else", f)
		}
	}
}

// checkSame restores a snapshot and compares.
func checkSame(t *testing.T, r *repository.Repository, id string, want []string, parts map[string]string) {
	t.Helper()
	if _, err := r.Verify(t.Context(), id, repository.VerifyOptions{Full: true}); err != nil {
		t.Fatal(err)
	}
	dest := filepath.Join(t.TempDir(), "www")
	if err := r.Restore(t.Context(), id, "files/www", dest, repository.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := describe(t, dest); !slices.Equal(got, want) {
		t.Errorf("restored:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	list, err := r.ListStreams(t.Context(), id, "database")
	if err != nil || len(list) != len(parts) {
		t.Errorf("parts: %v, %v", list, err)
	}
	for name, content := range parts {
		stream, err := r.OpenStream(t.Context(), id, "database/"+name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(stream)
		if stream.Close(); err != nil || string(b) != content {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// unpacked is what the stock tar makes of an archive's files.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("tar", "--warning=no-timestamp", "-xpf", name, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v %s (install the Debian packages tar and zstd)", err, out)
	}
	return strings.Join(describe(t, filepath.Join(dir, "files/www")), "\n")
}

// TestChangedDump sees that a dump which was edited, or is without an index, is taken in one piece.
func TestChangedDump(t *testing.T) {
	r := newRepository(t)
	for name, index := range map[string]string{
		"none": "", "nonsense": "{", "short": `{"parts":[{"name":"000-a.sql","bytes":3}]}`,
		"negative": `{"parts":[{"name":"000-a.sql","bytes":-1},{"name":"001-b.sql","bytes":10}]}`,
		"climbs":   `{"parts":[{"name":"../a.sql","bytes":9}]}`, "twice": `{"parts":[{"name":"a","bytes":4},{"name":"a","bytes":5}]}`,
	} {
		entries := good(entry{name: "database.sql", content: "SELECT 1;"})
		if index != "" {
			entries = append(entries, entry{name: "database.index.json", content: index})
		}
		s, err := take(t, r, of("site", tarOf(t, entries...)), archive.Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list, err := r.ListStreams(t.Context(), s.ID, "database")
		if err != nil || len(list) != 1 || list[0].Name != "000-database.sql" || list[0].Size != 9 {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
}

// TestMemoryIsBounded exports and imports much more than may be held in memory.
func TestMemoryIsBounded(t *testing.T) {
	const files, each, mebibytes = 500, 1 << 20, 128
	r := newRepository(t)
	tree := repository.Tree{Blobs: map[string][]byte{"manifest.json": []byte("{}")}}
	for i := range files {
		open := func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(rand.NewChaCha8([32]byte{byte(i)}), each)), nil
		}
		tree.Streams = append(tree.Streams, repository.Stream{Name: fmt.Sprintf("files/www/%03d/upload.jpg", i), Open: open})
	}
	s, err := r.Snapshot(t.Context(), repository.SnapshotRequest{Source: site, First: tree})
	if err != nil {
		t.Fatal(err)
	}
	// The first reading of so much opens a second client, and to derive its key alone takes 64 MiB, whatever the site.
	export(t, r, s.ID, archive.TarZstd)
	peak := peakHeap(t)
	name, done := export(t, r, s.ID, archive.TarZstd)
	used := peak() >> 20
	t.Logf("exporting %d MiB: the heap grew by %d MiB", done.Bytes>>20, used)
	if used > mebibytes || done.Bytes != files*each {
		t.Errorf("the heap grew by %d MiB", used)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	source, err := archive.File(file)
	if err != nil {
		t.Fatal(err)
	}
	fresh := newRepository(t)
	peak = peakHeap(t)
	imported, err := take(t, fresh, source, archive.Limits{})
	used = peak() >> 20
	t.Logf("importing %d MiB: the heap grew by %d MiB", imported.Bytes>>20, used)
	if err != nil || used > mebibytes || imported.Files != files {
		t.Errorf("the heap grew by %d MiB for %+v, %v", used, imported, err)
	}
}

// peakHeap watches the heap until the function it returns is called, which says by how much it grew at most.
func peakHeap(t *testing.T) func() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	start, most := m.HeapAlloc, m.HeapAlloc
	ctx, cancel := context.WithCancel(t.Context())
	var watcher sync.WaitGroup
	watcher.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	})
	return func() uint64 { cancel(); watcher.Wait(); return most - start }
}
