package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sitewright/sitewright/internal/repository"
)

// Tree is what an archive holds, its contents stored in a repository already.
type Tree struct {
	// Top is the archive's top directory.
	Top *Node
	// Name of the archive, for messages.
	Name string

	store *repository.Assembler
}

// Node is a file, directory or symbolic link of a Tree.
type Node struct {
	// Name is relative to the archive's top; "" is the top itself.
	Name     string
	Mode     fs.FileMode
	ModTime  time.Time
	UID, GID int
	// Size of a file.
	Size int64
	// Link is a symbolic link's target.
	Link string

	content  repository.Content
	children map[string]*Node
	// implied says that only the names of entries below it told of the directory so far.
	implied bool
}

func newDir(name string, implied bool) *Node {
	return &Node{Name: name, Mode: fs.ModeDir | 0o755, ModTime: time.Unix(0, 0), children: map[string]*Node{}, implied: implied}
}

// Children of a directory, ordered by name.
func (n *Node) Children() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for _, name := range slices.Sorted(maps.Keys(n.children)) {
			if !yield(n.children[name]) {
				return
			}
		}
	}
}

// Lookup finds what has a name relative to a directory, without following links; nil when there is nothing.
func (n *Node) Lookup(name string) *Node {
	if name = path.Clean(name); name == "." {
		return n
	}
	for part := range strings.SplitSeq(name, "/") {
		if n = n.children[part]; n == nil {
			return nil
		}
	}
	return n
}

// IsFile reports whether n is there and is a regular file; IsDir the same for a directory.
func (n *Node) IsFile() bool { return n != nil && n.Mode.IsRegular() }

// IsDir reports whether n is there and is a directory.
func (n *Node) IsDir() bool { return n != nil && n.Mode.IsDir() }

// Remove takes what has a name relative to a directory out of the tree.
func (n *Node) Remove(name string) {
	if parent := n.Lookup(path.Dir(path.Clean(name))); parent != nil {
		delete(parent.children, path.Base(name))
	}
}

// All yields everything below a directory, parents first, in the order of names.
func (n *Node) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.all(yield) }
}

func (n *Node) all(yield func(*Node) bool) bool {
	for c := range n.Children() {
		if !yield(c) || !c.all(yield) {
			return false
		}
	}
	return true
}

// Open reads a file of the tree.
func (t *Tree) Open(ctx context.Context, n *Node) (io.ReadCloser, error) {
	return t.store.Open(ctx, n.content)
}

// Content reads a file of the tree of at most limit bytes; a larger one is refused.
func (t *Tree) Content(ctx context.Context, n *Node, limit int64) (b []byte, err error) {
	if n.Size > limit {
		return nil, refuse(n.Name, "has %d bytes; %d is the most", n.Size, limit)
	}
	r, err := t.Open(ctx, n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(io.LimitReader(r, limit))
}

// fill reads an archive into the tree.
func (t *Tree) fill(ctx context.Context, source Source, limits Limits) error {
	limits.RawNames = true
	return Read(ctx, source, limits, func(e *Entry, content io.Reader) error { return t.add(ctx, e, content) })
}

// add puts one entry in its place. Nothing takes the place of another: what an archive says twice would be seen one way
// by whoever looked it through and another way by whoever unpacks it.
func (t *Tree) add(ctx context.Context, e *Entry, content io.Reader) (err error) {
	if e.Name == "" {
		return nil
	}
	parent, err := t.parent(e.Name)
	if err != nil {
		return err
	}
	base := path.Base(e.Name)
	n := &Node{Name: e.Name, Mode: e.Mode, ModTime: e.ModTime, UID: e.UID, GID: e.GID, Link: e.Link}
	if old := parent.children[base]; old != nil {
		if !old.Mode.IsDir() || !e.Mode.IsDir() {
			return refuse(e.Name, "comes a second time")
		}
		old.Mode, old.ModTime, old.UID, old.GID, old.implied = n.Mode, n.ModTime, n.UID, n.GID, false
		return nil
	}
	switch {
	case e.Same != "":
		same := t.Top.Lookup(e.Same)
		if !same.IsFile() {
			return refuse(e.Name, "is a hard link to %q, which is no file before it", shorten(e.Same))
		}
		n.Size, n.content = same.Size, same.content
	case e.Mode.IsDir():
		n.children = map[string]*Node{}
	case e.Mode.Type() == fs.ModeSymlink:
		n.content, err = t.store.Store(ctx, e.Name, strings.NewReader(e.Link))
	default:
		n.content, err = t.store.Store(ctx, e.Name, content)
		n.Size = n.content.Size
	}
	if err != nil {
		return err
	}
	parent.children[base] = n
	return nil
}

// parent finds the directory that an entry lies in, and makes those that had no entry of their own.
func (t *Tree) parent(name string) (*Node, error) {
	n := t.Top
	for i, c := range name {
		if c != '/' {
			continue
		}
		above := name[:i]
		child := n.children[path.Base(above)]
		if child == nil {
			child = newDir(above, true)
			n.children[path.Base(above)] = child
		}
		if !child.Mode.IsDir() {
			return nil, refuse(name, "lies below %q, which is no directory", shorten(above))
		}
		n = child
	}
	return n, nil
}

// CheckLinks refuses symbolic links that lead out of a directory. Links to absolute paths may lead below inside, where
// it is set: the place at which the site finds the directory.
func (n *Node) CheckLinks(inside string) error {
	for c := range n.All() {
		if c.Mode.Type() != fs.ModeSymlink {
			continue
		}
		if clean := path.Clean(c.Link); inside != "" && clean == c.Link && strings.HasPrefix(clean, inside+"/") {
			continue
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(c.Name, n.Name), "/")
		if err := CheckLink(rel, c.Link); err != nil {
			if refusal, ok := errors.AsType[*Refusal](err); ok {
				refusal.Entry = c.Name
			}
			return fmt.Errorf("%w: leave it out, or have it lead to a place inside", err)
		}
	}
	return nil
}

// Newest is the last time that a file of the archive was changed.
func (t *Tree) Newest() time.Time {
	newest := time.Unix(0, 0)
	for n := range t.Top.All() {
		if n.IsFile() && n.ModTime.After(newest) {
			newest = n.ModTime
		}
	}
	return newest
}

// stored is the directory as the repository takes it, under another name.
func (n *Node) stored(name string) *repository.Node {
	s := &repository.Node{Name: name, Mode: n.Mode, ModTime: n.ModTime, UID: uint32(n.UID), GID: uint32(n.GID), Content: n.content}
	for base, c := range n.children {
		s.Children = append(s.Children, c.stored(base))
	}
	return s
}

// Below yields what follows a directory's name, without a slash, and whether n lies in it.
func (n *Node) Below(dir *Node) (rel string, ok bool) {
	if dir.Name == "" {
		return n.Name, n.Name != ""
	}
	return strings.CutPrefix(n.Name, dir.Name+"/")
}
