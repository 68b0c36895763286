// Package volume keeps objects as files below a directory, normally a mounted PersistentVolume.
package volume

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

// tempDir holds files that are being written. It lies beside the objects because a rename must not cross file systems.
const tempDir = ".sitewright-tmp"

// staleAfter is the age at which a temporary file belongs to a put that was killed: its modification time moves with
// every write, and no put pauses for an hour.
const staleAfter = time.Hour

const (
	dirMode  = 0o700
	fileMode = 0o600
)

// Config says where the objects lie.
type Config struct {
	// Path is a directory that exists: the mount point. A missing one is ErrNoContainer, since creating it would hide
	// that the volume is not mounted.
	Path string
	// Prefix is a directory below Path for this store, made when absent; empty means Path itself.
	Prefix string
}

// Store is a storage.Store on a file system. Objects become visible by rename after they were synced to disk.
type Store struct {
	root *os.Root
	name string
}

var _ storage.FileTree = (*Store)(nil)

// New opens the directory and removes temporary files that killed puts left an hour or more ago.
// Names cannot leave the directory, not even over symbolic links in it.
func New(c Config) (*Store, error) {
	s := &Store{name: "volume " + filepath.Join(c.Path, c.Prefix)}
	if c.Prefix != "" {
		if err := storage.CheckName(strings.Trim(c.Prefix, "/")); err != nil {
			return nil, fmt.Errorf("prefix of %s: %w", s.name, err)
		}
	}
	base, err := os.OpenRoot(c.Path)
	if err != nil {
		return nil, s.containerError(err)
	}
	defer base.Close()
	prefix := "."
	if c.Prefix != "" {
		prefix = strings.Trim(c.Prefix, "/")
		if err := base.MkdirAll(prefix, dirMode); err != nil {
			return nil, s.errorOf("connect", "", err)
		}
	}
	if s.root, err = base.OpenRoot(prefix); err != nil {
		return nil, s.containerError(err)
	}
	s.removeStale()
	return s, nil
}

// String names the directory.
func (s *Store) String() string { return s.name }

// FileTree marks the store as files in directories.
func (s *Store) FileTree() {}

// Close releases the directory.
func (s *Store) Close() error { return s.root.Close() }

// Put implements storage.Store: a temporary file, synced, then renamed, then the directory synced.
func (s *Store) Put(ctx context.Context, name string, r io.Reader, size int64) error {
	if err := s.check(name); err != nil {
		return err
	}
	temp, err := s.writeTemp(ctx, r, size)
	if err == nil {
		err = s.publish(temp, name)
	}
	if err != nil {
		if temp != "" {
			err = errors.Join(err, s.removeTemp(temp))
		}
		return s.errorOf("put", name, err)
	}
	return nil
}

func (s *Store) writeTemp(ctx context.Context, r io.Reader, size int64) (string, error) {
	temp := path.Join(tempDir, rand.Text())
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.root.MkdirAll(tempDir, dirMode); err == nil {
			f, err = s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		}
	}
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, storage.ExactReader(&contextReader{ctx, r}, size))
	if err == nil {
		err = f.Sync()
	}
	return temp, errors.Join(err, f.Close())
}

func (s *Store) publish(temp, name string) error {
	dir := path.Dir(name)
	if err := s.root.Rename(temp, name); errors.Is(err, fs.ErrNotExist) {
		// A directory made here is empty until the rename; its own entry is synced with its parent's below.
		if err := s.root.MkdirAll(dir, dirMode); err != nil {
			return err
		}
		if err := s.root.Rename(temp, name); err != nil {
			return err
		}
		for parent := dir; parent != "."; parent = path.Dir(parent) {
			if err := s.syncDir(path.Dir(parent)); err != nil {
				return err
			}
		}
	} else if err != nil {
		return err
	}
	return s.syncDir(dir)
}

func (s *Store) syncDir(dir string) error {
	f, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	// Network file systems answer EINVAL when a directory cannot be synced; the server did it with the rename.
	if err = f.Sync(); errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

func (s *Store) removeTemp(temp string) error {
	if err := s.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Delete implements storage.Store. Directories that became empty stay: a put may be about to use them.
func (s *Store) Delete(_ context.Context, name string) error {
	if err := s.check(name); err != nil {
		return err
	}
	if err := s.root.Remove(name); err != nil && !missing(err) {
		return s.errorOf("delete", name, err)
	}
	return nil
}

// removeStale is best effort: a leftover costs room, not correctness, and the next opening tries again.
func (s *Store) removeStale() {
	entries, err := fs.ReadDir(s.root.FS(), tempDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = s.removeTemp(path.Join(tempDir, e.Name()))
		}
	}
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
