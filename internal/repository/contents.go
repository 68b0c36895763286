package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/snapshot"
)

// Item is a file, directory or symbolic link of a snapshot.
type Item struct {
	// Name is relative to the directory that is walked, with '/' between its parts.
	Name string
	// Mode is the type and the permission bits.
	Mode     os.FileMode
	ModTime  time.Time
	UID, GID uint32
	// Size of a file in bytes.
	Size int64
	// Link is a symbolic link's target, which may be anything.
	Link string
	// Open reads a file; nil for everything else. It may be called once, before visit returns.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Walk calls visit for everything below a directory of a snapshot ("" for all of it): a directory before what is in it,
// otherwise in the order of names, so that the same snapshot is always told in the same order. It holds one directory per
// level in memory. An error of visit ends the walk and is returned as it is.
func (r *Repository) Walk(ctx context.Context, id, dir string, visit func(Item) error) error {
	m, err := r.loadFresh(ctx, id)
	if err != nil {
		return err
	}
	e, err := find(ctx, r.direct, m, dir)
	if err != nil {
		return err
	}
	t := &teller{rep: r.direct, data: r.direct, id: id, visit: visit}
	if s := e.DirSummary; s != nil {
		if t.data, err = r.forBulk(ctx, s.TotalFileSize); err != nil {
			return err
		}
	}
	return t.dir(ctx, e, "")
}

// teller is one walk.
type teller struct {
	rep   repo.Repository // for directories and links
	data  repo.Repository // for contents of files
	id    string
	visit func(Item) error
}

func (t *teller) dir(ctx context.Context, d *snapshot.DirEntry, at string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	children, err := readDir(ctx, t.rep, d)
	if err != nil {
		return fmt.Errorf("list %q of snapshot %s: %w", at, t.id, err)
	}
	for _, c := range children {
		item := Item{Name: strings.TrimPrefix(at+"/"+c.Name, "/"), ModTime: time.Unix(0, int64(c.ModTime)),
			UID: c.UserID, GID: c.GroupID, Mode: fileMode(c)}
		switch c.Type {
		case snapshot.EntryTypeDirectory:
			item.Mode |= os.ModeDir
		case snapshot.EntryTypeFile:
			item.Size = c.FileSize
			item.Open = func(ctx context.Context) (io.ReadCloser, error) { return openFile(ctx, t.data, c) }
		case snapshot.EntryTypeSymlink:
			item.Mode |= os.ModeSymlink
			if item.Link, err = readLink(ctx, t.rep, c); err != nil {
				return fmt.Errorf("%s of snapshot %s: %w", item.Name, t.id, err)
			}
		default:
			return fmt.Errorf("%s of snapshot %s: %w: unknown type %q", item.Name, t.id, ErrCorrupt, c.Type)
		}
		if err := t.visit(item); err != nil {
			return err
		}
		if c.Type == snapshot.EntryTypeDirectory {
			if err := t.dir(ctx, c, item.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// readLink reads a symbolic link's target.
func readLink(ctx context.Context, rep repo.Repository, e *snapshot.DirEntry) (string, error) {
	if e.FileSize > maxLink {
		return "", fmt.Errorf("%w: a link of %d bytes", ErrCorrupt, e.FileSize)
	}
	r, err := openFile(ctx, rep, e)
	if err != nil {
		return "", err
	}
	target, err := io.ReadAll(io.LimitReader(r, maxLink+1))
	return string(target), errors.Join(err, r.Close())
}
