package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	defaultStatement   = 1 << 20
	defaultWorkers     = 2
	defaultLockTimeout = 10 * time.Second
	// snapshotAttempts is how often NewDump begins again when tables change under it.
	snapshotAttempts = 3
)

// DumpOptions say what a dump holds and how it is made. The zero value dumps everything.
type DumpOptions struct {
	// Prefix limits the dump to tables, views, sequences, routines and events whose names begin with it, and to the
	// triggers of those tables. It is compared byte for byte.
	Prefix string
	// MaxStatementBytes bounds an INSERT; a single row that is larger gets a statement of its own. 0 means 1 MiB; the
	// server's max_allowed_packet bounds it too.
	MaxStatementBytes int
	// Workers is how many parts may be written at the same time, each over a connection of its own; 0 means 2.
	Workers int
	// Quiesce keeps writers out until Close, so that the caller can read files at the same instant.
	Quiesce bool
	// LockTimeout bounds the wait for running transactions to let the lock in; 0 means 10 s. Writers that come after
	// the request wait too, so this also bounds the pause.
	LockTimeout time.Duration
}

func (o DumpOptions) withDefaults() DumpOptions {
	if o.MaxStatementBytes <= 0 {
		o.MaxStatementBytes = defaultStatement
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	return o
}

// Part is one piece of a dump. All parts in order make one script; each part can be loaded alone once "000-schema.sql"
// is there, and table parts in any order or at the same time.
type Part struct {
	// Name is a file name, unique in the dump, and sorts in the order in which parts are to be loaded.
	Name string
	// Table is the table whose rows the part holds; "" for definitions.
	Table string
	// Rows and Bytes are the server's estimates of the table's size; 0 for definitions.
	Rows, Bytes int64

	write func(ctx context.Context, conn *session, w io.Writer) error
	// readers are the connections one of which must write the part.
	readers chan *session
}

// Dump is one consistent snapshot of a database, open for reading until Close.
type Dump struct {
	options DumpOptions
	copying *Copying // nil if it is none
	schema  *schema
	script  *writer
	parts   []Part
	workers chan *session
	// locker holds the lock on the tables without transactions, and reads them: for another session, a writer that
	// waits for the lock would stand before the reader.
	locker chan *session
	// keeper does the same for all other tables if need be (see openTables); else it is nil.
	keeper chan *session
	all    []*session // every connection, to close

	mu       sync.Mutex
	pause    time.Duration
	lockedAt time.Time // of the lock that is still held; zero if none is
}

// NewDump takes a consistent snapshot: every worker's transaction begins under one LOCK TABLES … READ, which is released
// at once. Tables of engines without transactions (MyISAM, Aria) stay locked until Close, since no snapshot covers
// them. The user needs SELECT, LOCK TABLES, SHOW VIEW, TRIGGER and EVENT on the database, no global privilege. Errors:
// the classes of Classify; ErrBusy if the lock was not granted in time, ErrChanged if definitions keep changing.
func NewDump(ctx context.Context, config Config, options DumpOptions) (*Dump, error) {
	return newDump(ctx, config, options, nil)
}

// newDump takes a snapshot for a copy, or for itself if that is nil.
func newDump(ctx context.Context, config Config, options DumpOptions, copying *Copying) (*Dump, error) {
	options = options.withDefaults()
	for attempt := 1; ; attempt++ {
		d := &Dump{options: options, copying: copying}
		err := d.open(ctx, config)
		if err == nil {
			return d, nil
		}
		_ = d.Close()
		if !errors.Is(err, ErrChanged) || attempt == snapshotAttempts || ctx.Err() != nil {
			return nil, fmt.Errorf("dump %s: %w", config, err)
		}
	}
}

func (d *Dump) open(ctx context.Context, config Config) error {
	d.workers, d.locker = make(chan *session, d.options.Workers), make(chan *session, 1)
	var workers []*session
	for range d.options.Workers {
		conn, err := d.connect(ctx, config)
		if err != nil {
			return err
		}
		workers = append(workers, conn)
	}
	before, err := readSchema(ctx, workers[0], d.options.Prefix)
	if err != nil {
		return err
	}
	if d.copying != nil {
		if err := d.copying.prepare(ctx, workers[0], before); err != nil {
			return err
		}
	}
	if err := d.snapshot(ctx, config, before, workers); err != nil {
		return err
	}
	// Read again: what is the same before and after the lock was the same under it. So the lock is held for no
	// longer than the transactions need to begin.
	if d.schema, err = readSchema(ctx, workers[0], d.options.Prefix); err != nil {
		return err
	}
	if !d.schema.sameAs(before) {
		return ErrChanged
	}
	d.script = &writer{schema: d.schema, own: d.schema.names(), prefix: d.options.Prefix}
	if err := workers[0].QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&d.script.account); err != nil {
		return Classify(err)
	}
	if err := d.limitStatements(ctx, workers[0]); err != nil {
		return err
	}
	d.plan()
	for _, conn := range workers {
		d.workers <- conn
	}
	return nil
}

