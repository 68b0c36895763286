package sftp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/filetree"
)

// readAhead is fetched at a time, by requests that run side by side.
const readAhead = 1 << 20

// session implements filetree.Session. The library knows no contexts: when one ends, the connection is closed under it.
type session struct {
	conn  *heardConn
	ssh   *ssh.Client
	files *sftp.Client
	dir   string
	once  sync.Once
	ended chan struct{}
}

// guard runs what cannot be canceled.
func (c *session) guard(ctx context.Context, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	err := run()
	if !stop() && ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	return err
}

func (c *session) path(name string) string { return path.Join(c.dir, name) }

// Alive implements filetree.Session.
func (c *session) Alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, storage.DialTimeout)
	defer cancel()
	return c.guard(ctx, func() error {
		_, err := c.files.Getwd()
		return err
	}) == nil
}

// Write implements filetree.Session. What was written is on the server's disk when it returns, where the server can do that.
func (c *session) Write(ctx context.Context, name string, r io.Reader, _ int64) error {
	return c.guard(ctx, func() error {
		f, err := c.files.OpenFile(c.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		if err != nil {
			return err
		}
		_, err = f.ReadFromWithConcurrency(r, requests)
		if version, _ := c.files.HasExtension("fsync@openssh.com"); version == "1" && err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return c.full(name, err)
		}
		return nil
	})
}

const (
	// roomNeeded is the free space below which an unspecific failure to write is taken for a full disk.
	roomNeeded = 1 << 20
	// probeSize is more than a block of any file system.
	probeSize = 64 << 10
)

// full finds out whether a write failed for want of room, for which version 3 of the protocol has no code: the disk has no
// free space or, as where a quota is used up or the server does not tell, a few bytes beside the broken file fail as well.
func (c *session) full(name string, err error) error {
	status, ok := errors.AsType[*sftp.StatusError](err)
	if !ok || status.FxCode() != sftp.ErrSSHFxFailure {
		return err
	}
	if _, can := c.files.HasExtension("statvfs@openssh.com"); can {
		if room, statErr := c.files.StatVFS(c.path(path.Dir(name))); statErr == nil && room.Bavail*room.Frsize < roomNeeded {
			return fmt.Errorf("%w: %w", storage.ErrFull, err)
		}
	}
	probe := c.path(name) + ".room"
	f, openErr := c.files.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if openErr == nil {
		_, openErr = f.Write(make([]byte, probeSize))
		openErr = errors.Join(openErr, f.Close())
	}
	_ = c.files.Remove(probe) // It may not be there.
	if status, ok := errors.AsType[*sftp.StatusError](openErr); ok && status.FxCode() == sftp.ErrSSHFxFailure {
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	}
	return err
}

// Open implements filetree.Session.
func (c *session) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	var b *body
	err := c.guard(ctx, func() error {
		f, err := c.files.Open(c.path(name))
		if err != nil {
			return c.absent(name, err)
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = fs.ErrNotExist
		}
		var n int64
		if err == nil {
			n, err = storage.CheckRange(offset, length, info.Size())
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
		section := bufio.NewReaderSize(io.NewSectionReader(f, offset, n), int(min(n, readAhead)))
		b = &body{r: storage.ExactReader(section, n), file: f, ctx: ctx}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.stop = context.AfterFunc(ctx, func() { c.conn.Close() })
	return b, nil
}

// absent finds out whether an error came from a path that leads through a file, for which the protocol has no code.
func (c *session) absent(name string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if info, statErr := c.files.Stat(c.path(dir)); statErr == nil && !info.IsDir() {
			return fmt.Errorf("%w: %s is no directory", fs.ErrNotExist, dir)
		}
	}
	return err
}

// body reads one range.
type body struct {
	r    io.Reader
	file *sftp.File
	ctx  context.Context
	stop func() bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() != nil {
		err = b.ctx.Err()
	}
	return n, err
}

func (b *body) Close() error {
	defer b.stop()
	return b.file.Close()
}

// Stat implements filetree.Session.
func (c *session) Stat(ctx context.Context, name string) (e filetree.Entry, err error) {
	err = c.guard(ctx, func() error {
		info, err := c.files.Stat(c.path(name))
		if err == nil {
			e = entry(info)
		}
		return c.absent(name, err)
	})
	return e, err
}

func entry(info fs.FileInfo) filetree.Entry {
	return filetree.Entry{Name: info.Name(), Size: info.Size(), ModTime: info.ModTime(), Mode: info.Mode().Type()}
}

// ReadDir implements filetree.Session.
func (c *session) ReadDir(ctx context.Context, name string) (entries []filetree.Entry, err error) {
	err = c.guard(ctx, func() error {
		infos, err := c.files.ReadDirContext(ctx, c.path(name))
		for _, info := range infos {
			entries = append(entries, entry(info))
		}
		return err
	})
	return entries, err
}

// Rename implements filetree.Session.
func (c *session) Rename(ctx context.Context, from, to string) error {
	return c.guard(ctx, func() error {
		if _, can := c.files.HasExtension("posix-rename@openssh.com"); can {
			return c.files.PosixRename(c.path(from), c.path(to))
		}
		// The protocol's own rename refuses a name that is taken. Another writer may take it again at once.
		err := c.files.Rename(c.path(from), c.path(to))
		for tries := 0; err != nil && tries < renames; tries++ {
			old, statErr := c.files.Lstat(c.path(to))
			if statErr != nil || !old.Mode().IsRegular() {
				return err
			}
			if err := c.files.Remove(c.path(to)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			err = c.files.Rename(c.path(from), c.path(to))
		}
		return err
	})
}

// renames is how often a name is cleared for a file that is to have it.
const renames = 10

// Remove implements filetree.Session.
func (c *session) Remove(ctx context.Context, name string) error {
	return c.guard(ctx, func() error { return c.absent(name, c.files.Remove(c.path(name))) })
}

// Mkdir implements filetree.Session.
func (c *session) Mkdir(ctx context.Context, name string) error {
	return c.guard(ctx, func() error {
		if name == "." {
			return c.files.MkdirAll(c.path(name))
		}
		err := c.files.Mkdir(c.path(name))
		if err == nil {
			return nil
		}
		if info, statErr := c.files.Stat(c.path(name)); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	})
}

// Close implements filetree.Session. The connection goes without waiting for the server's consent.
func (c *session) Close() error {
	c.once.Do(func() { close(c.ended) })
	err := c.conn.Close()
	_ = c.ssh.Close() // ends the library's goroutines; the connection is closed already
	_ = c.files.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
