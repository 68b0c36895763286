package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sitewright/sitewright/internal/generation"
)

// treeCopy makes a directory equal to another one which is in use. Run again, it copies only what changed, and removes
// what vanished. Both ends are os.Roots: no link leads out of either.
type treeCopy struct {
	source, target *os.Root
	// leftOut are the paths not to copy, with all below them.
	leftOut map[string]bool
	report  func(done int64)
	done    int64
	skipped int64
	// links are the names of files with several names, by inode.
	links map[inode]string
}

type inode struct{ device, number uint64 }

func (t *treeCopy) run(ctx context.Context) error {
	t.links = map[inode]string{}
	return t.directory(ctx, ".")
}

func (t *treeCopy) directory(ctx context.Context, dir string) error {
	entries, err := fs.ReadDir(t.source.FS(), dir)
	if missing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", dir, err)
	}
	wanted := make(map[string]bool, len(entries))
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if t.leftOut[name] {
			continue
		}
		wanted[e.Name()] = true
		if err := errors.Join(t.entry(ctx, name), ctx.Err()); err != nil && !missing(err) {
			return fmt.Errorf("copying %s: %w", name, err)
		}
	}
	return t.removeOthers(dir, wanted)
}

// removeOthers removes what the source does not have any more.
func (t *treeCopy) removeOthers(dir string, wanted map[string]bool) error {
	entries, err := fs.ReadDir(t.target.FS(), dir)
	if err != nil {
		return fmt.Errorf("reading the copy of %s: %w", dir, err)
	}
	for _, e := range entries {
		if wanted[e.Name()] {
			continue
		}
		if err := t.clear(path.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("removing the copy of %s: %w", path.Join(dir, e.Name()), err)
		}
	}
	return nil
}

func (t *treeCopy) clear(name string) error {
	info, err := t.target.Lstat(name)
	if missing(err) {
		return nil
	}
	if err == nil && info.IsDir() {
		err = generation.Empty(t.target, name)
	}
	return errors.Join(err, t.target.Remove(name))
}

func (t *treeCopy) entry(ctx context.Context, name string) error {
	info, err := t.source.Lstat(name)
	if err != nil {
		return err
	}
	old, err := t.target.Lstat(name)
	if err != nil && !missing(err) {
		return err
	}
	if err == nil && old.Mode().Type() != info.Mode().Type() {
		if err := t.clear(name); err != nil {
			return err
		}
		old = nil
	}
	if err != nil {
		old = nil
	}
	switch info.Mode().Type() {
	case fs.ModeDir:
		return t.subdirectory(ctx, name, info, old)
	case 0:
		return t.file(name, info, old)
	case fs.ModeSymlink:
		return t.symlink(name, old)
	}
	t.skipped++
	return nil
}

func (t *treeCopy) subdirectory(ctx context.Context, name string, info, old fs.FileInfo) error {
	if old == nil {
		if err := t.target.Mkdir(name, 0o750); err != nil {
			return err
		}
	}
	if err := t.directory(ctx, name); err != nil {
		return err
	}
	if err := t.target.Chmod(name, info.Mode().Perm()|0o700); err != nil {
		return err
	}
	return t.target.Chtimes(name, info.ModTime(), info.ModTime())
}

// symlink copies a link as it is. One that leads out stays one that leads out: it is not followed here, and the site
// could not have used it either, since nothing of it is there in its pod but /site.
func (t *treeCopy) symlink(name string, old fs.FileInfo) error {
	to, err := t.source.Readlink(name)
	if err != nil {
		return err
	}
	if old != nil {
		if is, err := t.target.Readlink(name); err == nil && is == to {
			return nil
		}
		if err := t.target.Remove(name); err != nil {
			return err
		}
	}
	return t.target.Symlink(to, name)
}

func (t *treeCopy) file(name string, info, old fs.FileInfo) error {
	t.done += info.Size()
	t.report(t.done)
	if old != nil && old.Size() == info.Size() && old.ModTime().Equal(info.ModTime()) && old.Mode() == info.Mode() {
		return nil
	}
	if linked, err := t.link(name, info); linked || err != nil {
		return err
	}
	in, err := t.source.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	temp := path.Join(path.Dir(name), ".sitewright-copy")
	if err := t.clear(temp); err != nil {
		return err
	}
	out, err := t.target.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) != nil {
		_, err = io.Copy(out, in) // copy_file_range where the kernel can.
	}
	if err = errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close()); err != nil {
		return err
	}
	if err := t.target.Chtimes(temp, info.ModTime(), info.ModTime()); err != nil {
		return err
	}
	return t.target.Rename(temp, name)
}

// link gives a copy the several names that its source has.
func (t *treeCopy) link(name string, info fs.FileInfo) (bool, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Nlink < 2 {
		return false, nil
	}
	key := inode{uint64(stat.Dev), stat.Ino} //nolint:unconvert // Its type differs between architectures.
	first, seen := t.links[key]
	if !seen {
		t.links[key] = name
		return false, nil
	}
	if err := t.clear(name); err != nil {
		return false, err
	}
	err := t.target.Link(strings.TrimPrefix(first, "/"), name)
	return err == nil, err
}
