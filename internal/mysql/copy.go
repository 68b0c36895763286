package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sitewright/sitewright/internal/stream"
)

// Rewriter changes a site's addresses and table names while it is copied.
type Rewriter interface {
	// SQL copies a part of a dump and changes it on the way. Parts are copied at the same time.
	SQL(ctx context.Context, script io.Reader, to io.Writer) error
	// Needles are what a value must hold at least one of for SQL to change it: bytes without quotes, backslashes and
	// control characters.
	Needles() [][]byte
	// Table is the name that SQL gives a table.
	Table(name string) string
}

// CopyOptions say what a copy holds and how long it may wait. The zero value copies everything as it is.
type CopyOptions struct {
	// Prefix limits the copy as DumpOptions.Prefix does.
	Prefix string
	// LockTimeout is as in DumpOptions.
	LockTimeout time.Duration
	// Definer is as in LoadOptions.
	Definer string
	// Rewrite, if set, makes the Rewriter for a source which holds these tables. It is called again if the tables
	// change while the copy begins.
	Rewrite func(tables []string) (Rewriter, error)
	// Stream forbids copying inside the server.
	Stream bool
	// Progress, if set, is called while the copy runs with the bytes copied so far, of those which Copying.Bytes says.
	Progress func(bytes int64)
}

// CopyStats says what a copy did.
type CopyStats struct {
	Tables, DefinersMapped int
	// Server is how many tables were copied inside the server, but for rows which the Rewriter may change.
	Server int
	// Pause is how long writers of the source had to wait.
	Pause time.Duration
}

// SourceError is an error of reading the source, as opposed to one of filling the target.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

func (e *SourceError) Unwrap() error { return e.Err }

