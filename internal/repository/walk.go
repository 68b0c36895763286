package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
	"golang.org/x/sync/errgroup"
)

// walk follows a snapshot.
type walk struct {
	rep    repo.DirectRepository
	listed map[blob.ID]int64
	full   bool
	report *reporter

	mu       sync.Mutex
	seen     map[blob.ID]bool
	objects  int
	problems []error
}

// maxProblems bounds the error of a thoroughly damaged snapshot.
const maxProblems = 10

func (w *walk) run(ctx context.Context, m *snapshot.Manifest, parallel int) error {
	if m.RootEntry == nil {
		return fmt.Errorf("%w: the snapshot has no content", ErrCorrupt)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	done := map[object.ID]bool{}
	err := w.dir(ctx, g, done, m.RootEntry, "")
	if waitErr := g.Wait(); waitErr != nil {
		return waitErr // It may be why the directories stopped.
	}
	return errors.Join(append(w.problems, err)...)
}

// dir checks a directory here and the files in it in the group. Only an error that ends the walk is returned.
func (w *walk) dir(ctx context.Context, g *errgroup.Group, done map[object.ID]bool, d *snapshot.DirEntry, at string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.object(ctx, d.ObjectID); err != nil {
		return w.judge(at, err)
	}
	children, err := readDir(ctx, w.rep, d)
	if err != nil {
		return w.judge(at, err)
	}
	w.count(0)
	for _, c := range children {
		name := strings.TrimPrefix(at+"/"+c.Name, "/")
		switch {
		case done[c.ObjectID]:
			w.count(c.FileSize)
		case c.Type == snapshot.EntryTypeDirectory:
			if err := w.dir(ctx, g, done, c, name); err != nil {
				return err
			}
		case c.Type == snapshot.EntryTypeFile, c.Type == snapshot.EntryTypeSymlink:
			g.Go(func() error { return w.judge(name, w.file(ctx, c)) })
		default:
			w.problem(fmt.Errorf("%s: %w: unknown type %q", name, ErrCorrupt, c.Type))
		}
		done[c.ObjectID] = true
	}
	return nil
}

func (w *walk) file(ctx context.Context, e *snapshot.DirEntry) error {
	if err := w.object(ctx, e.ObjectID); err != nil {
		return err
	}
	if w.full {
		r, err := openFile(ctx, w.rep, e)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	w.count(e.FileSize)
	return nil
}

// object looks up the blobs that hold an object.
func (w *walk) object(ctx context.Context, id object.ID) error {
	contents, err := w.rep.VerifyObject(ctx, id)
	if err != nil {
		return damage(err)
	}
	for _, c := range contents {
		info, err := w.rep.ContentInfo(ctx, c)
		if err != nil {
			return damage(err)
		}
		size, there := w.listed[info.PackBlobID]
		if !there {
			return fmt.Errorf("%w: blob %s is missing", ErrCorrupt, info.PackBlobID)
		}
		if end := int64(info.PackOffset) + int64(info.PackedLength); size < end {
			return fmt.Errorf("%w: blob %s has %d bytes and needs %d", ErrCorrupt, info.PackBlobID, size, end)
		}
		w.mu.Lock()
		w.seen[info.PackBlobID] = true
		w.mu.Unlock()
	}
	return nil
}

// judge keeps damage for the report and returns what must end the walk.
func (w *walk) judge(name string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", name, err)
	if !errors.Is(err, ErrCorrupt) {
		return err
	}
	w.problem(err)
	return nil
}

func (w *walk) problem(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.problems) < maxProblems {
		w.problems = append(w.problems, err)
	}
}

func (w *walk) count(bytes int64) {
	w.mu.Lock()
	w.objects++
	w.mu.Unlock()
	w.report.add(1, bytes)
}
