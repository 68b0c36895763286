package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/snapshot"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// RestoreOptions tune Restore.
type RestoreOptions struct {
	// Parallel is the number of files written at the same time; 0 means 4.
	Parallel int
	// Progress, unless nil, is called now and then, never concurrently.
	Progress func(Progress)
	// Sync returns only when everything is on disk.
	Sync bool
}

// Restore writes the directory sub of a snapshot ("" for all of it) into dest, which is made when absent and must be
// empty. Nothing is written outside dest, whatever the snapshot says: names are checked, every path is resolved below
// dest, every file and directory is made new, links are made last. Modes and modification times are restored, setuid and
// setgid only on directories; owners where the process may. After an error dest holds a part.
func (r *Repository) Restore(ctx context.Context, id, sub, dest string, o RestoreOptions) error {
	fail := func(err error) error {
		return fmt.Errorf("restore %q of snapshot %s to %s: %w", sub, id, dest, err)
	}
	m, err := r.loadFresh(ctx, id)
	if err != nil {
		return err
	}
	e, err := find(ctx, r.direct, m, sub)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dest, 0o755); err != nil {
		return fail(err)
	}
	root, err := os.OpenRoot(dest)
	if err != nil {
		return fail(err)
	}
	defer root.Close()
	if err := checkEmpty(root); err != nil {
		return fail(err)
	}
	w := &restorer{rep: r.direct, data: r.direct, root: root, chown: os.Geteuid() == 0, report: &reporter{report: o.Progress}}
	if s := e.DirSummary; s != nil {
		w.report.expect(s.TotalFileCount+s.TotalSymlinkCount, s.TotalFileSize)
		if w.data, err = r.forBulk(ctx, s.TotalFileSize); err != nil {
			return fail(err)
		}
	}
	if err := w.run(ctx, e, o); err != nil {
		return fail(err)
	}
	w.report.done()
	return nil
}

func checkEmpty(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(1)
	if err = errors.Join(err, d.Close()); len(names) > 0 {
		return errors.New("the directory is not empty")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// restorer writes one directory tree. All paths are relative to root.
type restorer struct {
	rep    repo.Repository // for directories
	data   repo.Repository // for contents of files
	root   *os.Root
	chown  bool
	report *reporter
	dirs   []made
	links  []made
}

type made struct {
	entry *snapshot.DirEntry
	at    string
}

func (w *restorer) run(ctx context.Context, e *snapshot.DirEntry, o RestoreOptions) error {
	if o.Parallel <= 0 {
		o.Parallel = 4
	}
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(o.Parallel)
	dirErr := w.dir(groupCtx, g, e, ".")
	if err := errors.Join(g.Wait(), dirErr); err != nil {
		return err
	}
	for _, l := range w.links {
		if err := w.link(ctx, l.entry, l.at); err != nil {
			return fmt.Errorf("%s: %w", l.at, err)
		}
	}
	// Children first: making entries changes the parent's time, and its mode may forbid making them.
	for _, d := range slices.Backward(w.dirs) {
		if err := w.attributes(d.entry, d.at); err != nil {
			return fmt.Errorf("%s: %w", d.at, err)
		}
	}
	if !o.Sync {
		return nil
	}
	d, err := w.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}

// dir makes what is in d, files in the group. Links wait, so that no later path can lead over one.
func (w *restorer) dir(ctx context.Context, g *errgroup.Group, d *snapshot.DirEntry, at string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	children, err := readDir(ctx, w.rep, d)
	if err != nil {
		return err
	}
	w.dirs = append(w.dirs, made{d, at})
	for _, c := range children {
		name := path.Join(at, c.Name)
		switch c.Type {
		case snapshot.EntryTypeDirectory:
			if err := w.root.Mkdir(name, 0o700); err != nil {
				return err
			}
			if err := w.dir(ctx, g, c, name); err != nil {
				return err
			}
		case snapshot.EntryTypeFile:
			g.Go(func() error {
				if err := w.file(ctx, c, name); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				return nil
			})
		case snapshot.EntryTypeSymlink:
			w.links = append(w.links, made{c, name})
		default:
			return fmt.Errorf("%s: %w: unknown type %q", name, ErrCorrupt, c.Type)
		}
	}
	return nil
}

func (w *restorer) file(ctx context.Context, e *snapshot.DirEntry, at string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := openFile(ctx, w.data, e)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := w.root.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(&countingWriter{ctx, f, w.report}, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	w.report.add(1, 0)
	return w.attributes(e, at)
}

type countingWriter struct {
	ctx    context.Context
	w      io.Writer
	report *reporter
}

func (c *countingWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	c.report.add(0, int64(n))
	return n, err
}

// maxLink is the longest target Linux accepts.
const maxLink = 4096

func (w *restorer) link(ctx context.Context, e *snapshot.DirEntry, at string) error {
	target, err := readLink(ctx, w.rep, e)
	if err != nil {
		return err
	}
	if err := w.root.Symlink(target, at); err != nil {
		return err
	}
	w.report.add(1, 0)
	if w.chown {
		if err := w.root.Lchown(at, int(e.UserID), int(e.GroupID)); err != nil {
			return err
		}
	}
	d, err := w.root.Open(path.Dir(at))
	if err != nil {
		return err
	}
	t := unix.NsecToTimespec(int64(e.ModTime))
	err = unix.UtimesNanoAt(int(d.Fd()), path.Base(at), []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
	return errors.Join(err, d.Close())
}

// attributes sets owner, mode and time of a file or directory that this restorer made.
func (w *restorer) attributes(e *snapshot.DirEntry, at string) error {
	if w.chown {
		if err := w.root.Lchown(at, int(e.UserID), int(e.GroupID)); err != nil {
			return err
		}
	}
	if err := w.root.Chmod(at, fileMode(e)); err != nil {
		return err
	}
	t := time.Unix(0, int64(e.ModTime))
	return w.root.Chtimes(at, t, t)
}

// fileMode drops the bits that would let a file run as another user.
func fileMode(e *snapshot.DirEntry) os.FileMode {
	mode := os.FileMode(e.Permissions) & os.ModePerm
	if e.Type == snapshot.EntryTypeDirectory {
		mode |= os.FileMode(e.Permissions) & (os.ModeSetgid | os.ModeSticky)
	}
	return mode
}
