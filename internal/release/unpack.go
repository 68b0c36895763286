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
	"unicode/utf8"
)

// The bounds of an archive's content, where Limits names no others.
const (
	maxEntries = 500_000
	maxBytes   = 16 << 30
	// maxRatio is what source code and images never reach; a bomb is a thousand times smaller than what it unpacks to.
	// It is not looked at below ratioFrom bytes.
	maxRatio  = 200
	ratioFrom = 64 << 20
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
// archives that unpack to more than Options allow. Permissions become 0755 and 0644.
func Unpack(ctx context.Context, archive *os.File, dest *os.Root, o Options) (Stats, error) {
	info, err := archive.Stat()
	if err != nil {
		return Stats{}, fmt.Errorf("unpacking %s: %w", archive.Name(), err)
	}
	o.complete()
	u := &unpacker{ctx: ctx, dest: dest, o: o, size: info.Size(), links: map[string]bool{}, made: map[string]bool{".": true}}
	if err := u.unpack(archive); err != nil {
		return Stats{}, fmt.Errorf("unpacking %s: %w", path.Base(archive.Name()), err)
	}
	if u.stats.Files == 0 {
		return Stats{}, fmt.Errorf("unpacking %s: %w: it holds no files (stripComponents is %d)", path.Base(archive.Name()),
			ErrInvalid, o.StripComponents)
	}
	return u.stats, nil
}

func (o *Options) complete() {
	for _, d := range []struct {
		value *int64
		usual int64
	}{{&o.MaxEntries, maxEntries}, {&o.MaxBytes, maxBytes}, {&o.MaxRatio, maxRatio}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
}

// unpacker is one run of Unpack. links and made are the symbolic links and directories that this run has made, by
// their cleaned names.
type unpacker struct {
	ctx     context.Context
	dest    *os.Root
	o       Options
	size    int64 // of the archive
	entries int64
	stats   Stats
	links   map[string]bool
	made    map[string]bool
	buffer  [64 << 10]byte
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// local checks the name of an entry and strips its leading components. An empty answer means to leave the entry out.
func (u *unpacker) local(name string) (string, error) {
	if u.entries++; u.entries > u.o.MaxEntries {
		return "", invalid("it has more than %d entries", u.o.MaxEntries)
	}
	if err := u.ctx.Err(); err != nil {
		return "", err
	}
	return u.strip(name)
}

func (u *unpacker) strip(name string) (string, error) {
	if !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\\") || len(name) > 4096 {
		return "", invalid("%q is no file name", name)
	}
	if strings.HasPrefix(name, "/") {
		return "", invalid("%q is an absolute path", name)
	}
	var parts []string
	for p := range strings.SplitSeq(name, "/") {
		switch p {
		case "", ".":
		case "..":
			return "", invalid("%q climbs out of its directory", name)
		default:
			parts = append(parts, p)
		}
	}
	if len(parts) <= u.o.StripComponents {
		return "", nil
	}
	return path.Join(parts[u.o.StripComponents:]...), nil
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

// file writes one regular file. consumed tells how much of the archive was read so far.
func (u *unpacker) file(name string, executable bool, r io.Reader, consumed func() int64) error {
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
	err = u.copy(name, f, r, consumed)
	u.stats.Files++
	return errors.Join(err, full(f.Close()))
}

func (u *unpacker) copy(name string, w io.Writer, r io.Reader, consumed func() int64) error {
	for {
		n, err := r.Read(u.buffer[:])
		u.stats.Bytes += int64(n)
		if _, err := w.Write(u.buffer[:n]); err != nil {
			return full(err)
		}
		if boundErr := u.bound(consumed()); boundErr != nil {
			return boundErr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return damaged(name, err)
		}
	}
}

// bound stops an archive that unpacks to too much.
func (u *unpacker) bound(consumed int64) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if u.o.Progress != nil {
		u.o.Progress(min(consumed, u.size), u.size)
	}
	if u.stats.Bytes > u.o.MaxBytes {
		return invalid("it unpacks to more than %d MiB", u.o.MaxBytes>>20)
	}
	if u.stats.Bytes > ratioFrom && u.stats.Bytes > u.o.MaxRatio*max(consumed, 1) {
		return invalid("it unpacks to more than %d times its size", u.o.MaxRatio)
	}
	return nil
}

func damaged(name string, err error) error {
	if errors.Is(err, ErrInvalid) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return invalid("it is damaged at %q: %v", name, err)
}

// symlink makes a symbolic link that leads to a place below dest. The target is any number of ".." and then names: with
// ".." behind a name, another link could turn a harmless look into a way out.
func (u *unpacker) symlink(name, target string) error {
	if target == "" || strings.HasPrefix(target, "/") || strings.ContainsAny(target, "\x00\\") {
		return invalid("symbolic link %q leads to %q", name, target)
	}
	climbs, down := 0, false
	for p := range strings.SplitSeq(target, "/") {
		if p == ".." && down {
			return invalid("symbolic link %q leads to %q", name, target)
		}
		if p == ".." {
			climbs++
		} else if p != "" && p != "." {
			down = true
		}
	}
	if climbs > strings.Count(name, "/") {
		return invalid("symbolic link %q leads out, to %q", name, target)
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
	info, err := u.dest.Lstat(target)
	if err != nil || !info.Mode().IsRegular() || target == name {
		return invalid("hard link %q leads to %q, which is no file of this archive", name, target)
	}
	if err := u.clear(name); err != nil {
		return err
	}
	u.stats.Files++
	return full(u.dest.Link(target, name))
}
