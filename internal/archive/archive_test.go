package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/volume"
)

var site = repository.Source{Namespace: "acme", Name: "blog", UID: "1234-abcd"}

// newRepository makes a repository in memory.
func newRepository(t *testing.T) *repository.Repository {
	t.Helper()
	s, err := volume.New(volume.Config{Path: storagetest.SmallDisk(t, 1<<30)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	o := repository.Options{Store: s, Password: "correct horse", StateDir: t.TempDir()}
	if err := repository.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r, err := repository.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// of is an archive in memory.
func of(name string, content []byte) archive.Source {
	return archive.Source{Name: name, Size: int64(len(content)), Open: func(_ context.Context, offset, length int64) (io.ReadCloser, error) {
		rest := content[offset:]
		if length >= 0 {
			rest = rest[:length]
		}
		return io.NopCloser(bytes.NewReader(rest)), nil
	}}
}

// entry is one entry of an archive; the zero type is a file.
type entry struct {
	name, content string
	kind          byte
	mode          int64
}

func tarOf(t testing.TB, entries ...entry) []byte {
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

func gzipped(t testing.TB, b []byte) []byte {
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

func zstandard(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func zipped(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(fs.FileMode(e.mode))
		switch e.kind {
		case tar.TypeSymlink:
			h.SetMode(fs.ModeSymlink | 0o777)
		case tar.TypeFifo:
			h.SetMode(fs.ModeNamedPipe | 0o644)
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

// own makes an archive one of our own, and take imports it.
func own(manifest []byte) ([]byte, string, error) { return manifest, "/site", nil }

func take(t *testing.T, r *repository.Repository, s archive.Source, limits archive.Limits) (repository.Snapshot, error) {
	t.Helper()
	return archive.Import(t.Context(), r, s, archive.Request{Source: site, Limits: limits}, func(ctx context.Context, tree *archive.Tree) (*archive.Layout, error) {
		l, err := tree.Own(ctx, own)
		if l == nil && err == nil {
			err = &archive.Refusal{Reason: "it is of no shape that this test knows"}
		}
		return l, err
	})
}

func export(t *testing.T, r *repository.Repository, id string, f archive.Format) (string, archive.Exported) {
	t.Helper()
	name := t.TempDir() + "/site"
	w, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	done, err := archive.Export(t.Context(), r, id, w, archive.ExportOptions{Format: f})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name, done
}
