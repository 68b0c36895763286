package mysql

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// gateTimeout bounds how long the lock on the source is held for one table's statement to begin.
	gateTimeout = 10 * time.Second
	// endTimeout bounds the tidying up after a copy that was given up.
	endTimeout = 10 * time.Second
)

// tableCopy is one table on its way inside the server.
type tableCopy struct {
	table       *table
	target      string // its name there
	split       split
	conn        *session
	id          int64  // of the connection
	ready, turn string // the names of its locks

	stop func()        // ends the statement
	done chan struct{} // closed when it has ended
	err  error         // of the statement
}

// connect opens a session for each table. When the server has no more of them, the other tables are streamed.
func (s *serverCopy) connect(ctx context.Context) error {
	for i, t := range s.tables {
		err := t.connect(ctx, s.target)
		if errors.Is(err, ErrUnreachable) && i > 0 && ctx.Err() == nil {
			s.tables = s.tables[:i]
			return t.end()
		}
		if err == nil {
			err = takeLock(ctx, s.control, t.turn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tableCopy) connect(ctx context.Context, target Config) (err error) {
	if t.conn, err = openSession(ctx, target); err != nil {
		return err
	}
	if err := t.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&t.id); err != nil {
		return Classify(err)
	}
	for _, statement := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		// Without unique_checks MariaDB 10.6 and later collect all rows in temporary files first.
		"SET SESSION foreign_key_checks=0, unique_checks=1, join_cache_level=0",
	} {
		if err := t.conn.exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := setLockTimeout(ctx, t.conn, 0); err != nil { // who is asked to wait while holding the lock would wait for itself
		return err
	}
	t.ready, t.turn = lockName(), lockName()
	return takeLock(ctx, t.conn, t.ready)
}

// begin begins the statements, under the lock on the source. Tables that somebody stands before are streamed.
func (s *serverCopy) begin(ctx context.Context) error {
	for _, t := range s.tables {
		t.begin(ctx, s.source, s.control)
	}
	var begun []*tableCopy
	for _, t := range s.tables {
		var got bool
		err := s.control.QueryRowContext(ctx, "SELECT IFNULL(GET_LOCK(?, ?) AND RELEASE_LOCK(?), 0)",
			t.ready, gateTimeout.Seconds(), t.ready).Scan(&got)
		if err != nil {
			return fmt.Errorf("begin to copy table %s: %w", QuoteName(t.table.name), Classify(err))
		}
		if !got {
			return fmt.Errorf("begin to copy table %s: %w: its statement did not begin in %v", QuoteName(t.table.name), ErrBusy, gateTimeout)
		}
		switch err := t.failed(); {
		case errors.Is(err, ErrBusy), errors.Is(err, ErrDenied):
			if err := t.end(); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("begin to copy table %s: %w", QuoteName(t.table.name), err)
		default:
			begun = append(begun, t)
		}
	}
	s.tables = begun
	return nil
}

// begin begins the statement. The first row of the gate lets go of the lock ready, and waits for the turn.
func (t *tableCopy) begin(ctx context.Context, source string, control *session) {
	from, columns := qualified(source, t.table.name), columnNames(t.table.stored())
	statement := "INSERT INTO " + QuoteName(t.target) + " (" + quoteNames(columns) + ") SELECT STRAIGHT_JOIN " + quoteNames(columns) +
		" FROM (SELECT RELEASE_LOCK(" + QuoteString(t.ready) + ") + GET_LOCK(" + QuoteString(t.turn) + ", 1e6) AS `sitewright gate` FROM " + from +
		" LIMIT 1) AS `sitewright gate`, " + from + " AS `sitewright rows` WHERE `sitewright gate`.`sitewright gate` = 2" + t.split.others
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it outlives NewCopy, until end
	t.done = make(chan struct{})
	t.stop = func() {
		defer cancel()
		select {
		case <-t.done:
			return
		default:
		}
		limited, done := context.WithTimeout(ctx, endTimeout)
		_ = control.exec(limited, fmt.Sprintf("KILL %d", t.id)) // if this fails, the server finds out by itself, but later
		done()
		cancel()
		<-t.done
	}
	go func() {
		if t.err = t.conn.exec(ctx, statement); t.err == nil {
			t.err = t.passed(ctx)
		}
		close(t.done)
		// The gate has not done it if there was no row, or an error; if this fails, the session ends, which does it too.
		_ = t.conn.exec(ctx, "DO RELEASE_LOCK("+QuoteString(t.ready)+")")
	}()
}

// passed makes sure that the statement has waited for its turn, unless there was no row at all.
func (t *tableCopy) passed(ctx context.Context) error {
	var empty, had bool
	err := t.conn.QueryRowContext(ctx, "SELECT IS_USED_LOCK(?) <=> CONNECTION_ID(), IS_USED_LOCK(?) <=> CONNECTION_ID()", t.ready, t.turn).
		Scan(&empty, &had)
	if err == nil && !empty && !had {
		err = fmt.Errorf("%w: the statement did not get its turn", ErrBusy)
	}
	return Classify(err)
}

// failed is the error of a statement that has ended.
func (t *tableCopy) failed() error {
	select {
	case <-t.done:
		return t.err
	default:
		return nil
	}
}

// fill gives a table its turn, and returns when its rows are there.
func (s *serverCopy) fill(ctx context.Context, t *tableCopy) error {
	s.mu.Lock()
	err := s.control.exec(ctx, "DO RELEASE_LOCK("+QuoteString(t.turn)+")")
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("copy table %s: %w", QuoteName(t.table.name), err)
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.err != nil {
		return fmt.Errorf("copy table %s: %w", QuoteName(t.table.name), t.err)
	}
	return nil
}

// end ends all sessions, and the statements that are not done: the server would complete them, and whoever wants to drop
// a table that is being filled would wait for that.
func (s *serverCopy) end() error {
	var errs []error
	for _, t := range s.tables {
		errs = append(errs, t.end())
	}
	if s.control != nil {
		errs = append(errs, s.control.end())
	}
	s.tables, s.control = nil, nil
	return errors.Join(errs...)
}

// end ends the table's session.
func (t *tableCopy) end() error {
	if t.stop != nil {
		t.stop()
	}
	if t.conn == nil {
		return nil
	}
	return t.conn.end()
}

// dropMade drops the tables that an earlier attempt made.
func (s *serverCopy) dropMade(ctx context.Context) error {
	for _, name := range s.made {
		if err := s.control.exec(ctx, "DROP TABLE IF EXISTS "+QuoteName(name)); err != nil {
			return err
		}
	}
	s.made = nil
	return nil
}
