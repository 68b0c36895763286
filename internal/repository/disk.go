package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/kopia/kopia/fs"
)

// The reader of directories. Kopia's own is not used for two reasons: it opens by path, so that a link planted while a
// backup runs could lead it out of the site, and it takes a file named *.kopia-entry for a reference to any object of
// the repository, which would let one site read another's.

// racy is how close to the present a modification time tells nothing: the file may change again within the clock's tick.
const racy = time.Second

func (s *scan) openDir(d Dir) (*diskDir, error) {
	for _, pattern := range d.Exclude {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("exclude %q from %s: %w", pattern, d.Path, err)
		}
	}
	root, err := openBelow(d.Path)
	if err != nil {
		return nil, fmt.Errorf("open directory %s to back it up: %w", d.Path, err)
	}
	s.roots = append(s.roots, root)
	info, err := root.Stat(".")
	if err != nil {
		return nil, fmt.Errorf("open directory %s to back it up: %w", d.Path, err)
	}
	return &diskDir{entry: s.entryOf(path.Base(d.Name), info), disk: &disk{scan: s, root: root, exclude: d.Exclude}, rel: "."}, nil
}

// openBelow opens a directory without letting a link in its place lead elsewhere: whoever may write beside it could put one there that
// leads to what the backup itself reads, such as the repository's password.
func openBelow(dir string) (*os.Root, error) {
	parent, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	defer func() { _ = parent.Close() }()
	return parent.OpenRoot(filepath.Base(dir))
}

// disk is one directory tree.
type disk struct {
	scan    *scan
	root    *os.Root
	exclude []string
}

func (d *disk) excluded(rel string) bool {
	for _, pattern := range d.exclude {
		subject := path.Base(rel)
		if strings.Contains(pattern, "/") {
			subject, pattern = rel, strings.Trim(pattern, "/")
		}
		if ok, _ := path.Match(pattern, subject); ok {
			return true
		}
	}
	return false
}

func (s *scan) entryOf(name string, info os.FileInfo) entry {
	e := entry{name: name, mode: info.Mode(), size: info.Size(), mtime: info.ModTime()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		e.owner = fs.OwnerInfo{UserID: st.Uid, GroupID: st.Gid}
	}
	if e.mode.IsDir() {
		e.size = 0
	}
	if s.first && time.Since(e.mtime) < racy {
		e.mtime = e.mtime.Add(-1) // Only the first pass says so: the second will see a difference and read the file again.
	}
	return e
}

type diskDir struct {
	entry
	disk *disk
	rel  string
}

func (d *diskDir) SupportsMultipleIterations() bool { return true }

func (d *diskDir) Child(ctx context.Context, name string) (fs.Entry, error) {
	return fs.IterateEntriesAndFindChild(ctx, d, name)
}

func (d *diskDir) Iterate(context.Context) (fs.DirectoryIterator, error) {
	dir, err := d.disk.root.OpenRoot(d.rel)
	if err != nil {
		return nil, d.disk.wrap(d.rel, err)
	}
	f, err := dir.Open(".")
	if err != nil {
		return nil, errors.Join(d.disk.wrap(d.rel, err), dir.Close())
	}
	names, err := f.Readdirnames(-1)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(d.disk.wrap(d.rel, err), dir.Close())
	}
	return &diskIterator{parent: d, dir: dir, names: names}, nil
}

type diskIterator struct {
	parent *diskDir
	dir    *os.Root
	names  []string
}

func (it *diskIterator) Close() { it.dir.Close() }

func (it *diskIterator) Next(context.Context) (fs.Entry, error) {
	for len(it.names) > 0 {
		name := it.names[0]
		it.names = it.names[1:]
		rel, d := path.Join(it.parent.rel, name), it.parent.disk
		if d.excluded(rel) {
			continue
		}
		info, err := it.dir.Lstat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, d.wrap(rel, err)
		}
		e := d.scan.entryOf(encodeName(name), info)
		switch info.Mode().Type() {
		case 0:
			return &diskFile{entry: e, disk: d, rel: rel}, nil
		case os.ModeDir:
			return &diskDir{entry: e, disk: d, rel: rel}, nil
		case os.ModeSymlink:
			return &diskLink{entry: e, disk: d, rel: rel}, nil
		}
		d.scan.skip(path.Join(d.root.Name(), rel))
	}
	return nil, nil
}

type diskFile struct {
	entry
	disk *disk
	rel  string
}

func (f *diskFile) Open(context.Context) (fs.Reader, error) {
	// O_NONBLOCK so that a pipe put in the file's place cannot hang the backup.
	file, err := f.disk.root.OpenFile(f.rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, f.disk.wrap(f.rel, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errVanished
	}
	if err != nil {
		return nil, errors.Join(f.disk.wrap(f.rel, err), file.Close())
	}
	return &fileReader{File: file, entry: f}, nil
}

type fileReader struct {
	*os.File
	entry fs.Entry
}

func (r *fileReader) Entry() (fs.Entry, error) { return r.entry, nil }

type diskLink struct {
	entry
	disk *disk
	rel  string
}

func (l *diskLink) Readlink(context.Context) (string, error) {
	target, err := l.disk.root.Readlink(l.rel)
	if errors.Is(err, syscall.EINVAL) {
		err = errVanished // No longer a link.
	}
	return target, l.disk.wrap(l.rel, err)
}

func (l *diskLink) Resolve(context.Context) (fs.Entry, error) {
	return nil, errors.New("links are never followed")
}

// wrap names the file and marks one that is gone.
func (d *disk) wrap(rel string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s in %s: %w: %w", rel, d.root.Name(), errVanished, err)
	}
	return fmt.Errorf("read %s in %s: %w", rel, d.root.Name(), err)
}

var (
	_ fs.Directory = (*diskDir)(nil)
	_ fs.File      = (*diskFile)(nil)
	_ fs.Symlink   = (*diskLink)(nil)
	_ fs.Directory = (*node)(nil)
	_ fs.File      = (*stream)(nil)
)
