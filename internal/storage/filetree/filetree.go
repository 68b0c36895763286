// Package filetree makes a storage.Store of any server that keeps files in directories: FTP, SFTP, WebDAV. A protocol
// says how to log in and how to do seven things with paths; this package does the rest, once for all of them: puts that
// are atomic, retries, connections that are used again, listings, and errors in the words of package storage.
package filetree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

// Entry is what a directory holds under one name.
type Entry struct {
	// Name without a directory.
	Name string
	// Size in bytes; 0 for directories.
	Size int64
	// ModTime by the server's clock.
	ModTime time.Time
	// Mode tells regular files and directories from each other and from everything else. Permissions do not matter.
	Mode fs.FileMode
}

// Session is a login to a server. One goroutine at a time uses it, and a reader from Open counts as using it until it is
// closed. Paths are relative to the location's directory and cleaned; "." is that directory. A path that is not there,
// or leads through a file, is an error for which Server.Explain answers storage.ErrNotFound.
type Session interface {
	// Alive says whether a session that was idle for a while can still be used, at the cost of one short exchange.
	Alive(ctx context.Context) bool
	// Write makes or replaces a file from r, in whatever steps. An existing directory takes it; it makes none. r ends with
	// an error unless it holds exactly size bytes; size is -1 when nobody knows.
	Write(ctx context.Context, path string, r io.Reader, size int64) error
	// Open reads a range as storage.Store.Get defines it; errors may match storage.ErrInvalidRange.
	Open(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error)
	// Stat describes a file or directory.
	Stat(ctx context.Context, path string) (Entry, error)
	// ReadDir lists a directory, without "." and "..".
	ReadDir(ctx context.Context, path string) ([]Entry, error)
	// Rename gives a file another path, at which an old file is replaced in one step, or removed just before.
	Rename(ctx context.Context, from, to string) error
	// Remove removes a file.
	Remove(ctx context.Context, path string) error
	// Mkdir makes one directory. One that exists is success.
	Mkdir(ctx context.Context, path string) error
	// Close logs out; it never waits long.
	Close() error
}

// Server is how a protocol reaches its server.
type Server interface {
	// Dial connects and logs in, within storage.DialTimeout per step. It does not look at the directory.
	Dial(ctx context.Context) (Session, error)
	// Explain sorts an error of Dial or of a session into one of package storage's kinds, with a remedy for people; nil when
	// none applies. It is not asked about contexts that ended.
	Explain(err error) (hint string, kind error)
	// String names the server and directory for people, without secrets.
	String() string
}

// DefaultSessions is how many sessions a store keeps at most: FTP servers commonly allow a client no more than a handful.
const DefaultSessions = 4

// tempDir holds files that are being written.
const tempDir = ".sitewright-tmp"

// Store is a storage.FileTree on a Server.
type Store struct {
	server Server
	pool   *pool
	swept  atomic.Bool // leftovers of killed puts were looked for
}

var _ storage.FileTree = (*Store)(nil)

// New makes a store that keeps at most so many sessions; 0 means DefaultSessions. It does not talk to the server: the
// first operation does.
func New(server Server, sessions int) *Store {
	if sessions <= 0 {
		sessions = DefaultSessions
	}
	return &Store{server: server, pool: newPool(server, sessions)}
}

// FileTree implements storage.FileTree.
func (s *Store) FileTree() {}

// String implements storage.Store.
func (s *Store) String() string { return s.server.String() }

// Close implements storage.Store.
func (s *Store) Close() error { return s.pool.close() }

// Make makes the location's directory, and those above it, where they are missing. Only who sets a location up does so:
// anywhere else a missing directory is a mistake to be told of.
func (s *Store) Make(ctx context.Context) error {
	return s.do(ctx, "connect", "", func(ctx context.Context, c Session) error { return c.Mkdir(ctx, ".") })
}

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := s.check(name); err != nil {
		return storage.Info{}, err
	}
	var e Entry
	err := s.do(ctx, "stat", name, func(ctx context.Context, c Session) (err error) {
		if e, err = c.Stat(ctx, name); err == nil && !e.Mode.IsRegular() {
			err = storage.ErrNotFound
		}
		return err
	})
	return storage.Info{Name: name, Size: e.Size, ModTime: e.ModTime}, err
}

