package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

// commitEvery is after how many bytes of rows Load commits, but for a table's first statement, which is committed at once:
// MariaDB 10.6 and later collect what one transaction adds to an empty table in temporary files, which takes twice as
// long as adding it.
const commitEvery = 16 << 20

// LoadOptions say how a script is loaded. The zero value is right for a dump of this package.
type LoadOptions struct {
	// Definer, as user@host, is put in the place of definers which do not exist or which the loading user may not
	// set. Empty means the loading user, who is always allowed.
	Definer string
	// SingleDatabase accepts CREATE DATABASE and USE of one and the same name, as mysqldump --databases writes them,
	// and ignores them. Without it they are refused.
	SingleDatabase bool
	// MaxStatement is the longest statement to take, in bytes; 0 means DefaultMaxStatement.
	MaxStatement int
	// Workers is how many parts LoadParts loads at the same time, each over a connection of its own; 0 means 2.
	Workers int
	// Progress, if set, is called after each statement with the bytes of the script used so far, of all parts together.
	// It is not called by two at a time.
	Progress func(bytes int64)
}

// LoadStats says what a load did.
type LoadStats struct {
	// Statements were run, Tables created, Definers mapped to another account.
	Statements, Tables, DefinersMapped int
	// Bytes of script were read.
	Bytes int64
	// Complete is true when the script ended with the line "-- Dump completed", which mysqldump, mariadb-dump and
	// this package write. A script without it may have been cut off between two statements.
	Complete bool
}

// loader runs a script over one session.
type loader struct {
	conn     *session
	scanner  *Scanner
	judge    judge
	definers *definers
	keys     *lateKeys
	stats    LoadStats
	progress func(int64)
	pending  int64  // bytes since the last commit
	table    string // to which rows were added last
	lexing   lexing
}

// Load runs a script, which may be one of this package or of mysqldump or mariadb-dump, in the database which config
// names. The script is not trusted: it may create, alter, drop and fill what is in the target database, and nothing
// else (ErrRefused names the statement and its offset); everything else is up to the privileges of the user, who should
// therefore be the site's, not an administrator. What was run before an error stays, and tables may still lack keys
// then, so load into an empty database, or Clear it and load again. Memory is bounded by the longest statement.
//
// Secondary and foreign keys are added after the rows.
func Load(ctx context.Context, config Config, r io.Reader, options LoadOptions) (stats LoadStats, err error) {
	l, err := newLoader(ctx, config, newLateKeys(), options)
	if err != nil {
		return LoadStats{}, err
	}
	defer func() { err = errors.Join(err, l.conn.end()) }()
	if stats, err = l.run(ctx, r, options); err == nil {
		err = l.keys.finish(ctx, l.conn)
	}
	if err != nil {
		return stats, fmt.Errorf("load %s: %w", config, err)
	}
	return stats, nil
}

func newLoader(ctx context.Context, config Config, keys *lateKeys, options LoadOptions) (*loader, error) {
	conn, err := openSession(ctx, config)
	if err != nil {
		return nil, err
	}
	l := &loader{conn: conn, keys: keys, progress: options.Progress}
	if err := l.prepare(ctx, config, options); err != nil {
		return nil, errors.Join(fmt.Errorf("load %s: %w", config, err), conn.end())
	}
	return l, nil
}

// run runs a script to its end, commits, and adds the keys of the table whose rows came last.
func (l *loader) run(ctx context.Context, r io.Reader, options LoadOptions) (LoadStats, error) {
	l.scanner, l.stats = NewScanner(r, options.MaxStatement), LoadStats{}
	l.judge.mode, l.lexing = sqlmode.Mode{}, lexUnknown // as prepare, or the end of a part, leaves the session
	l.judge.definer = func(user, host string) (string, error) { return l.definers.instead(ctx, user, host) }
	for l.scanner.Scan() {
		if err := l.statement(ctx); err != nil {
			return l.result(), fmt.Errorf("statement at byte %d (%s): %w", l.scanner.Offset(), excerpt(l.scanner.Statement()), err)
		}
		if l.progress != nil {
			l.progress(l.scanner.Read())
		}
	}
	if err := l.scanner.Err(); err != nil {
		return l.result(), err
	}
	return l.result(), l.endTable(ctx)
}

