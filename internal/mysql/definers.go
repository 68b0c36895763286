package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// definers maps definers: the loading user may always name itself; another account only with a global privilege, and only
// one that exists makes an object that works.
type definers struct {
	conn          *session
	self          string // user@host
	mayNameOthers bool
	replacement   string // quoted
}

// newDefiners reads what the session's user may do. replacement is user@host, or "" for that user.
func newDefiners(ctx context.Context, conn *session, replacement string) (*definers, error) {
	d := &definers{conn: conn, replacement: "CURRENT_USER"}
	if err := conn.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&d.self); err != nil {
		return nil, Classify(err)
	}
	var err error
	if d.mayNameOthers, err = hasGlobal(ctx, conn, "SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"); err != nil {
		return nil, err
	}
	if replacement != "" {
		i := strings.LastIndexByte(replacement, '@')
		if i < 0 {
			return nil, fmt.Errorf("the definer %q is not of the form user@host", replacement)
		}
		d.replacement = QuoteName(replacement[:i]) + "@" + QuoteName(replacement[i+1:])
	}
	return d, nil
}

// instead is what to write in the place of a definer, or "" to leave it.
func (d *definers) instead(ctx context.Context, user, host string) (string, error) {
	if host == "" && strings.EqualFold(user, "CURRENT_USER") || user+"@"+host == d.self {
		return "", nil
	}
	if host == "" {
		host = "%"
	}
	if !d.mayNameOthers {
		return d.replacement, nil
	}
	exists, err := accountExists(ctx, d.conn, user, host)
	if err != nil && !errors.Is(err, ErrDenied) || exists {
		return "", err
	}
	return d.replacement, nil
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
