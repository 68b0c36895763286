package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// entry is one entry of an archive; the zero type is a file.
type entry struct {
	name, content string
	kind          byte
	mode          int64
}

func tarOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: e.mode}
		switch e.kind {
		case 0:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.content))
		case tar.TypeSymlink, tar.TypeLink:
			h.Linkname = e.content
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte(e.content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t *testing.T, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func zipped(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(fs.FileMode(e.mode))
		if e.kind == tar.TypeSymlink {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unpack unpacks into <dir>/dest and returns dir.
func unpack(t *testing.T, archive []byte, o Options) (string, Stats, error) {
	t.Helper()
	dir := t.TempDir()
	dest := filepath.Join(dir, "dest")
	if err := os.Mkdir(dest, 0o755); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "archive.bin") // Its name tells nothing.
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root, err := os.OpenRoot(dest)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	stats, err := Unpack(t.Context(), f, root, o)
	return dir, stats, err
}

func TestUnpack(t *testing.T) {
	entries := []entry{
		{name: "app-1/", kind: tar.TypeDir, mode: 0o700}, {name: "app-1/a.php", content: "first", mode: 0o600},
		{name: "app-1/bin/run", content: "#!", mode: 0o4711}, {name: "./app-1/deep/er/b", content: "b"},
		{name: "app-1/link", content: "deep/er/../er/b", kind: tar.TypeSymlink},
	}
	entries[4].content = "deep/er/b"
	withLinks := append(append([]entry{}, entries...), entry{name: "app-1/deep/up", content: "../a.php", kind: tar.TypeSymlink},
		entry{name: "app-1/hard", content: "app-1/a.php", kind: tar.TypeLink}, entry{name: "app-1/a.php", content: "second"})
	for name, archive := range map[string][]byte{
		"tar": tarOf(t, withLinks...), "tar.gz": gzipped(t, tarOf(t, withLinks...)), "tar.zst": zstandard(t, tarOf(t, withLinks...)),
		"zip": zipped(t, entries[1], entries[2], entries[3], entries[4]),
	} {
		dir, stats, err := unpack(t, archive, Options{StripComponents: 1})
		if err != nil || stats.Files < 4 {
			t.Errorf("%s: %+v, %v", name, stats, err)
			continue
		}
		for file, want := range map[string]fs.FileMode{"a.php": 0o644, "bin/run": 0o755, "deep": 0o755 | fs.ModeDir} {
			info, err := os.Stat(filepath.Join(dir, "dest", file))
			if err != nil || info.Mode() != want {
				t.Errorf("%s: %s: %v, %v, want mode %v", name, file, info, err, want)
			}
		}
		if b, err := os.ReadFile(filepath.Join(dir, "dest/link")); err != nil || string(b) != "b" {
			t.Errorf("%s: through the link: %q, %v", name, b, err)
		}
	}
}

func TestHostileArchives(t *testing.T) {
	big := strings.Repeat("\x00", 8<<20)
	for name, entries := range map[string][]entry{
		"climbs":              {{name: "../evil", content: "x"}},
		"climbs inside":       {{name: "a/../../evil", content: "x"}},
		"climbs in the strip": {{name: "../dest/evil", content: "x"}},
		"absolute":            {{name: "/tmp/evil", content: "x"}},
		"backslash":           {{name: `..\evil`, content: "x"}},
		"link out":            {{name: "l", content: "..", kind: tar.TypeSymlink}, {name: "l/evil", content: "x"}},
		"link absolute":       {{name: "l", content: "/etc/passwd", kind: tar.TypeSymlink}},
		"through a link":      {{name: "d/x", content: "x"}, {name: "l", content: "d", kind: tar.TypeSymlink}, {name: "l/evil", content: "x"}},
		"links that add up": {{name: "a/b/c", content: "x"}, {name: "a/p", content: "b", kind: tar.TypeSymlink},
			{name: "q", content: "a/p/../../..", kind: tar.TypeSymlink}},
		"hard link out":     {{name: "h", content: "../archive.bin", kind: tar.TypeLink}},
		"hard link nowhere": {{name: "h", content: "nothing", kind: tar.TypeLink}},
		"hard link to link": {{name: "d/x", content: "x"}, {name: "l", content: "d", kind: tar.TypeSymlink}, {name: "h", content: "l", kind: tar.TypeLink}},
		"device":            {{name: "null", kind: tar.TypeChar}},
		"pipe":              {{name: "pipe", kind: tar.TypeFifo}},
		"file as directory": {{name: "a", content: "x"}, {name: "a/b", content: "x"}},
		"directory as file": {{name: "a/b", content: "x"}, {name: "a", content: "x"}},
		"empty":             {},
	} {
		dir, _, err := unpack(t, gzipped(t, tarOf(t, entries...)), Options{})
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(filepath.Join(dir, "evil")); err == nil {
			t.Errorf("%s: wrote outside", name)
		}
	}
	many := make([]entry, 101)
	for i := range many {
		many[i] = entry{name: strings.Repeat("d", i+1), content: "x"}
	}
	whole := gzipped(t, tarOf(t, entry{name: "a", content: strings.Repeat("some text ", 1000)}))
	for name, c := range map[string]struct {
		archive []byte
		o       Options
	}{
		"too many":      {gzipped(t, tarOf(t, many...)), Options{MaxEntries: 100}},
		"too large":     {gzipped(t, tarOf(t, entry{name: "a", content: big})), Options{MaxBytes: 1 << 20}},
		"bomb":          {gzipped(t, tarOf(t, repeat("a", big, 10)...)), Options{}},
		"zip bomb":      {zipped(t, repeat("a", big, 10)...), Options{}},
		"zip climbs":    {zipped(t, entry{name: "../evil", content: "x"}), Options{}},
		"zip link out":  {zipped(t, entry{name: "l", content: "../..", kind: tar.TypeSymlink}), Options{}},
		"cut":           {whole[:len(whole)/2], Options{}},
		"cut at end":    {whole[:len(whole)-4], Options{}},
		"no archive":    {[]byte("<html>not found</html>"), Options{}},
		"nothing":       {nil, Options{}},
		"strips it all": {whole, Options{StripComponents: 3}},
	} {
		if _, _, err := unpack(t, c.archive, c.o); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func repeat(name, content string, n int) []entry {
	var entries []entry
	for i := range n {
		entries = append(entries, entry{name: name + strings.Repeat("x", i), content: content})
	}
	return entries
}
