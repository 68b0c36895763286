package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The bounds of an archive's content, where Limits name no others.
const (
	maxEntries = 500_000
	maxBytes   = 16 << 30
	// maxRatio is what sites never reach; a bomb is a thousand times smaller than what it unpacks to. It is not looked at
	// below ratioFrom bytes.
	maxRatio  = 200
	ratioFrom = 64 << 20
	// maxWindow bounds the memory that a zstd archive can ask for.
	maxWindow = 128 << 20
	// maxDirectory bounds a .zip's table of contents, which is held in memory.
	maxDirectory = 32 << 20
)

// Limits bound what an archive may hold. Zero members have generous defaults.
type Limits struct {
	// Entries, Bytes and Ratio bound what comes out: entries of any kind, bytes, and bytes per byte of archive.
	Entries, Bytes, Ratio int64
	// RawNames takes names as bytes, as Linux does, instead of insisting on UTF-8 without backslashes.
	RawNames bool
	// Progress is told how many bytes of the archive of how many are dealt with. May be nil.
	Progress func(done, total int64)
}

func (l *Limits) complete() {
	for _, d := range []struct {
		value *int64
		usual int64
	}{{&l.Entries, maxEntries}, {&l.Bytes, maxBytes}, {&l.Ratio, maxRatio}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
}

// Entry is one thing in an archive.
type Entry struct {
	// Name is relative to the archive's top, with '/' between its parts; "" is the top itself.
	Name string
	// Mode has the type, a regular file's for a hard link too, and the permission bits.
	Mode fs.FileMode
	// ModTime is within what a snapshot can hold.
	ModTime  time.Time
	UID, GID int
	// Link is the target of a symbolic link, unchecked but for its length: see CheckLink.
	Link string
	// Same is set for a hard link: the name of the entry that it is another name of, not known to be there.
	Same string
}

// Read reads an archive, told apart by its content, and calls visit for each of its entries in their order, with the
// content of a regular file. Names are checked (see Refusal), devices, pipes and sockets are refused, and so is what is
// beyond the limits, at the moment it is reached. Errors of visit end the reading and are returned as they are.
//
// Read knows no tree: that an entry comes twice, or goes through a link, is for the caller to see.
func Read(ctx context.Context, source Source, limits Limits, visit func(e *Entry, content io.Reader) error) error {
	limits.complete()
	opened, err := source.Open(ctx, 0, -1)
	if err != nil {
		return fmt.Errorf("archive %s: %w", source.Name, err)
	}
	r := &reader{ctx: ctx, source: source, limits: limits, visit: visit, in: &input{r: opened}}
	err = r.read()
	if err = errors.Join(err, opened.Close()); err != nil {
		return fmt.Errorf("archive %s: %w", source.Name, err)
	}
	return nil
}

// reader is one run of Read.
type reader struct {
	ctx    context.Context
	source Source
	limits Limits
	visit  func(e *Entry, content io.Reader) error
	in     *input

	entries int64
	// out is what came out of the decompression, and content what was in files: the two differ by the tar's own headers,
	// and by the holes of sparse files.
	out, content int64
	// used is how much of a .zip was dealt with, which is not read in order.
	used int64
}

func (r *reader) read() error {
	in := bufio.NewReaderSize(r.in, 256<<10)
	head, err := in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(in)
		if err != nil {
			return r.damaged("", err)
		}
		return r.tar(z)
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return r.damaged("", err)
		}
		defer z.Close()
		return r.tar(z)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return r.zip()
	case len(head) == 512 && string(head[257:262]) == "ustar":
		return r.tar(in)
	}
	return refuseAll("it is no .tar.gz, .tar.zst, .tar or .zip")
}

// begin counts an entry and checks its name.
func (r *reader) begin(name string) (string, error) {
	if r.entries++; r.entries > r.limits.Entries {
		return "", refuse(name, "is one too many: more than %d are not taken", r.limits.Entries)
	}
	if err := r.ctx.Err(); err != nil {
		return "", err
	}
	return clean(name, r.limits.RawNames)
}

// bound stops an archive that unpacks to too much.
func (r *reader) bound(entry string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	consumed := r.in.n
	if r.used > 0 {
		consumed = min(r.used, r.source.Size) // Entries of a .zip may overlap, and count once.
	}
	if r.limits.Progress != nil {
		r.limits.Progress(consumed, max(r.source.Size, consumed))
	}
	out := max(r.out, r.content)
	if out > r.limits.Bytes {
		return refuse(entry, "makes the archive unpack to more than %d MiB", r.limits.Bytes>>20)
	}
	if out > ratioFrom && out/r.limits.Ratio > consumed {
		return refuse(entry, "makes the archive unpack to more than %d times its size", r.limits.Ratio)
	}
	return nil
}

// damaged words an error of a decoder. An error of the source, or one that was worded before, stays what it is.
func (r *reader) damaged(entry string, err error) error {
	switch {
	case r.in.err != nil:
		return r.in.err
	case errors.Is(err, ErrInvalid), r.ctx.Err() != nil:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refuse(entry, "is cut off: the archive ends in the middle")
	case entry == "":
		return refuseAll("it is damaged: %v", err)
	}
	return refuse(entry, "is damaged: %v", err)
}

// file is the content of one entry. It bounds the whole and words what goes wrong.
type file struct {
	*reader
	entry string
	r     io.Reader
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	f.content += int64(n)
	if boundErr := f.bound(f.entry); boundErr != nil {
		return 0, boundErr
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = f.damaged(f.entry, err)
	}
	return n, err
}

// offer calls visit, and reads what it left of the content, so that its end is seen to be right.
func (r *reader) offer(e *Entry, entry string, content io.Reader) error {
	f := &file{reader: r, entry: entry, r: content}
	if err := r.visit(e, f); err != nil {
		return err
	}
	if !e.Mode.IsRegular() || e.Same != "" {
		return nil
	}
	_, err := io.Copy(io.Discard, f)
	return err
}

// sane keeps a time within what nanoseconds since 1970 can say.
func sane(t time.Time) time.Time {
	if t.Before(time.Unix(0, math.MinInt64)) || t.After(time.Unix(0, math.MaxInt64)) {
		return time.Unix(0, 0)
	}
	return t
}