// Delete implements storage.Store. Directories that became empty stay: a put may be about to use them.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := s.check(name); err != nil {
		return err
	}
	err := s.do(ctx, "delete", name, func(ctx context.Context, c Session) error { return c.Remove(ctx, name) })
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// Get implements storage.Store. The reader keeps a session until it is closed.
func (s *Store) Get(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	var opened *reader
	err := s.retry(ctx, "get", name, func(ctx context.Context) error {
		c, err := s.pool.take(ctx)
		if err != nil {
			return err
		}
		body, err := c.Open(ctx, name, offset, length)
		if err != nil {
			s.pool.give(c, s.usable(ctx, err))
			return err
		}
		opened = &reader{ReadCloser: body, store: s, session: c, name: name}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// reader gives its session back, for further use only when it came to its end.
type reader struct {
	io.ReadCloser
	store   *Store
	session Session
	name    string
	ended   bool
	failed  bool
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		r.ended = true
	case err != nil:
		r.failed = true
		err = r.store.errorOf("get", r.name, err)
	}
	return n, err
}

// Close implements io.Closer. A body that was not read to its end is given up with its session, whatever the protocol
// would have to say about that: the caller asked for no more.
func (r *reader) Close() error {
	if r.session == nil {
		return nil
	}
	err := r.ReadCloser.Close()
	r.store.pool.give(r.session, err == nil && r.ended && !r.failed)
	r.session = nil
	if err != nil && r.ended {
		return r.store.errorOf("get", r.name, err)
	}
	return nil
}

// do runs one operation on a session, again while it fails for a passing reason.
func (s *Store) do(ctx context.Context, op, name string, run func(context.Context, Session) error) error {
	return s.retry(ctx, op, name, func(ctx context.Context) error { return s.once(ctx, run) })
}

func (s *Store) once(ctx context.Context, run func(context.Context, Session) error) error {
	c, err := s.pool.take(ctx)
	if err != nil {
		return err
	}
	err = run(ctx, c)
	s.pool.give(c, s.usable(ctx, err))
	return err
}

func (s *Store) retry(ctx context.Context, op, name string, run func(context.Context) error) error {
	return storage.Retry(ctx, func(ctx context.Context) error {
		err := s.errorOf(op, name, run(ctx))
		if errors.Is(err, storage.ErrNotFound) {
			err = s.notFound(ctx, op, name, err)
		}
		return err
	})
}

// usable says whether a session can go on after err: only when the server answered in its protocol's words. The end of a
// context may have closed the connection of an operation that succeeded.
func (s *Store) usable(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		return true
	}
	kind := s.kindOf(err)
	return errors.Is(kind, storage.ErrNotFound) || errors.Is(kind, storage.ErrDenied) || errors.Is(kind, storage.ErrInvalidRange)
}

// notFound tells a missing object from a missing location.
func (s *Store) notFound(ctx context.Context, op, name string, found error) error {
	err := s.once(ctx, func(ctx context.Context, c Session) error {
		e, err := c.Stat(ctx, ".")
		if err == nil && !e.Mode.IsDir() {
			err = storage.ErrNotFound
		}
		return err
	})
	if err == nil || !errors.Is(s.kindOf(err), storage.ErrNotFound) {
		return found
	}
	return &storage.Error{Op: op, Store: s.String(), Name: name, Kind: storage.ErrNoContainer, Err: err,
		Hint: "create the directory, or correct the location's path"}
}

func (s *Store) kindOf(err error) error {
	for _, kind := range []error{storage.ErrInvalidRange, storage.ErrNotFound, storage.ErrUnreachable, storage.ErrDenied, storage.ErrFull,
		storage.ErrUntrusted} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	_, kind := s.server.Explain(err)
	return kind
}

// errorOf returns nil for nil, else the error in package storage's words and kinds.
func (s *Store) errorOf(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*storage.Error](err); done {
		return err
	}
	e := &storage.Error{Op: op, Store: s.String(), Name: name, Err: err}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return e // The caller gave up; the server is not to blame.
	}
	e.Hint, _ = s.server.Explain(err)
	e.Kind = s.kindOf(err)
	return e
}

func (s *Store) check(name string) error {
	if err := storage.CheckName(name); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	if name == tempDir || strings.HasPrefix(name, tempDir+"/") {
		return fmt.Errorf("%s: %w: %q is reserved", s, storage.ErrInvalidName, name)
	}
	return nil
}

// parents lists the directories above a path, outermost first, without ".".
func parents(name string) []string {
	var dirs []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
	}
	return dirs
}
