package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sitewright/sitewright/internal/storage"
)

// Source is where an archive's bytes come from.
type Source struct {
	// Name of the archive, for messages.
	Name string
	// Size in bytes; -1 when it is not known, for which no .zip can be read.
	Size int64
	// Open reads length bytes from offset; length -1 means to the end. A .tar is opened once, from its beginning.
	Open func(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// File reads an archive from an open file, which stays open.
func File(f *os.File) (Source, error) {
	info, err := f.Stat()
	if err != nil {
		return Source{}, fmt.Errorf("archive %s: %w", filepath.Base(f.Name()), err)
	}
	return Source{Name: filepath.Base(f.Name()), Size: info.Size(), Open: func(_ context.Context, offset, length int64) (io.ReadCloser, error) {
		if length < 0 {
			length = info.Size() - offset
		}
		return io.NopCloser(io.NewSectionReader(f, offset, length)), nil
	}}, nil
}

// Object reads an archive that lies in a store.
func Object(ctx context.Context, s storage.Store, name string) (Source, error) {
	if err := storage.CheckName(name); err != nil {
		return Source{}, fmt.Errorf("archive in %s: %w", s, err)
	}
	info, err := s.Stat(ctx, name)
	if err != nil {
		return Source{}, fmt.Errorf("archive %s in %s: %w", name, s, err)
	}
	return Source{Name: name, Size: info.Size, Open: func(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
		return s.Get(ctx, name, offset, length)
	}}, nil
}

// input is a Source while it is read. It tells failures of the source, which say nothing about the archive, from damage.
type input struct {
	r   io.ReadCloser
	n   int64
	err error
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) && in.err == nil {
		in.err = err
	}
	return n, err
}

// windowBytes is how much of a .zip is fetched at once, and held.
const windowBytes = 4 << 20

// window reads a source at any place, for formats whose table of contents is at their end. What is read mostly goes
// forward. It is not safe for concurrent use.
type window struct {
	ctx    context.Context
	source Source
	at     int64
	buf    []byte
	// left bounds what may be read until it is set anew.
	left int64
	// err is the source's own failure, if there was one.
	err error
}

var errTooMuch = errors.New("more was read than may be")

// ReadAt implements io.ReaderAt.
func (w *window) ReadAt(p []byte, off int64) (n int, err error) {
	if w.left -= int64(len(p)); w.left < 0 {
		return 0, errTooMuch
	}
	for n < len(p) {
		at := off + int64(n)
		if at < 0 || at >= w.source.Size {
			return n, io.EOF
		}
		if at < w.at || at >= w.at+int64(len(w.buf)) {
			if err := w.fetch(at); err != nil {
				w.err = errors.Join(w.err, err)
				return n, err
			}
		}
		n += copy(p[n:], w.buf[at-w.at:])
	}
	return n, nil
}

func (w *window) fetch(at int64) (err error) {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	length := min(windowBytes, w.source.Size-at)
	r, err := w.source.Open(w.ctx, at, length)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if w.buf == nil {
		w.buf = make([]byte, min(windowBytes, w.source.Size))
	}
	w.buf, w.at = w.buf[:length], at
	if _, err := io.ReadFull(r, w.buf); err != nil {
		w.buf = w.buf[:0]
		return fmt.Errorf("reading %d bytes at %d: %w", length, at, err)
	}
	return nil
}
