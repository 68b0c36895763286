package volume

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/sitewright/sitewright/internal/storage"
)

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	f, size, err := s.open(name)
	if err != nil {
		return nil, s.errorOf("get", name, err)
	}
	n, err := storage.CheckRange(offset, length, size)
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, s.errorOf("get", name, errors.Join(err, f.Close()))
	}
	r := storage.ExactReader(io.LimitReader(&contextReader{ctx, f}, n), n)
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

func (s *Store) open(name string) (*os.File, int64, error) {
	// O_NONBLOCK so that a named pipe planted in the directory cannot hang the reader.
	f, err := s.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// Stat implements storage.Store.
func (s *Store) Stat(_ context.Context, name string) (storage.Info, error) {
	if err := s.check(name); err != nil {
		return storage.Info{}, err
	}
	info, err := s.root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return storage.Info{}, s.errorOf("stat", name, err)
	}
	return storage.Info{Name: name, Size: info.Size(), ModTime: info.ModTime()}, nil
}

// List implements storage.Store. It reads only directories that can hold a match, and never the temporary one.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		dir := "."
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			dir = prefix[:i]
		}
		if !fs.ValidPath(dir) {
			return
		}
		if _, err := s.walk(ctx, dir, prefix, yield); err != nil {
			yield(storage.Info{}, s.errorOf("list", prefix, err))
		}
	}
}

// walk yields the matches below dir; it returns false when the consumer wants no more.
func (s *Store) walk(ctx context.Context, dir, prefix string, yield func(storage.Info, error) bool) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	entries, err := fs.ReadDir(s.root.FS(), dir)
	if err != nil {
		if missing(err) && dir != "." {
			return true, nil
		}
		return false, err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			reachable := strings.HasPrefix(name+"/", prefix) || strings.HasPrefix(prefix, name+"/")
			if !reachable || name == tempDir {
				continue
			}
			if more, err := s.walk(ctx, name, prefix, yield); err != nil || !more {
				return false, err
			}
			continue
		}
		if !strings.HasPrefix(name, prefix) || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if missing(err) {
			continue // Deleted since the directory was read.
		}
		if err != nil {
			return false, err
		}
		if !yield(storage.Info{Name: name, Size: info.Size(), ModTime: info.ModTime()}, nil) {
			return false, nil
		}
	}
	return true, nil
}

func (s *Store) check(name string) error {
	if err := storage.CheckName(name); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if name == tempDir || strings.HasPrefix(name, tempDir+"/") {
		return fmt.Errorf("%s: %w: %q is reserved", s.name, storage.ErrInvalidName, name)
	}
	return nil
}

func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func (s *Store) containerError(err error) error {
	if !missing(err) {
		return s.errorOf("connect", "", err)
	}
	return &storage.Error{Op: "connect", Store: s.name, Kind: storage.ErrNoContainer, Err: err,
		Hint: "mount the volume there, or correct the path"}
}

func (s *Store) errorOf(op, name string, err error) error {
	e := &storage.Error{Op: op, Store: s.name, Name: name, Err: err}
	switch {
	case errors.Is(err, storage.ErrInvalidRange):
		e.Kind = storage.ErrInvalidRange
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Kind, e.Hint = storage.ErrFull, "make the volume larger or delete old backups"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EROFS):
		e.Kind, e.Hint = storage.ErrDenied, "let the agent's user write to the volume"
	case errors.Is(err, syscall.ESTALE), errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, syscall.EHOSTDOWN):
		e.Kind, e.Hint = storage.ErrUnreachable, "check the server behind the mounted volume"
	case missing(err) && (op == "list" || op == "put"):
		e.Kind, e.Hint = storage.ErrNoContainer, "mount the volume again"
	case missing(err):
		e.Kind = storage.ErrNotFound
	}
	return e
}
