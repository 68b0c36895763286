package repository

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
)

// Entry is a stream or file of a snapshot.
type Entry struct {
	// Name is relative to the directory that was listed.
	Name string
	// Size is in bytes.
	Size int64
	// ModTime is the file's, or for a stream when the snapshot began.
	ModTime time.Time
}

// ListStreams lists the files directly in a directory of a snapshot, ordered by name.
func (r *Repository) ListStreams(ctx context.Context, id, dir string) ([]Entry, error) {
	m, err := r.loadFresh(ctx, id)
	if err != nil {
		return nil, err
	}
	e, err := find(ctx, r.direct, m, dir)
	if err != nil {
		return nil, err
	}
	children, err := readDir(ctx, r.direct, e)
	if err != nil {
		return nil, fmt.Errorf("list %s of snapshot %s: %w", dir, id, err)
	}
	var entries []Entry
	for _, c := range children {
		if c.Type == snapshot.EntryTypeFile {
			entries = append(entries, Entry{Name: c.Name, Size: c.FileSize, ModTime: c.ModTime.ToTime()})
		}
	}
	return entries, nil
}

// OpenStream reads a stream, blob or file of a snapshot. The caller closes it. Damage shows as ErrCorrupt while reading.
func (r *Repository) OpenStream(ctx context.Context, id, name string) (io.ReadCloser, error) {
	m, err := r.loadFresh(ctx, id)
	if err != nil {
		return nil, err
	}
	e, err := find(ctx, r.direct, m, name)
	if err != nil {
		return nil, err
	}
	if e.Type != snapshot.EntryTypeFile {
		return nil, fmt.Errorf("%s of snapshot %s is no file: %w", name, id, ErrNotFound)
	}
	client, err := r.forBulk(ctx, e.FileSize)
	if err != nil {
		return nil, err
	}
	return openFile(ctx, client, e)
}

// openFile opens a file's content and checks, at its end, that nothing is missing.
func openFile(ctx context.Context, rep repo.Repository, e *snapshot.DirEntry) (io.ReadCloser, error) {
	o, err := rep.OpenObject(ctx, e.ObjectID)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.Name, damage(err))
	}
	return &contentReader{Reader: o, name: e.Name, left: e.FileSize}, nil
}

type contentReader struct {
	object.Reader
	name string
	left int64
}

func (c *contentReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.left -= int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("read %s: %w", c.name, damage(err))
	case errors.Is(err, io.EOF) && c.left != 0, c.left < 0:
		return n, fmt.Errorf("read %s: %w: its size is not what the snapshot says", c.name, ErrCorrupt)
	}
	return n, err
}

// find walks from the root to name, "" being the root.
func find(ctx context.Context, rep repo.Repository, m *snapshot.Manifest, name string) (*snapshot.DirEntry, error) {
	e := m.RootEntry
	if e == nil {
		return nil, fmt.Errorf("snapshot %s has no content: %w", m.ID, ErrCorrupt)
	}
	for part := range strings.SplitSeq(strings.Trim(path.Clean("/"+name), "/"), "/") {
		if part == "" {
			continue
		}
		children, err := readDir(ctx, rep, e)
		if err != nil {
			return nil, fmt.Errorf("look for %s in snapshot %s: %w", name, m.ID, err)
		}
		i := slices.IndexFunc(children, func(c *snapshot.DirEntry) bool { return c.Name == part })
		if i < 0 {
			return nil, fmt.Errorf("%s of snapshot %s: %w", name, m.ID, ErrNotFound)
		}
		e = children[i]
	}
	return e, nil
}

// directoryStream marks a directory's object; see snapshot.DirManifest.
const directoryStream = "kopia:directory"

// readDir reads a directory of a snapshot, ordered by name. It exists beside Kopia's reader because that one replaces a
// directory's own modification time, and because names are hostile until checked: whoever can write to the repository
// could have put "../x" there.
func readDir(ctx context.Context, rep repo.Repository, e *snapshot.DirEntry) ([]*snapshot.DirEntry, error) {
	if e.Type != snapshot.EntryTypeDirectory {
		return nil, fmt.Errorf("%q is no directory: %w", e.Name, ErrNotFound)
	}
	o, err := rep.OpenObject(ctx, e.ObjectID)
	if err != nil {
		return nil, fmt.Errorf("open directory %q: %w", e.Name, damage(err))
	}
	defer o.Close()
	var d snapshot.DirManifest
	if err := json.NewDecoder(o).Decode(&d); err != nil {
		return nil, fmt.Errorf("read directory %q: %w", e.Name, damage(err))
	}
	if d.StreamType != directoryStream {
		return nil, fmt.Errorf("read directory %q: %w: it is a %q", e.Name, ErrCorrupt, d.StreamType)
	}
	for _, c := range d.Entries {
		c.Name = decodeName(c.Name)
	}
	slices.SortFunc(d.Entries, func(a, b *snapshot.DirEntry) int { return strings.Compare(a.Name, b.Name) })
	for i, c := range d.Entries {
		if c.Name == "" || c.Name == "." || c.Name == ".." || len(c.Name) > 255 || strings.ContainsAny(c.Name, "/\x00") {
			return nil, fmt.Errorf("directory %q: %w: it holds the name %q", e.Name, ErrCorrupt, c.Name)
		}
		if i > 0 && d.Entries[i-1].Name == c.Name {
			return nil, fmt.Errorf("directory %q: %w: it holds %q twice", e.Name, ErrCorrupt, c.Name)
		}
	}
	return d.Entries, nil
}
