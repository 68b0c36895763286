package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/sitewright/sitewright/internal/archive"
)

const (
	dirMode  = 0o755
	fileMode = 0o644
	execMode = 0o755
)

// Options of Unpack. Zero members have generous defaults.
type Options struct {
	// StripComponents is the number of leading path components to take off; entries with no more are left out.
	StripComponents int
	// MaxEntries, MaxBytes and MaxRatio bound what comes out: files and directories, bytes, and bytes per byte of archive.
	MaxEntries, MaxBytes, MaxRatio int64
	// Progress is told how many bytes of the archive of how many are dealt with. May be nil.
	Progress func(done, total int64)
}

// Stats is what was unpacked.
type Stats struct {
	Files, Bytes int64
}

// Unpack unpacks a .tar.gz, .tar.zst, .tar or .zip, told apart by content, into dest. It refuses, with ErrInvalid, names
// that are absolute or climb, symbolic links that lead out, entries that go through a symbolic link, devices, and
// archives that unpack to more than Options allow. Permissions become 0755 and 0644. An entry that comes a second time
// takes the place of the first.
func Unpack(ctx context.Context, file *os.File, dest *os.Root, o Options) (Stats, error) {
	source, err := archive.File(file)
	if err != nil {
		return Stats{}, fmt.Errorf("unpacking: %w", err)
	}
	u := &unpacker{dest: dest, strip: o.StripComponents, links: map[string]bool{}, made: map[string]bool{".": true}}
	limits := archive.Limits{Entries: o.MaxEntries, Bytes: o.MaxBytes, Ratio: o.MaxRatio, Progress: o.Progress}
	err = archive.Read(ctx, source, limits, u.entry)
	if err == nil && u.stats.Files == 0 {
		err = fmt.Errorf("archive %s: %w: it holds no files (stripComponents is %d)", source.Name, ErrInvalid, o.StripComponents)
	}
	if errors.Is(err, archive.ErrInvalid) {
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err != nil {
		return Stats{}, fmt.Errorf("unpacking: %w", err)
	}
	return u.stats, nil
}

// unpacker is one run of Unpack. links and made are the symbolic links and directories that this run has made, by
// their cleaned names.
type unpacker struct {
	dest   *os.Root
	strip  int
	stats  Stats
	links  map[string]bool
	made   map[string]bool
	buffer [64 << 10]byte
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// entry puts one entry of the archive below dest.
func (u *unpacker) entry(e *archive.Entry, content io.Reader) error {
	name := u.stripped(e.Name)
	switch {
	case name == "":
		return nil
	case e.Same != "":
		return u.hardlink(name, u.stripped(e.Same))
	case e.Mode.IsDir():
		return u.directory(name)
	case e.Mode.IsRegular():
		return u.file(name, e.Mode&0o111 != 0, content)
	}
	return u.symlink(name, e.Link)
}

// stripped takes the leading components off a name. An empty answer means to leave the entry out.
func (u *unpacker) stripped(name string) string {
	for range u.strip {
		_, rest, ok := strings.Cut(name, "/")
		if !ok {
			return ""
		}
		name = rest
	}
	return name
}

// directory makes a directory and those above it.
func (u *unpacker) directory(name string) error {
	if u.made[name] {
		return nil
	}
	if err := u.directory(path.Dir(name)); err != nil {
		return err
	}
	if u.links[name] {
		return invalid("%q is a symbolic link and a directory", name)
	}
	err := u.dest.Mkdir(name, dirMode)
	if errors.Is(err, fs.ErrExist) {
		info, statErr := u.dest.Lstat(name)
		if statErr != nil {
			return statErr
		}
		if !info.IsDir() {
			return invalid("%q is a file and a directory", name)
		}
		err = nil
	}
	if err != nil {
		return full(err)
	}
	u.made[name] = true
	return nil
}

// clear makes the directories above an entry, none of which may be a symbolic link, and makes way for one that comes a
// second time.
func (u *unpacker) clear(name string) error {
	if u.made[name] {
		return invalid("%q is a directory and a file", name)
	}
	if err := u.directory(path.Dir(name)); err != nil {
		return err
	}
	delete(u.links, name)
	if err := u.dest.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return full(err)
	}
	return nil
}

// file writes one regular file.
func (u *unpacker) file(name string, executable bool, r io.Reader) error {
	if err := u.clear(name); err != nil {
		return err
	}
	mode := fs.FileMode(fileMode)
	if executable {
		mode = execMode
	}
	f, err := u.dest.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return full(err)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, r, u.buffer[:])
	u.stats.Bytes += n
	u.stats.Files++
	return errors.Join(full(err), full(f.Close()))
}

// symlink makes a symbolic link that leads to a place below dest.
func (u *unpacker) symlink(name, target string) error {
	if strings.Contains(target, `\`) {
		return invalid("symbolic link %q leads to %q", name, target)
	}
	if err := archive.CheckLink(name, target); err != nil {
		return err
	}
	if err := u.clear(name); err != nil {
		return err
	}
	if err := u.dest.Symlink(target, name); err != nil {
		return full(err)
	}
	u.links[name] = true
	u.stats.Files++
	return nil
}

// hardlink makes a second name of a file that this archive holds.
func (u *unpacker) hardlink(name, target string) error {
	if target == "" || target == name {
		return invalid("hard link %q leads to what is not unpacked", name)
	}
	info, err := u.dest.Lstat(target)
	if err != nil || !info.Mode().IsRegular() {
		return invalid("hard link %q leads to %q, which is no file of this archive", name, target)
	}
	if err := u.clear(name); err != nil {
		return err
	}
	u.stats.Files++
	return full(u.dest.Link(target, name))
}
