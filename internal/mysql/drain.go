package mysql

import (
	"context"
	"fmt"
	"time"
)

// drainInterval is how often Drain looks.
const drainInterval = 50 * time.Millisecond

// Drain waits until the sessions that the login of config has now on the server have ended, but for its own, and says how many have not after the
// timeout. Sessions that begin meanwhile are not waited for: whoever calls has seen to it that they change nothing. A user sees its own sessions
// without any privilege (https://mariadb.com/kb/en/show-processlist/).
func Drain(ctx context.Context, config Config, timeout time.Duration) (left int, err error) {
	conn, err := openSession(ctx, config)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.end() }()
	open, err := sessions(ctx, conn)
	if err != nil {
		return 0, err
	}
	tick := time.NewTicker(drainInterval)
	defer tick.Stop()
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for len(open) > 0 {
		select {
		case <-ctx.Done():
			return len(open), ctx.Err()
		case <-deadline.C:
			return len(open), nil
		case <-tick.C:
		}
		now, err := sessions(ctx, conn)
		if err != nil {
			return len(open), err
		}
		for id := range open {
			if !now[id] {
				delete(open, id)
			}
		}
	}
	return 0, nil
}

// sessions are the ids of the user's other sessions.
func sessions(ctx context.Context, conn *session) (map[uint64]bool, error) {
	rows, err := conn.QueryContext(ctx, "SELECT ID FROM INFORMATION_SCHEMA.PROCESSLIST "+
		"WHERE USER = SUBSTRING_INDEX(USER(), '@', 1) AND DB = DATABASE() AND ID <> CONNECTION_ID()")
	if err != nil {
		return nil, fmt.Errorf("list the user's sessions: %w", Classify(err))
	}
	defer func() { _ = rows.Close() }()
	ids := map[uint64]bool{}
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list the user's sessions: %w", Classify(err))
		}
		ids[id] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list the user's sessions: %w", Classify(err))
	}
	return ids, nil
}
