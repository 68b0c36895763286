package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kopia/kopia/fs"

	"github.com/sitewright/sitewright/internal/storage"
)

// Tree is what a snapshot holds: directories from disk, streams and small blobs, each under a fixed name with '/'
// between its parts. No name may lie inside another, and none may repeat.
type Tree struct {
	Dirs    []Dir
	Streams []Stream
	Blobs   map[string][]byte
}

// Dir is a directory on disk. Symbolic links in it are kept as links and never followed; what is neither file,
// directory nor link is left out and counted.
type Dir struct {
	// Name is where the directory appears in the snapshot, for example "files/www".
	Name string
	// Path is the directory on disk. It must exist.
	Path string
	// Exclude holds patterns of path.Match for what is left out, with all below it. A pattern with a '/' is matched
	// against the path relative to the directory (a leading '/' is dropped), any other against each name at any depth.
	Exclude []string
}

// Stream is content that is made while it is read, such as a part of a database dump.
type Stream struct {
	// Name is where the stream appears in the snapshot, for example "database/000-schema.sql".
	Name string
	// Open is called once. Several streams are read at the same time, in no promised order, so none may wait for
	// another. An error from it or from the reader fails the snapshot.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

func (t Tree) empty() bool { return len(t.Dirs)+len(t.Streams)+len(t.Blobs) == 0 }

// errVanished marks a file that was removed between being listed and being read, which happens on a living site and
// means that the snapshot rightly lacks it.
var errVanished = errors.New("removed while it was being read")

// entry implements fs.Entry for all that a tree is made of.
type entry struct {
	name  string
	mode  os.FileMode
	size  int64
	mtime time.Time
	owner fs.OwnerInfo
}

func (e *entry) Name() string                { return e.name }
func (e *entry) Size() int64                 { return e.size }
func (e *entry) Mode() os.FileMode           { return e.mode }
func (e *entry) ModTime() time.Time          { return e.mtime }
func (e *entry) IsDir() bool                 { return e.mode.IsDir() }
func (e *entry) Sys() any                    { return nil }
func (e *entry) Owner() fs.OwnerInfo         { return e.owner }
func (e *entry) Device() fs.DeviceInfo       { return fs.DeviceInfo{} }
func (e *entry) LocalFilesystemPath() string { return "" }
func (e *entry) Close()                      {}

// node is a directory of the snapshot that exists only to hold named things.
type node struct {
	entry
	children []fs.Entry
}

func (n *node) SupportsMultipleIterations() bool { return true }

func (n *node) Iterate(context.Context) (fs.DirectoryIterator, error) {
	return fs.StaticIterator(append([]fs.Entry(nil), n.children...), nil), nil
}

func (n *node) Child(_ context.Context, name string) (fs.Entry, error) { return n.child(name) }

func (n *node) child(name string) (fs.Entry, error) {
	for _, c := range n.children {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, fs.ErrEntryNotFound
}

// stream is an fs.File whose size is unknown. It is no fs.StreamingFile on purpose: Kopia takes such a file from the
// previous snapshot when its modification time is equal, whereas a size of -1 never equals a stored one.
type stream struct {
	entry
	open  func(ctx context.Context) (io.ReadCloser, error)
	count *atomic.Int64 // bytes read from database streams; may be nil
}

func (s *stream) Open(ctx context.Context) (fs.Reader, error) {
	r, err := s.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", s.name, err)
	}
	return &streamReader{ReadCloser: r, stream: s}, nil
}

type streamReader struct {
	io.ReadCloser
	stream *stream
}

func (r *streamReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.stream.count != nil {
		r.stream.count.Add(int64(n))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read stream %s: %w", r.stream.name, err)
	}
	return n, err
}

func (r *streamReader) Entry() (fs.Entry, error) { return r.stream, nil }

func (r *streamReader) Seek(int64, int) (int64, error) {
	return 0, fmt.Errorf("stream %s cannot be read from another place", r.stream.name)
}

// scan is one reading of a tree and what it found.
type scan struct {
	first    bool // the tree will be read again
	started  time.Time
	streamed atomic.Int64 // bytes of streams
	roots    []*os.Root

	mu      sync.Mutex
	skipped map[string]bool // sockets, pipes, devices; a set, since the estimate walks beside the upload
}

func (s *scan) skip(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.skipped == nil {
		s.skipped = map[string]bool{}
	}
	s.skipped[name] = true
}

func (s *scan) close() {
	for _, r := range s.roots {
		r.Close()
	}
}

// build opens the directories of t and arranges everything in one root.
func (s *scan) build(t Tree) (*node, error) {
	root := s.newNode("/")
	for _, d := range t.Dirs {
		dir, err := s.openDir(d)
		if err != nil {
			return nil, err
		}
		if err := s.place(root, d.Name, dir); err != nil {
			return nil, err
		}
	}
	for _, st := range t.Streams {
		if err := s.place(root, st.Name, s.newStream(st.Name, &s.streamed, st.Open)); err != nil {
			return nil, err
		}
	}
	for name, data := range t.Blobs {
		f := s.newStream(name, nil, func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		})
		if err := s.place(root, name, f); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (s *scan) newNode(name string) *node {
	return &node{entry: entry{name: name, mode: os.ModeDir | 0o755, mtime: s.started}}
}

func (s *scan) newStream(name string, count *atomic.Int64, open func(context.Context) (io.ReadCloser, error)) *stream {
	return &stream{entry: entry{name: path.Base(name), mode: 0o644, size: -1, mtime: s.started}, open: open, count: count}
}

// place puts e at name below root, making the directories on the way.
func (s *scan) place(root *node, name string, e fs.Entry) error {
	if err := storage.CheckName(name); err != nil {
		return fmt.Errorf("tree of the snapshot: %w", err)
	}
	parts := strings.Split(name, "/")
	for _, part := range parts[:len(parts)-1] {
		child, err := root.child(part)
		if err != nil {
			n := s.newNode(part)
			root.children = append(root.children, n)
			root = n
			continue
		}
		n, ok := child.(*node)
		if !ok {
			return fmt.Errorf("tree of the snapshot: %q lies inside %q", name, part)
		}
		root = n
	}
	if _, err := root.child(e.Name()); err == nil {
		return fmt.Errorf("tree of the snapshot: %q is named twice", name)
	}
	root.children = append(root.children, e)
	return nil
}
