package rewrite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

const (
	windowSize = 256 << 10
	// maxToken is the largest literal accepted: servers allow packets of at
	// most 1 GiB, escaping can double that.
	maxToken = 2 << 30
	// maxWord is the longest word that can still be a name or a keyword.
	maxWord = 4 << 10
	// lookahead is what must be in the window to tell how a comment begins.
	lookahead = 16
)

// ErrTruncated is wrapped by the error of SQL when a dump ends inside a
// literal, a quoted name or a comment. Everything read has been written.
var ErrTruncated = errors.New("the dump ends in the middle of a statement; it is probably truncated")

// SQL copies an SQL dump from src to dst and rewrites it on the way: string
// literals as Value does, table names to the new prefix. Whatever does not
// change is copied byte for byte. Memory is bounded by a small window, or by
// a few times the longest literal.
func (r *Rewriter) SQL(ctx context.Context, src io.Reader, dst io.Writer) (Report, error) {
	return r.sql(ctx, src, dst, windowSize)
}

func (r *Rewriter) sql(ctx context.Context, src io.Reader, dst io.Writer, window int) (Report, error) {
	f := filter{
		r: r, src: src, dst: bufio.NewWriterSize(dst, window),
		buf: make([]byte, window), parser: parser{names: &r.names}, delimiter: []byte{';'},
	}
	err := f.run(ctx)
	if flushErr := f.dst.Flush(); flushErr != nil && err == nil {
		err = fmt.Errorf("writing the rewritten dump: %w", flushErr)
	}
	return f.tally.finish(), err
}

// filter is one pass over a dump: a window over the source and a tokeniser.
//
//	buf: | written | copied … pos | unread … end | free |
type filter struct {
	r   *Rewriter
	src io.Reader
	dst *bufio.Writer

	buf              []byte
	copied, pos, end int
	eof              bool

	hits   [maxNeedles]int // where each anchor comes next in buf; end when it does not
	mode   mode
	parser parser
	ticked bool // a name in backticks has just ended
	tally  tally

	session    session
	definition definition
	delimiter  []byte // what ends a statement

	// The literal at hand, unescaped, rewritten, and a part of it escaped again.
	plain, room, scratch []byte
}

func (f *filter) run(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("rewriting the dump: %w", context.Cause(ctx))
		}
		if err := f.fill(); err != nil {
			return err
		}
		for f.pos < f.end && f.token() {
		}
		if f.eof {
			return f.finish()
		}
	}
}

// finish writes what is left when the source has ended.
func (f *filter) finish() error {
	whole := f.pos >= f.end && f.mode != inBlockComment
	f.pos = f.end
	if err := f.flush(); err != nil {
		return err
	}
	if !whole {
		return fmt.Errorf("rewriting the dump: %w", ErrTruncated)
	}
	return nil
}

// fill writes what was read and reads more. The window grows when a single
// token fills it.
func (f *filter) fill() error {
	if err := f.flush(); err != nil {
		return err
	}
	rest := copy(f.buf, f.buf[f.pos:f.end])
	f.copied, f.pos, f.end = 0, 0, rest
	if rest == len(f.buf) {
		if len(f.buf) >= maxToken {
			return fmt.Errorf("rewriting the dump: a literal is longer than %d bytes, which no server accepts", maxToken)
		}
		grown := make([]byte, 2*len(f.buf))
		copy(grown, f.buf)
		f.buf = grown
	}
	n, err := io.ReadFull(f.src, f.buf[f.end:])
	f.end += n
	f.eof = err != nil
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("reading the dump: %w", err)
	}
	for i := range f.r.needles {
		f.hits[i] = f.r.needles[i].anchor.index(f.buf[:f.end], 0)
	}
	return nil
}

// flush writes everything up to pos that has not been written.
func (f *filter) flush() error {
	return f.write(f.buf[f.copied:f.pos])
}

func (f *filter) write(b []byte) error {
	if _, err := f.dst.Write(b); err != nil {
		return fmt.Errorf("writing the rewritten dump: %w", err)
	}
	return nil
}

// replace writes what comes before start, then with in place of buf[start:pos].
// A failed write is met again by the next flush: bufio.Writer remembers it.
func (f *filter) replace(start int, with []byte) {
	_ = f.write(f.buf[f.copied:start])
	_ = f.write(with)
	f.copied = f.pos
}

// mentions reports whether an anchor begins in buf[start:end]. Every byte of
// the window is searched once, however many literals it holds.
func (f *filter) mentions(start, end int) bool {
	for i := range f.r.needles {
		if f.hits[i] < start {
			f.hits[i] = f.r.needles[i].anchor.index(f.buf[:f.end], start)
		}
		if f.hits[i] < end {
			return true
		}
	}
	return false
}
