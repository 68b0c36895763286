package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// CopyOptions say what Copy copies and how long it may wait. The zero value copies everything.
type CopyOptions struct {
	// Prefix limits the copy as DumpOptions.Prefix does.
	Prefix string
	// LockTimeout is as in DumpOptions.
	LockTimeout time.Duration
	// Definer is as in LoadOptions.
	Definer string
	// Stream forbids copying inside the server. It is slower, but keeps writers of the source waiting for an instant
	// only, where a copy inside the server keeps them waiting until the rows are copied.
	Stream bool
	// Progress, if set, is called with the bytes copied so far: of script when streaming, else the server's estimate.
	Progress func(bytes int64)
}

// CopyStats says what a copy did.
type CopyStats struct {
	Tables, DefinersMapped int
	// Server is true if the rows were copied inside the server.
	Server bool
	// Pause is how long writers of the source had to wait.
	Pause time.Duration
}

// Copy makes the target database hold what the source holds, as a dump and a load would. Within one server, and if the
// target's user may read the source (GrantRead), the rows never leave the server; otherwise they are streamed. The
// target's own objects of the same names are replaced, others stay: Clear it first. Errors are as in NewDump and Load;
// what was copied before an error stays.
func Copy(ctx context.Context, source, target Config, options CopyOptions) (CopyStats, error) {
	if source.address() == target.address() && source.Database == target.Database {
		return CopyStats{}, fmt.Errorf("copy %s: %w: source and target are the same database", source, ErrUnsupported)
	}
	if options.Stream || source.address() != target.address() {
		return copyStream(ctx, source, target, options)
	}
	may, err := mayRead(ctx, source, target)
	if err != nil {
		return CopyStats{}, err
	}
	if !may {
		return copyStream(ctx, source, target, options)
	}
	return copyServer(ctx, source, target, options)
}

// mayRead reports whether the target's user sees and may lock the source's tables.
func mayRead(ctx context.Context, source, target Config) (may bool, err error) {
	if source.User == target.User && source.Password == target.Password {
		return true, nil
	}
	target.Database = source.Database
	conn, err := openSession(ctx, target)
	if errors.Is(err, ErrDenied) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.end()) }()
	var n int
	err = conn.QueryRowContext(ctx, `SELECT COUNT(DISTINCT PRIVILEGE_TYPE) FROM (
			SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
			WHERE TABLE_SCHEMA IN (DATABASE(), REPLACE(REPLACE(DATABASE(), '_', '\\_'), '%', '\\%'))
			UNION SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES
			WHERE GRANTEE = CONCAT('\'', REPLACE(CURRENT_USER(), '@', '\'@\''), '\'')) AS p
		WHERE PRIVILEGE_TYPE IN ('SELECT', 'LOCK TABLES')`).Scan(&n)
	return n == 2, Classify(err)
}

func copyStream(ctx context.Context, source, target Config, options CopyOptions) (CopyStats, error) {
	dump, err := NewDump(ctx, source, DumpOptions{Prefix: options.Prefix, LockTimeout: options.LockTimeout, Workers: 1})
	if err != nil {
		return CopyStats{}, err
	}
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := dump.Write(ctx, w)
		_ = w.CloseWithError(err) // always nil
		written <- err
	}()
	stats, loadErr := Load(ctx, target, r, LoadOptions{Definer: options.Definer, Progress: options.Progress})
	_ = r.CloseWithError(loadErr) // ends the writer, if it has not ended
	dumpErr := <-written
	result := CopyStats{Tables: stats.Tables, DefinersMapped: stats.DefinersMapped, Pause: dump.Pause()}
	if err := dump.Close(); err != nil && loadErr == nil {
		return result, err
	}
	if loadErr != nil {
		return result, loadErr // the reader's error holds the writer's, if that came first
	}
	return result, dumpErr
}

// copyServer copies definitions by their text and rows by INSERT … SELECT, under one lock on source and target.
func copyServer(ctx context.Context, source, target Config, options CopyOptions) (stats CopyStats, err error) {
	reader, err := openSession(ctx, source)
	if err != nil {
		return stats, err
	}
	defer func() { err = errors.Join(err, reader.end()) }()
	s, err := readSchema(ctx, reader, options.Prefix)
	if err != nil {
		return stats, err
	}
	d := &writer{schema: s, own: s.names(), prefix: options.Prefix}
	if err := reader.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&d.account); err != nil {
		return stats, Classify(err)
	}
	stats.Server = true
	apply := func(write func(io.Writer) error) error {
		var script bytes.Buffer
		script.WriteString(partHeader)
		if err := write(&script); err != nil {
			return err
		}
		loaded, err := Load(ctx, target, &script, LoadOptions{Definer: options.Definer})
		stats.Tables += loaded.Tables
		stats.DefinersMapped += loaded.DefinersMapped
		return err
	}
	if err := apply(func(w io.Writer) error { return d.tables(ctx, reader, w) }); err != nil {
		return stats, err
	}
	if stats.Pause, err = copyRows(ctx, reader, s, target, options); err != nil {
		return stats, fmt.Errorf("copy %s to %s: %w", source, target, err)
	}
	return stats, apply(func(w io.Writer) error {
		if err := d.objects(w, s.routines); err != nil {
			return err
		}
		if err := d.views(w); err != nil {
			return err
		}
		return d.objects(w, append(append([]object{}, s.triggers...), s.events...))
	})
}

// copyRows copies all rows and returns how long writers of the source waited. The lock makes all tables of one instant:
// the reading half of INSERT … SELECT does not use a transaction's snapshot.
func copyRows(ctx context.Context, reader *session, s *schema, target Config, options CopyOptions) (pause time.Duration, err error) {
	var locks []string
	qualified := func(database, table string) string { return QuoteName(database) + "." + QuoteName(table) }
	for i := range s.tables {
		if t := &s.tables[i]; t.holdsRows() {
			locks = append(locks, qualified(s.database, t.name)+" READ", qualified(target.Database, t.name)+" WRITE")
		}
	}
	if len(locks) == 0 {
		return 0, nil
	}
	for i := range s.sequences { // columns' defaults draw from them
		locks = append(locks, qualified(target.Database, s.sequences[i].name)+" WRITE")
	}
	conn, err := openSession(ctx, target)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.end()) }()
	if err := setLockTimeout(ctx, conn, DumpOptions{LockTimeout: options.LockTimeout}.withDefaults().LockTimeout); err != nil {
		return 0, err
	}
	start := time.Now()
	for _, statement := range []string{"SET SESSION foreign_key_checks=0", "SET SESSION unique_checks=0", "LOCK TABLES " + strings.Join(locks, ", ")} {
		if err := conn.exec(ctx, statement); err != nil {
			return time.Since(start), err
		}
	}
	now, err := readSchema(ctx, reader, options.Prefix)
	if err == nil && !now.sameAs(s) {
		err = ErrChanged
	}
	if err != nil {
		return time.Since(start), err
	}
	var copied int64
	for i := range s.tables {
		t := &s.tables[i]
		columns := quoteNames(columnNames(t.stored()))
		if !t.holdsRows() || columns == "" {
			continue
		}
		err := conn.exec(ctx, "INSERT INTO "+qualified(target.Database, t.name)+" ("+columns+") SELECT "+columns+" FROM "+
			qualified(s.database, t.name))
		if err != nil {
			return time.Since(start), fmt.Errorf("table %s: %w", QuoteName(t.name), err)
		}
		if copied += t.bytes; options.Progress != nil {
			options.Progress(copied)
		}
	}
	err = conn.exec(ctx, "UNLOCK TABLES")
	return time.Since(start), err
}
