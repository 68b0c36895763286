package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// politeAttempts is how often the lock is asked for without waiting before it is asked for once with waiting. A
	// request that waits holds up every later writer, and can be in a deadlock for which the server ends the writer's
	// transaction; one that does not wait may never find a gap.
	politeAttempts = 10
	politeInterval = 20 * time.Millisecond
	// readTimeout bounds how long a part waits for somebody who has locked or is altering its table.
	readTimeout = 10 * time.Minute
)

// snapshot locks the tables, begins the workers' transactions and unlocks what they cover.
func (d *Dump) snapshot(ctx context.Context, config Config, s *schema, workers []*session) error {
	var covered, others []string
	for i := range s.tables {
		if s.tables[i].transactional() {
			covered = append(covered, s.tables[i].name)
		} else {
			others = append(others, s.tables[i].name)
		}
	}
	coveredBy, err := d.connect(ctx, config)
	if err != nil {
		return err
	}
	othersBy, err := d.connect(ctx, config)
	if err != nil {
		return err
	}
	start, united, err := lockBoth(ctx, othersBy, coveredBy, others, covered, d.options.LockTimeout)
	if err != nil {
		return err
	}
	if united {
		othersBy = coveredBy
	}
	d.locker <- othersBy
	if len(others) > 0 || d.options.Quiesce {
		d.lockedAt = start
	}
	for _, conn := range workers {
		if err := begin(ctx, conn); err != nil {
			return fmt.Errorf("begin a transaction: %w", err)
		}
	}
	if d.copying != nil {
		if err := d.copying.begin(ctx); err != nil {
			return err
		}
	}
	keep := d.options.Quiesce || united
	if united {
		d.keeper = d.locker
	} else if !d.lockedAt.IsZero() {
		opened, err := openTables(ctx, workers, covered)
		if err != nil {
			return err
		}
		if !opened {
			keep = true
			d.keeper = make(chan *session, 1)
			d.keeper <- coveredBy
		}
	}
	if !keep {
		if err := coveredBy.exec(ctx, "UNLOCK TABLES"); err != nil {
			return err
		}
	}
	d.pause = time.Since(start)
	return nil
}

// begin begins a worker's transaction.
func begin(ctx context.Context, conn *session) error {
	for _, statement := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	} {
		if err := conn.exec(ctx, statement); err != nil {
			return err
		}
	}
	return setLockTimeout(ctx, conn, readTimeout)
}

// openTables opens the tables in the workers' transactions. That is needed if any lock stays: later, somebody who has
// locked one of them and waits for that lock would stand before the worker, for ever. If somebody stands there already
// it is false, and the tables must stay locked and be read over the connection which has the lock.
func openTables(ctx context.Context, workers []*session, tables []string) (bool, error) {
	for _, conn := range workers {
		if err := setLockTimeout(ctx, conn, 0); err != nil {
			return false, err
		}
		for _, name := range tables {
			err := conn.exec(ctx, "DO (SELECT 1 FROM "+QuoteName(name)+" LIMIT 0)")
			if errors.Is(err, ErrBusy) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
		}
		if err := setLockTimeout(ctx, conn, readTimeout); err != nil {
			return false, err
		}
	}
	return true, nil
}

// lockBoth locks both lists of tables, each over its connection, and returns when the request was made that succeeded.
// Requests that wait, each twice as long as the one before, alternate with many that do not, until they have waited for
// the timeout. Those that wait are for all tables over the second connection (united): a writer which took a table of one
// list and waits for one of the other's would be in a deadlock with both connections together, which the server cannot
// see.
func lockBoth(ctx context.Context, first, second *session, firstTables, secondTables []string, timeout time.Duration) (
	start time.Time, united bool, err error) {
	tick := time.NewTicker(politeInterval)
	defer tick.Stop()
	patience := min(time.Second, timeout) // of the next request that waits
	for attempt := 1; ; attempt++ {
		start = time.Now()
		if attempt%politeAttempts == 0 {
			united = len(firstTables) > 0
			err = lockTables(ctx, second, slices.Concat(firstTables, secondTables), patience)
			timeout -= patience
			patience = min(2*patience, timeout)
		} else {
			united = false
			if err = lockTables(ctx, first, firstTables, 0); err == nil {
				err = lockTables(ctx, second, secondTables, 0)
			}
		}
		if err == nil || !errors.Is(err, ErrBusy) || timeout <= 0 {
			return start, united, err
		}
		for _, conn := range []*session{first, second} {
			if err := conn.exec(ctx, "UNLOCK TABLES"); err != nil {
				return start, false, err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return start, false, ctx.Err()
		}
	}
}

// lockTables locks tables for reading, waiting no longer than timeout.
func lockTables(ctx context.Context, conn *session, tables []string, timeout time.Duration) error {
	if len(tables) == 0 {
		return nil
	}
	if err := setLockTimeout(ctx, conn, timeout); err != nil {
		return err
	}
	locks := make([]string, len(tables))
	for i, name := range tables {
		locks[i] = QuoteName(name) + " READ"
	}
	if err := conn.exec(ctx, "LOCK TABLES "+strings.Join(locks, ", ")); err != nil {
		return fmt.Errorf("lock the tables: %w", err)
	}
	return nil
}

// setLockTimeout sets how long a session waits for a lock on a table, in full seconds. Servers that cannot do without
// waiting (MySQL) make a second of 0.
func setLockTimeout(ctx context.Context, conn *session, timeout time.Duration) error {
	seconds := (timeout + time.Second - 1) / time.Second
	return conn.exec(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout=%d", seconds))
}
