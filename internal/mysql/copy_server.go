package mysql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// maxInside is how many tables are copied inside the server, the largest ones: each takes a connection. Others are
// streamed.
const maxInside = 16

// serverCopy copies tables by INSERT … SELECT, all as of one instant, without keeping their writers out meanwhile.
//
// The reading half of INSERT … SELECT does not use a transaction's snapshot: InnoDB has it read the newest rows, and lock
// them, but for the isolation level READ COMMITTED, where each statement has a snapshot of its own. So every table has a
// session, whose statement begins while the source's tables are locked (begin), reads its first row, which is when the
// snapshot is made, and waits there: for a lock by name which the session in control holds until it is that table's turn
// (fill). Thus writers wait until the statements have begun, and not until they have ended.
type serverCopy struct {
	source   string // the database
	target   Config
	rewriter Rewriter // nil if nothing changes

	tables []*tableCopy
	made   []string // tables of the target; none if all are streamed
	mu     sync.Mutex
	// control holds the turns. It is of the target's user, who may end its own sessions.
	control *session
}

func (s *serverCopy) name(table string) string {
	if s.rewriter == nil {
		return table
	}
	return s.rewriter.Table(table)
}

// table is the copy of the table, or nil.
func (s *serverCopy) table(name string) *tableCopy {
	i := slices.IndexFunc(s.tables, func(t *tableCopy) bool { return t.table.name == name })
	if i < 0 {
		return nil
	}
	return s.tables[i]
}

// choose lists the tables which can be copied inside the server, if any can.
func (s *serverCopy) choose(ctx context.Context, reader *session, of *schema) (err error) {
	if s.control, err = openSession(ctx, s.target); err != nil {
		return err
	}
	if able, err := s.able(ctx, reader); err != nil || !able {
		return err
	}
	if err := setLockTimeout(ctx, s.control, 0); err != nil {
		return err
	}
	var needles [][]byte
	if s.rewriter != nil {
		needles = s.rewriter.Needles()
	}
	candidates := make([]*table, 0, len(of.tables))
	for i := range of.tables {
		candidates = append(candidates, &of.tables[i])
	}
	slices.SortStableFunc(candidates, func(a, b *table) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, t := range candidates {
		split, ok := t.splits(needles)
		if !ok || len(s.tables) == maxInside {
			continue
		}
		whole, err := split.sample(ctx, s.control, qualified(s.source, t.name))
		switch {
		case errors.Is(err, ErrDenied), errors.Is(err, ErrBusy):
		case err != nil:
			return fmt.Errorf("read table %s as the target's user: %w", QuoteName(t.name), err)
		case !whole:
			s.tables = append(s.tables, &tableCopy{table: t, target: s.name(t.name), split: split})
		}
	}
	return nil
}

// able reports whether source and target are on one server, and one that can do it: MySQL has not been tried, and a
// binary log of statements allows no statement at READ COMMITTED.
func (s *serverCopy) able(ctx context.Context, reader *session) (bool, error) {
	server, err := readServer(ctx, s.control)
	if err != nil || !server.mariadb {
		return false, err
	}
	var logs bool
	var format string
	if err := s.control.QueryRowContext(ctx, "SELECT @@log_bin, @@binlog_format").Scan(&logs, &format); err != nil {
		return false, fmt.Errorf("read the settings of the binary log: %w", Classify(err))
	}
	if logs && format == "STATEMENT" {
		return false, nil
	}
	return sameServer(ctx, s.control, reader)
}