// Copy makes the target database hold what the source holds, as a dump and a load would: see NewCopy. What was copied
// before an error stays.
func Copy(ctx context.Context, source, target Config, options CopyOptions) (stats CopyStats, err error) {
	c, err := NewCopy(ctx, source, target, options)
	if err != nil {
		return CopyStats{}, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return c.Run(ctx)
}

// Copying is a copy whose instant is taken, ready to Run, until Close.
type Copying struct {
	source, target Config
	options        CopyOptions
	dump           *Dump
	parts          *partsLoader
	rewriter       Rewriter
	// server copies tables inside the server; it has none if that is not possible.
	server serverCopy
	// ofTarget says that an error of NewCopy is not one of reading the source.
	ofTarget bool
}

// NewCopy takes the instant which the copy is of, as NewDump does: writers of the source wait as long as for a dump.
//
// Rows of large tables are copied inside the server if both databases are on one MariaDB, the target's user may SELECT
// from the source (GrantRows); only those that the Rewriter may change leave the server and come back. Everything else
// is streamed, as are tables of which most may change, and those without transactions or without a primary key. The result is the same. The target's own
// objects of the same names are replaced, others stay: Clear it first. To copy inside the server NewCopy makes the
// tables already. Errors are as in NewDump and Load; those of reading the source are SourceErrors.
func NewCopy(ctx context.Context, source, target Config, options CopyOptions) (*Copying, error) {
	if source.address() == target.address() && source.Database == target.Database {
		return nil, fmt.Errorf("copy %s: %w: source and target are the same database", source, ErrUnsupported)
	}
	c := &Copying{source: source, target: target, options: options}
	c.parts = newPartsLoader(target, LoadOptions{Definer: options.Definer})
	var err error
	c.dump, err = newDump(ctx, source, DumpOptions{Prefix: options.Prefix, LockTimeout: options.LockTimeout}, c)
	if err != nil && !c.ofTarget {
		err = &SourceError{err}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Bytes is the server's estimate of what is to be copied.
func (c *Copying) Bytes() (n int64) {
	for _, part := range c.dump.parts {
		n += part.Bytes
	}
	return n
}

// Run copies, once.
func (c *Copying) Run(ctx context.Context) (CopyStats, error) {
	var sources []Source
	for _, part := range c.dump.parts {
		s := Source{Name: part.Name, Size: part.Bytes, Open: c.opener(part)}
		if table := c.server.table(part.Table); table != nil {
			s.fill = func(ctx context.Context) (string, error) { return table.target, c.server.fill(ctx, table) }
		}
		sources = append(sources, s)
	}
	c.parts.progress.report = c.options.Progress
	err := c.parts.load(ctx, sources)
	stats := CopyStats{Tables: c.parts.stats.Tables, DefinersMapped: c.parts.stats.DefinersMapped, Server: len(c.server.tables), Pause: c.dump.Pause()}
	if err != nil {
		return stats, fmt.Errorf("copy %s to %s: %w", c.source, c.target, err)
	}
	return stats, nil
}

// opener begins to read a part as it is to be loaded.
func (c *Copying) opener(part Part) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		return c.rewritten(ctx, func(w io.Writer) error { return fromSource(c.dump.WritePart(ctx, part, w)) }), nil
	}
}

// rewritten is what write writes, through the Rewriter.
func (c *Copying) rewritten(ctx context.Context, write func(io.Writer) error) io.ReadCloser {
	script := stream.Of(write)
	if c.rewriter == nil {
		return script
	}
	return stream.Of(func(w io.Writer) error { return errors.Join(c.rewriter.SQL(ctx, script, w), script.Close()) })
}

func fromSource(err error) error {
	if err == nil || errors.Is(err, io.ErrClosedPipe) { // the reader gave up, which says why
		return err
	}
	return &SourceError{err}
}

// inside reports whether tables are copied inside the server.
func (c *Copying) inside() bool { return c != nil && len(c.server.made) > 0 }

// Pause is as Dump.Pause.
func (c *Copying) Pause() time.Duration { return c.dump.Pause() }

// Close ends the copy and releases the source. It must not run at the same time as Run.
func (c *Copying) Close() error {
	err := errors.Join(c.server.end(), c.parts.end())
	if c.dump != nil {
		err = errors.Join(err, c.dump.Close())
	}
	return err
}

// prepare comes before the lock on the source: it chooses the tables to copy inside the server, and makes their
// target's.
func (c *Copying) prepare(ctx context.Context, reader *session, s *schema) (err error) {
	defer func() { c.ofTarget = err != nil }()
	if err := c.server.end(); err != nil { // of an earlier attempt
		return err
	}
	if c.options.Rewrite != nil {
		if c.rewriter, err = c.options.Rewrite(s.tableNames()); err != nil {
			return err
		}
	}
	if c.options.Stream {
		return nil
	}
	c.server.source, c.server.target, c.server.rewriter = c.source.Database, c.target, c.rewriter
	if err := c.server.choose(ctx, reader, s); err != nil || len(c.server.tables) == 0 {
		return errors.Join(err, c.server.dropMade(ctx))
	}
	if err := c.makeTables(ctx, reader, s); err != nil {
		return err
	}
	return c.server.connect(ctx)
}

// begin begins what the server copies, while the lock on the source is held.
func (c *Copying) begin(ctx context.Context) error {
	err := c.server.begin(ctx)
	c.ofTarget = err != nil
	return err
}

// makeTables makes all tables of the schema in the target, without keys that can be added later.
func (c *Copying) makeTables(ctx context.Context, reader *session, s *schema) error {
	if err := c.server.dropMade(ctx); err != nil {
		return err
	}
	c.server.made = nil
	for _, name := range s.tableNames() {
		c.server.made = append(c.server.made, c.server.name(name))
	}
	script := &writer{schema: s, own: s.names(), prefix: c.options.Prefix}
	c.parts.stats = LoadStats{Complete: true}
	return c.parts.run(ctx, []Source{{Name: schemaPart, Open: func(ctx context.Context) (io.ReadCloser, error) {
		return c.rewritten(ctx, func(w io.Writer) error {
			return writeScript(w, func(w io.Writer) error { return script.tables(ctx, reader, w) })
		}), nil
	}}}, 1)
}
