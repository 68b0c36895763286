package mysql

import (
	"context"
	"crypto/rand"
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
	// A lock that one session takes is seen by every other one of that server, and needs no privilege.
	name := "sitewright-" + rand.Text()
	var taken, free int
	if err := holder.QueryRowContext(ctx, "SELECT GET_LOCK(?, 0)", name).Scan(&taken); err != nil || taken != 1 {
		return false, fmt.Errorf("compare %s with %s: %w", a, b, errors.Join(Classify(err), notTaken(taken)))
	}
	if err := asker.QueryRowContext(ctx, "SELECT IS_FREE_LOCK(?)", name).Scan(&free); err != nil {
		return false, fmt.Errorf("compare %s with %s: %w", a, b, Classify(err))
	}
	return free == 0, nil
}

func notTaken(taken int) error {
	if taken == 1 {
		return nil
	}
	return errors.New("the server gave no lock")
}
