package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
)

// commitEvery is after how many bytes of rows Load commits.
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
	// Progress, if set, is called after each statement with the bytes of the script used so far.
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
	conn    *session
	scanner *Scanner
	judge   judge
	stats   LoadStats
	pending int64 // bytes since the last commit
}

// Load runs a script, which may be one of this package or of mysqldump or mariadb-dump, in the database which config
// names. The script is not trusted: it may create, alter, drop and fill what is in the target database, and nothing
// else (ErrRefused names the statement and its offset); everything else is up to the privileges of the user, who should
// therefore be the site's, not an administrator. What was run before an error stays, so load into an empty database, or
// Clear it and load again. Memory is bounded by the longest statement.
func Load(ctx context.Context, config Config, r io.Reader, options LoadOptions) (stats LoadStats, err error) {
	conn, err := openSession(ctx, config)
	if err != nil {
		return LoadStats{}, err
	}
	defer func() { err = errors.Join(err, conn.end()) }()
	l := &loader{conn: conn, scanner: NewScanner(r, options.MaxStatement)}
	if err := l.prepare(ctx, config, options); err != nil {
		return LoadStats{}, fmt.Errorf("load %s: %w", config, err)
	}
	for l.scanner.Scan() {
		if err := l.statement(ctx); err != nil {
			return l.result(), fmt.Errorf("load %s: statement at byte %d (%s): %w", config, l.scanner.Offset(),
				excerpt(l.scanner.Statement()), err)
		}
		if options.Progress != nil {
			options.Progress(l.scanner.Read())
		}
	}
	if err := l.scanner.Err(); err != nil {
		return l.result(), fmt.Errorf("load %s: %w", config, err)
	}
	if err := conn.exec(ctx, "COMMIT"); err != nil {
		return l.result(), fmt.Errorf("load %s: commit: %w", config, err)
	}
	return l.result(), nil
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
	if l.judge.definer, err = newDefiners(ctx, l.conn, options.Definer); err != nil {
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
	if err := l.conn.exec(ctx, string(j.text)); err != nil {
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
	if l.pending += int64(len(j.text)); l.pending >= commitEvery {
		l.pending = 0
		return l.conn.exec(ctx, "COMMIT")
	}
	return nil
}

// readMode takes over what a change of sql_mode means for where strings end.
func (l *loader) readMode(ctx context.Context) error {
	var mode string
	if err := l.conn.QueryRowContext(ctx, "SELECT @@sql_mode").Scan(&mode); err != nil {
		return Classify(err)
	}
	l.judge.mode = modeOf(mode)
	l.scanner.SetSQLMode(l.judge.mode.noBackslash, l.judge.mode.ansiQuotes)
	return nil
}

// newDefiners makes the function which maps definers: the loading user may always name itself; another account only
// with a global privilege, and only one that exists makes an object that works. replacement is user@host, or "".
func newDefiners(ctx context.Context, conn *session, replacement string) (func(user, host string) (string, error), error) {
	var self string
	if err := conn.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&self); err != nil {
		return nil, Classify(err)
	}
	mayNameOthers, err := hasGlobal(ctx, conn, "SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER")
	if err != nil {
		return nil, err
	}
	mapped := "CURRENT_USER"
	if replacement != "" {
		i := strings.LastIndexByte(replacement, '@')
		if i < 0 {
			return nil, fmt.Errorf("the definer %q is not of the form user@host", replacement)
		}
		mapped = QuoteName(replacement[:i]) + "@" + QuoteName(replacement[i+1:])
	}
	return func(user, host string) (string, error) {
		if host == "" && strings.EqualFold(user, "CURRENT_USER") || user+"@"+host == self {
			return "", nil
		}
		if host == "" {
			host = "%"
		}
		if !mayNameOthers {
			return mapped, nil
		}
		exists, err := accountExists(ctx, conn, user, host)
		if err != nil && !errors.Is(err, ErrDenied) || exists {
			return "", err
		}
		return mapped, nil
	}, nil
}

func accountExists(ctx context.Context, q querier, user, host string) (bool, error) {
	var one int
	err := q.QueryRowContext(ctx, "SELECT 1 FROM mysql.user WHERE User = ? AND Host = ?", user, host).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the account: %w", Classify(err))
	}
	return true, nil
}
