package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"github.com/sitewright/sitewright/internal/generation"
)

// copiesAtOnce is how many directories are copied at the same time: making a file is mostly waiting.
const copiesAtOnce = 4

// treeCopy makes a directory equal to another one which is in use. Run again, it copies only what changed, and removes
// what vanished. Both ends are os.Roots: no link leads out of either.
type treeCopy struct {
	source, target *os.Root
	// leftOut are the paths not to copy, with all below them.
	leftOut map[string]bool
	report  func(done int64)

	done, skipped atomic.Int64
	// more is what further directories may be copied at the same time.
	more *semaphore.Weighted

	mu sync.Mutex
	// links are the names of files with several names, by inode. Such files are copied one at a time.
	links map[inode]string
}

type inode struct{ device, number uint64 }

func (t *treeCopy) run(ctx context.Context) error {
	t.links, t.more = map[inode]string{}, semaphore.NewWeighted(copiesAtOnce-1)
	return (&directoryCopy{tree: t, source: t.source, target: t.target, path: "."}).run(ctx)
}

// directoryCopy is one directory of a treeCopy. Its entries are opened from it, not from the top, which would open all the
// directories between anew for each of them.
type directoryCopy struct {
	tree           *treeCopy
	source, target *os.Root
	path           string // from the top
}

func (d *directoryCopy) run(ctx context.Context) error {
	if len(d.path) >= unix.PathMax {
		return fmt.Errorf("%.200s… is nested deeper than any program could open it", d.path)
	}
	entries, err := fs.ReadDir(d.source.FS(), ".")
	if err != nil {
		return fmt.Errorf("reading %s: %w", d.path, err)
	}
	there, err := d.removeOthers(entries)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, e := range entries {
		if d.tree.leftOut[path.Join(d.path, e.Name())] {
			continue
		}
		step := func() error { return d.entry(ctx, e.Name(), there[e.Name()]) }
		if e.IsDir() && d.tree.more.TryAcquire(1) {
			group.Go(func() error {
				defer d.tree.more.Release(1)
				return step()
			})
		} else if err := step(); err != nil {
			group.Go(func() error { return err })
			break
		}
	}
	return group.Wait()
}

// removeOthers removes what the source does not have any more, and returns the names of what else there is.
func (d *directoryCopy) removeOthers(entries []fs.DirEntry) (there map[string]bool, err error) {
	copies, err := fs.ReadDir(d.target.FS(), ".")
	if err != nil || len(copies) == 0 {
		return nil, err
	}
	wanted := make(map[string]bool, len(entries))
	for _, e := range entries {
		wanted[e.Name()] = !d.tree.leftOut[path.Join(d.path, e.Name())]
	}
	there = make(map[string]bool, len(copies))
	for _, e := range copies {
		if wanted[e.Name()] {
			there[e.Name()] = true
		} else if err := d.clear(e.Name()); err != nil {
			return nil, fmt.Errorf("removing the copy of %s: %w", path.Join(d.path, e.Name()), err)
		}
	}
	return there, nil
}

// clear removes a copy, with all below it.
func (d *directoryCopy) clear(name string) error {
	info, err := d.target.Lstat(name)
	if missing(err) {
		return nil
	}
	if err == nil && info.IsDir() {
		err = generation.Empty(d.target, name)
	}
	return errors.Join(err, d.target.Remove(name))
}

// entry brings the copy of an entry up to date. One that vanishes meanwhile has none.
func (d *directoryCopy) entry(ctx context.Context, name string, there bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := d.source.Lstat(name)
	if err == nil {
		var old fs.FileInfo
		if there {
			old, err = d.standing(name, info)
		}
		if err == nil {
			err = d.copy(ctx, name, info, old)
		}
	}
	if err != nil && !missing(err) {
		return fmt.Errorf("copying %s: %w", path.Join(d.path, name), err)
	}
	return nil
}

// standing is the copy that there is of an entry; nil if it was of another kind, and is gone.
func (d *directoryCopy) standing(name string, info fs.FileInfo) (fs.FileInfo, error) {
	old, err := d.target.Lstat(name)
	if err == nil && old.Mode().Type() != info.Mode().Type() {
		return nil, d.clear(name)
	}
	return old, err
}

func (d *directoryCopy) copy(ctx context.Context, name string, info, old fs.FileInfo) error {
	switch info.Mode().Type() {
	case fs.ModeDir:
		return d.directory(ctx, name, info, old)
	case 0:
		return d.file(name, info, old)
	case fs.ModeSymlink:
		return d.symlink(name, old)
	}
	d.tree.skipped.Add(1)
	return nil
}

func (d *directoryCopy) directory(ctx context.Context, name string, info, old fs.FileInfo) (err error) {
	below := directoryCopy{tree: d.tree, path: path.Join(d.path, name)}
	if below.source, err = d.source.OpenRoot(name); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, below.source.Close()) }()
	if old == nil {
		if err := d.target.Mkdir(name, 0o750); err != nil {
			return err
		}
	}
	if below.target, err = d.target.OpenRoot(name); err != nil {
		return err
	}
	if err := errors.Join(below.run(ctx), below.target.Close()); err != nil {
		return err
	}
	if err := d.target.Chmod(name, info.Mode().Perm()|0o700); err != nil {
		return err
	}
	return d.target.Chtimes(name, info.ModTime(), info.ModTime())
}

// symlink copies a link as it is. One that leads out stays one that leads out: it is not followed here, and the site
// could not have used it either, since nothing of it is there in its pod but /site.
func (d *directoryCopy) symlink(name string, old fs.FileInfo) error {
	to, err := d.source.Readlink(name)
	if err != nil {
		return err
	}
	if old != nil {
		if is, err := d.target.Readlink(name); err == nil && is == to {
			return nil
		}
		if err := d.target.Remove(name); err != nil {
			return err
		}
	}
	return d.target.Symlink(to, name)
}
