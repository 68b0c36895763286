package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// tree is the files that packages put on a system, by path without the leading slash.
type tree struct {
	files map[string][]byte
	links map[string]string
	// dirs are the names in each directory; "" is the root.
	dirs map[string][]string
}

func newTree() *tree {
	return &tree{files: map[string][]byte{}, links: map[string]string{}, dirs: map[string][]string{"": nil}}
}

// addPackage adds the content of a .deb.
func (t *tree) addPackage(ctx context.Context, deb []byte) error {
	var out bytes.Buffer
	if err := command(ctx, bytes.NewReader(deb), &out, "dpkg-deb", "--fsys-tarfile", "-"); err != nil {
		return err
	}
	r := tar.NewReader(&out)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		switch h.Typeflag {
		case tar.TypeReg:
			content, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			t.addFile(name, content)
		case tar.TypeSymlink:
			t.addName(name)
			t.links[name] = h.Linkname
		case tar.TypeDir:
			t.addDir(name)
		default:
			return fmt.Errorf("%s is neither a file, a directory nor a link", h.Name)
		}
	}
}

func (t *tree) addFile(name string, content []byte) {
	t.addName(name)
	t.files[name] = content
}

func (t *tree) addDir(name string) {
	if _, known := t.dirs[name]; known {
		return
	}
	t.addName(name)
	t.dirs[name] = nil
}

// addName enters a name into its directory.
func (t *tree) addName(name string) {
	dir, base := split(name)
	t.addDir(dir)
	if !slices.Contains(t.dirs[dir], base) {
		t.dirs[dir] = append(t.dirs[dir], base)
	}
}

func split(name string) (dir, base string) {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)], name[i+1:]
}

// resolve follows links until the path is a file's or a directory's own.
func (t *tree) resolve(name string) (string, error) {
	// As many as Linux follows.
	for range 40 {
		next, again := t.follow(name)
		if !again {
			return next, nil
		}
		name = next
	}
	return "", fmt.Errorf("%s is a circle of links", name)
}

// follow replaces the first component that is a link.
func (t *tree) follow(name string) (next string, again bool) {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		target, ok := t.links[name[:i]]
		if !ok {
			continue
		}
		if !path.IsAbs(target) {
			dir, _ := split(name[:i])
			target = "/" + dir + "/" + target
		}
		return strings.TrimPrefix(path.Clean(target+name[i:]), "/"), true
	}
	return name, false
}

// copyInto copies what is below from into files, below to, with the targets in the place of links. skip leaves names out.
func (t *tree) copyInto(files map[string][]byte, from, to string, skip func(name string) bool) error {
	real, err := t.resolve(from)
	if err != nil {
		return err
	}
	if content, ok := t.files[real]; ok {
		files[to] = content
		return nil
	}
	names, ok := t.dirs[real]
	if !ok {
		return fmt.Errorf("/%s leads to /%s, which none of its packages has: add the package that has it to hack/releases/table.go", from, real)
	}
	for _, name := range names {
		below := path.Join(to, name)
		if skip(below) {
			continue
		}
		if err := t.copyInto(files, path.Join(real, name), below, skip); err != nil {
			return err
		}
	}
	return nil
}