func (d *Dump) connect(ctx context.Context, config Config) (*session, error) {
	conn, err := openSession(ctx, config)
	if err == nil {
		d.all = append(d.all, conn)
	}
	return conn, err
}

// limitStatements keeps statements within what the server itself would take.
func (d *Dump) limitStatements(ctx context.Context, conn *session) error {
	const command = 64 // a packet holds more than the statement
	var packet int
	if err := conn.QueryRowContext(ctx, "SELECT @@max_allowed_packet").Scan(&packet); err != nil {
		return fmt.Errorf("read max_allowed_packet: %w", Classify(err))
	}
	d.options.MaxStatementBytes = max(1, min(d.options.MaxStatementBytes, packet-command))
	return nil
}

// plan makes the list of parts.
func (d *Dump) plan() {
	s := d.schema
	add := func(name string, write func(context.Context, *session, io.Writer) error) {
		d.parts = append(d.parts, Part{Name: name, write: write, readers: d.workers})
	}
	objects := func(name string, list []object) {
		if len(list) > 0 {
			add(name, func(_ context.Context, _ *session, w io.Writer) error { return d.script.objects(w, list) })
		}
	}
	if d.copying.inside() {
		add(schemaPart, d.script.states) // tables are made
	} else {
		add(schemaPart, d.script.tables)
	}
	for i := range s.tables {
		t := &s.tables[i]
		if !t.holdsRows() {
			continue
		}
		d.parts = append(d.parts, Part{
			Name:  fmt.Sprintf(tablePart+"%05d-%s.sql", i+1, fileName(t.name)),
			Table: t.name, Rows: t.rows, Bytes: t.bytes, readers: d.readers(t),
			write: func(ctx context.Context, conn *session, w io.Writer) error {
				return writeRows(ctx, conn, w, t, d.rows(t), d.options.MaxStatementBytes)
			},
		})
	}
	objects("800-routines.sql", s.routines) // before the views that call them
	if len(s.views) > 0 {
		add("810-views.sql", func(_ context.Context, _ *session, w io.Writer) error { return d.script.views(w) })
	}
	objects("820-triggers.sql", s.triggers) // after the rows, for which they must not fire
	objects("830-events.sql", s.events)
}

// rows are those of a table which the dump is to hold: all, or those that the server does not copy.
func (d *Dump) rows(t *table) split {
	if d.copying.inside() {
		if copied := d.copying.server.table(t.name); copied != nil {
			return copied.split
		}
	}
	return split{verb: "INSERT"}
}

// readers are the connections over which a table can be read as it was at the snapshot's instant.
func (d *Dump) readers(t *table) chan *session {
	switch {
	case !t.transactional():
		return d.locker
	case d.keeper != nil:
		return d.keeper
	}
	return d.workers
}

// fileName keeps what is safe in a file name on any storage.
func fileName(table string) string {
	safe := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-') {
			return r
		}
		return '_'
	}, table)
	return safe[:min(len(safe), 64)]
}
