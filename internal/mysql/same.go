package mysql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// SameDatabase tells whether two logins lead to one database, by whatever addresses: what is about to clear one of them
// must not clear the other. Names that differ in case only count as one where they are on one server.
func SameDatabase(ctx context.Context, a, b Config) (same bool, err error) {
	if !strings.EqualFold(a.Database, b.Database) {
		return false, nil
	}
	if a.address() == b.address() {
		return true, nil
	}
	holder, err := openSession(ctx, a)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, holder.end()) }()
	asker, err := openSession(ctx, b)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, asker.end()) }()
	same, err = sameServer(ctx, holder, asker)
	if err != nil {
		return false, fmt.Errorf("compare %s with %s: %w", a, b, err)
	}
	return same, nil
}

// sameServer reports whether two sessions are of one server: a lock that one takes is seen by every other one there, and
// needs no privilege.
func sameServer(ctx context.Context, holder, asker *session) (same bool, err error) {
	name := lockName()
	if err := takeLock(ctx, holder, name); err != nil {
		return false, err
	}
	var free int
	if err := asker.QueryRowContext(ctx, "SELECT IS_FREE_LOCK(?)", name).Scan(&free); err != nil {
		return false, fmt.Errorf("look for a lock: %w", Classify(err))
	}
	return free == 0, holder.exec(ctx, "DO RELEASE_LOCK("+QuoteString(name)+")")
}

// lockName is one that nobody else uses.
func lockName() string { return "sitewright-" + rand.Text() }

// takeLock takes a lock by name for a session, which has it until it ends.
func takeLock(ctx context.Context, conn *session, name string) error {
	var taken sql.NullBool
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, 0)", name).Scan(&taken); err != nil {
		return fmt.Errorf("take a lock: %w", Classify(err))
	}
	if !taken.Bool {
		return fmt.Errorf("take a lock: %w: the server gave none", ErrBusy)
	}
	return nil
}
