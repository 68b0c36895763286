package agent

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// file copies a file, unless its copy is of the same size and time; those are set last, so a part of a file is no copy.
func (d *directoryCopy) file(name string, info, old fs.FileInfo) error {
	d.tree.report(d.tree.done.Add(info.Size()))
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		return d.linked(name, info, old, inode{uint64(stat.Dev), stat.Ino}) //nolint:unconvert // Its type differs between architectures.
	}
	return d.content(name, info, old)
}

// linked gives a copy the several names that its source has.
func (d *directoryCopy) linked(name string, info, old fs.FileInfo, key inode) error {
	t := d.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	full := path.Join(d.path, name)
	first, seen := t.links[key]
	if !seen {
		t.links[key] = full
		return d.content(name, info, old)
	}
	if old != nil {
		if other, err := t.target.Lstat(first); err == nil && os.SameFile(other, old) {
			return nil
		}
		if err := d.target.Remove(name); err != nil {
			return err
		}
	}
	err := t.target.Link(first, full)
	if missing(err) { // The first one vanished before it was copied.
		t.links[key] = full
		return d.content(name, info, nil)
	}
	return err
}

func (d *directoryCopy) content(name string, info, old fs.FileInfo) error {
	if old != nil && old.Size() == info.Size() && old.ModTime().Equal(info.ModTime()) && old.Mode() == info.Mode() {
		return nil
	}
	in, err := d.source.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	if old != nil { // It may have other names, under which it may not change.
		if err := d.target.Remove(name); err != nil {
			return err
		}
	}
	out, err := d.target.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) != nil {
		_, err = io.Copy(out, in) // copy_file_range where the kernel can.
	}
	if err = errors.Join(err, out.Chmod(info.Mode().Perm()), out.Close()); err != nil {
		return err
	}
	return d.target.Chtimes(name, info.ModTime(), info.ModTime())
}
