package archive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// index says where in the dump of an archive its parts are, so that they can be loaded at the same time again.
type index struct {
	Parts []indexPart `json:"parts"`
}

type indexPart struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Own arranges an archive that Export made, unpacked and packed again perhaps. It is nil, without an error, when the
// archive is none: it has no manifest beside a directory of files. check looks at the manifest, may change it, and answers
// with the absolute path at which the site finds the files, to which its links may lead.
func (t *Tree) Own(ctx context.Context, check func(manifest []byte) (changed []byte, inside string, err error)) (*Layout, error) {
	base := t.ownBase()
	if base == nil {
		return nil, nil
	}
	manifest, err := t.Content(ctx, base.Lookup(ManifestName), MaxManifest)
	if err != nil {
		return nil, err
	}
	manifest, inside, err := check(manifest)
	if err != nil {
		return nil, err
	}
	files := base.Lookup(FilesDir)
	if err := files.CheckLinks(inside); err != nil {
		return nil, err
	}
	l := &Layout{Files: map[string]*Node{}, Manifest: manifest}
	for c := range files.Children() {
		if !c.Mode.IsDir() {
			return nil, refuse(c.Name, "is no directory, and lies where only directories do")
		}
		l.Files[path.Base(c.Name)] = c
	}
	if dump := base.Lookup(DumpName); dump != nil {
		l.Dump, err = t.ownParts(ctx, dump, base.Lookup(indexName))
	}
	return l, err
}

func (t *Tree) ownBase() *Node {
	is := func(n *Node) bool {
		return n.Lookup(ManifestName).IsFile() && n.Lookup(FilesDir).IsDir() && n.Lookup(FilesDir+"/www").IsDir()
	}
	if is(t.Top) {
		return t.Top
	}
	if len(t.Top.children) == 1 {
		for c := range t.Top.Children() {
			if is(c) {
				return c
			}
		}
	}
	return nil
}

// ownParts takes the dump apart again. A dump that was changed since, or whose index is missing, stays in one piece.
func (t *Tree) ownParts(ctx context.Context, dump, from *Node) (parts []Part, err error) {
	if !dump.IsFile() {
		return nil, refuse(dump.Name, "is no file")
	}
	entries, err := t.readIndex(ctx, dump, from)
	if errors.Is(err, errNoIndex) {
		return []Part{dump.PartOf("000-" + DumpName)}, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := t.Open(ctx, dump)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, e := range entries {
		p, err := t.StorePart(ctx, e.Name, io.LimitReader(r, e.Bytes))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func (t *Tree) readIndex(ctx context.Context, dump, from *Node) ([]indexPart, error) {
	if !from.IsFile() {
		return nil, errNoIndex
	}
	b, err := t.Content(ctx, from, MaxManifest)
	if err != nil {
		return nil, err
	}
	var i index
	if err := json.Unmarshal(b, &i); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoIndex, err)
	}
	var total int64
	for _, p := range i.Parts {
		name, err := clean(p.Name, false)
		if err != nil || name == "" || name != p.Name || strings.Contains(name, "/") || p.Bytes < 0 || p.Bytes > dump.Size-total {
			return nil, errNoIndex
		}
		total += p.Bytes
	}
	if total != dump.Size || !slices.IsSortedFunc(i.Parts, func(a, b indexPart) int { return cmp.Compare(a.Name, b.Name) }) || repeats(i.Parts) {
		return nil, errNoIndex
	}
	return i.Parts, nil
}

func repeats(parts []indexPart) bool {
	for i := 1; i < len(parts); i++ {
		if parts[i].Name == parts[i-1].Name {
			return true
		}
	}
	return false
}