func (l *loader) result() LoadStats {
	l.stats.Bytes, l.stats.Complete = l.scanner.Read(), l.scanner.Complete()
	return l.stats
}

func (l *loader) prepare(ctx context.Context, config Config, options LoadOptions) error {
	server, err := readServer(ctx, l.conn)
	if err != nil {
		return err
	}
	l.judge = judge{database: config.Database, server: server, single: options.SingleDatabase}
	if l.definers, err = newDefiners(ctx, l.conn, options.Definer); err != nil {
		return err
	}
	// One commit for many rows; a dump of this package checks nothing it need not, others say so themselves.
	return l.conn.exec(ctx, "SET SESSION autocommit=0")
}

func (l *loader) statement(ctx context.Context) error {
	text := l.scanner.Statement()
	if l.scanner.Executable() {
		text = resolveComments(text, l.judge.mode, l.judge.server)
	}
	j, err := l.judge.statement(text)
	if err != nil || j.verdict == skip {
		return err
	}
	if err := l.before(ctx, &j); err != nil {
		return err
	}
	if err := l.exec(ctx, &j); err != nil {
		return err
	}
	l.stats.Statements++
	l.stats.Tables += j.tables
	l.stats.DefinersMapped += j.mapped
	if j.setMode {
		if err := l.readMode(ctx); err != nil {
			return err
		}
	}
	first := j.fills != "" && j.fills != l.table
	if j.fills != "" {
		l.table = j.fills
	}
	if l.pending += int64(len(j.text)); l.pending >= commitEvery || first {
		return l.commit(ctx)
	}
	return nil
}

// exec runs a statement. A table to which an older one refers, which the script has not replaced yet, needs its keys at once.
func (l *loader) exec(ctx context.Context, j *judged) error {
	err := l.conn.exec(ctx, string(j.text))
	if server, ok := errors.AsType[*driver.MySQLError](err); ok && server.Number == cannotCreate && j.whole != nil {
		err = l.conn.exec(ctx, string(l.keys.defers(j.creates, j.whole, true)))
	}
	return err
}

// cannotCreate is the server's error for a table that lacks a key which another one refers to, among other reasons.
const cannotCreate = 1005

// before does what must come before a statement: the keys of a table whose rows are all there, and the way in which the
// server is to read.
func (l *loader) before(ctx context.Context, j *judged) error {
	if j.fills != "" {
		if j.fills != l.table && l.table != "" {
			if err := l.endTable(ctx); err != nil {
				return err
			}
		}
		return l.readRows(ctx)
	}
	if err := l.readText(ctx, j); err != nil {
		return err
	}
	switch {
	case j.creates != "":
		safe, err := l.sameLater(ctx, j.text)
		if err != nil {
			return err
		}
		if safe {
			j.whole = j.text
			j.text = l.keys.defers(j.creates, j.text, false)
		}
	case j.drops != "":
		l.keys.forget(j.drops)
	case j.alters:
		return l.keys.addAll(ctx, l.conn)
	}
	return nil
}

// endTable commits and adds the keys of the table to which rows were added last.
func (l *loader) endTable(ctx context.Context) error {
	if err := l.commit(ctx); err != nil || l.table == "" {
		return err
	}
	table := l.table
	l.table = ""
	return l.keys.add(ctx, l.conn, table)
}

func (l *loader) commit(ctx context.Context) error {
	l.pending = 0
	if err := l.conn.exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// readMode takes over what a change of sql_mode means for where strings end.
func (l *loader) readMode(ctx context.Context) error {
	var mode string
	if err := l.conn.QueryRowContext(ctx, "SELECT @@sql_mode").Scan(&mode); err != nil {
		return Classify(err)
	}
	l.judge.mode = sqlmode.Parse(mode)
	l.scanner.SetSQLMode(l.judge.mode.NoBackslashEscapes, l.judge.mode.ANSIQuotes)
	return nil
}
