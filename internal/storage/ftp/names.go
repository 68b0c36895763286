package ftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/textproto"
	"path"
	"strings"

	"github.com/jlaffaye/ftp"

	"github.com/sitewright/sitewright/internal/storage/filetree"
)

// Stat implements filetree.Session.
func (c *session) Stat(ctx context.Context, name string) (e filetree.Entry, err error) {
	err = c.guard(ctx, func() error {
		e, err = c.stat(name)
		return err
	})
	return e, err
}

func (c *session) stat(name string) (filetree.Entry, error) {
	if !c.ftp.IsTimePreciseInList() {
		return c.statPlain(name)
	}
	found, err := c.ftp.GetEntry(c.path(name))
	if unavailable(err) {
		return filetree.Entry{}, fmt.Errorf("%w: %w", errMissing, err)
	}
	if err != nil {
		return filetree.Entry{}, err
	}
	return entry(found), nil
}

// statPlain asks a server that does not know MLST: only files have a size, and only directories can be entered.
func (c *session) statPlain(name string) (filetree.Entry, error) {
	e := filetree.Entry{Name: path.Base(name)}
	size, err := c.ftp.FileSize(c.path(name))
	if err == nil {
		e.Size = size
		e.ModTime, err = c.ftp.GetTime(c.path(name))
		return e, err
	}
	if !unavailable(err) {
		return e, err
	}
	if enterErr := c.ftp.ChangeDir(c.path(name)); enterErr != nil {
		return e, fmt.Errorf("%w: %w", errMissing, err)
	}
	e.Mode = fs.ModeDir
	return e, c.ftp.ChangeDir(c.home)
}

func entry(found *ftp.Entry) filetree.Entry {
	e := filetree.Entry{Name: path.Base(found.Name), Size: int64(min(found.Size, 1<<62)), ModTime: found.Time}
	switch found.Type {
	case ftp.EntryTypeFolder:
		e.Mode, e.Size = fs.ModeDir, 0
	case ftp.EntryTypeLink:
		e.Mode = fs.ModeSymlink
	}
	return e
}

// ReadDir implements filetree.Session. The directory is entered first: what a listing command takes may be a pattern.
func (c *session) ReadDir(ctx context.Context, name string) (entries []filetree.Entry, err error) {
	err = c.guard(ctx, func() error {
		if err := c.ftp.ChangeDir(c.path(name)); err != nil {
			return c.because(name, err)
		}
		found, err := c.ftp.List("")
		if err != nil {
			return c.because(".", errors.Join(err, c.ftp.ChangeDir(c.home)))
		}
		for _, f := range found {
			if f.Name != "." && f.Name != ".." && !strings.Contains(f.Name, "/") {
				entries = append(entries, entry(f))
			}
		}
		return c.ftp.ChangeDir(c.home)
	})
	return entries, err
}

// Rename implements filetree.Session. A server that refuses to replace a file has it removed first.
func (c *session) Rename(ctx context.Context, from, to string) error {
	return c.guard(ctx, func() error {
		err := c.ftp.Rename(c.path(from), c.path(to))
		if !unavailable(err) {
			return err
		}
		if old, statErr := c.stat(to); statErr == nil && old.Mode.IsRegular() {
			if err := c.ftp.Delete(c.path(to)); err != nil {
				return c.because(to, err)
			}
			return c.ftp.Rename(c.path(from), c.path(to))
		}
		return c.because(path.Dir(to), err)
	})
}

// Remove implements filetree.Session.
func (c *session) Remove(ctx context.Context, name string) error {
	return c.guard(ctx, func() error { return c.because(name, c.ftp.Delete(c.path(name))) })
}

// Mkdir implements filetree.Session. The location's own directory is made with those above it.
func (c *session) Mkdir(ctx context.Context, name string) error {
	return c.guard(ctx, func() error {
		if name == "." {
			return c.makeAll(c.path("."))
		}
		return c.makeOne(name, c.path(name))
	})
}

func (c *session) makeOne(name, full string) error {
	err := c.ftp.MakeDir(full)
	if !unavailable(err) && !refusedAsExisting(err) {
		return err
	}
	if e, statErr := c.stat(name); statErr == nil && e.Mode.IsDir() {
		return nil
	}
	return c.because(path.Dir(name), err)
}

// refusedAsExisting is 521, which RFC 775 and some servers give for a directory that exists.
func refusedAsExisting(err error) bool {
	reply, ok := errors.AsType[*textproto.Error](err)
	return ok && reply.Code == 521
}

// makeAll makes a directory that can be entered, from the outermost missing one on.
func (c *session) makeAll(dir string) error {
	if err := c.ftp.ChangeDir(dir); err == nil {
		return c.ftp.ChangeDir(c.home)
	} else if !unavailable(err) {
		return err
	}
	if parent := path.Dir(dir); parent != dir && parent != "." {
		if err := c.makeAll(parent); err != nil {
			return err
		}
	}
	if err := c.ftp.MakeDir(dir); err != nil {
		return fmt.Errorf("make directory %s: %w: %w", dir, errForbidden, err)
	}
	return nil
}
