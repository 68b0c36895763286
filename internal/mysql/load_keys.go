package mysql

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// lateKeys are what CREATE TABLE statements lost so that rows go in faster: a key built at once from all rows is sorted
// first, one that grows row by row is not. The sessions that load one dump share them.
type lateKeys struct {
	mu     sync.Mutex
	tables map[string]*tableKeys
}

// tableKeys are ADD clauses of ALTER TABLE. Foreign keys wait until every table has its keys.
type tableKeys struct{ keys, foreign []string }

func newLateKeys() *lateKeys { return &lateKeys{tables: map[string]*tableKeys{}} }

// defers takes keys out of a CREATE TABLE statement, to be added later, and returns what is to be run instead. The table
// named before, if any, is forgotten. foreign limits it to foreign keys.
func (k *lateKeys) defers(name string, create []byte, foreign bool) []byte {
	k.forget(name)
	short, keys := withoutKeys(create, foreign)
	if keys == nil {
		return create
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tables[name] = keys
	return short
}

func (k *lateKeys) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.tables, name)
}

// add adds a table's keys, after its rows.
func (k *lateKeys) add(ctx context.Context, conn *session, name string) error {
	return alter(ctx, conn, name, k.take(name, func(t *tableKeys) *[]string { return &t.keys }))
}

// addAll adds the keys that are left, then the foreign keys, of all tables.
func (k *lateKeys) addAll(ctx context.Context, conn *session) error {
	k.mu.Lock()
	names := slices.Sorted(maps.Keys(k.tables))
	k.mu.Unlock()
	for _, name := range names {
		if err := k.add(ctx, conn, name); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := alter(ctx, conn, name, k.take(name, func(t *tableKeys) *[]string { return &t.foreign })); err != nil {
			return err
		}
	}
	return nil
}

// finish is addAll at the end of a script, which may have left the session in any state. The rows are as they are, so
// that nothing is checked.
func (k *lateKeys) finish(ctx context.Context, conn *session) error {
	for _, statement := range []string{"SET NAMES " + charset, "SET SESSION sql_mode='" + sqlMode + "', foreign_key_checks=0, unique_checks=0"} {
		if err := conn.exec(ctx, statement); err != nil {
			return err
		}
	}
	return k.addAll(ctx, conn)
}

// take hands out a table's clauses, once.
func (k *lateKeys) take(name string, of func(*tableKeys) *[]string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	table := k.tables[name]
	if table == nil {
		return nil
	}
	clauses := of(table)
	taken := *clauses
	*clauses = nil
	return taken
}

func alter(ctx context.Context, conn *session, name string, clauses []string) error {
	if len(clauses) == 0 {
		return nil
	}
	if err := conn.exec(ctx, "ALTER TABLE "+QuoteName(name)+" "+strings.Join(clauses, ", ")); err != nil {
		return fmt.Errorf("add the keys of table %s: %w", QuoteName(name), err)
	}
	return nil
}

// staysWhole are words with which secondary keys are not simply added: full-text and spatial indexes, hash keys, keys on computed
// values and periods, and tables whose rows the server keeps in several places or versions.
var staysWhole = map[string]bool{
	"FULLTEXT": true, "SPATIAL": true, "HASH": true, "AS": true, "GENERATED": true, "PERIOD": true, "WITHOUT": true,
	"PARTITION": true, "VERSIONING": true, "LIKE": true, "SELECT": true,
}

// withoutKeys splits a CREATE TABLE statement into one without secondary and foreign keys, and those. keys is nil when
// the table must be made as it is written. Secondary keys are taken from an InnoDB table only that keeps a primary key, which
// also serves its AUTO_INCREMENT column: others are not worth it or not sure to become the same. Foreign keys are taken from
// every InnoDB table, since what they refer to may be a key that was taken from another one; foreign limits it to them.
func withoutKeys(create []byte, foreign bool) (short []byte, keys *tableKeys) {
	d, ok := parseDefinitions(create)
	if !ok || !d.isInnoDB(d.tokens[d.end:]) {
		return nil, nil
	}
	whole := foreign || d.whole || !d.primary()
	keys = &tableKeys{}
	kept := []string{}
	for _, def := range d.list {
		text := string(create[def[0].start:def[len(def)-1].end])
		switch kind := d.kind(def); {
		case kind == "KEY" && !whole:
			keys.keys = append(keys.keys, "ADD "+text)
		case kind == "FOREIGN":
			keys.foreign = append(keys.foreign, "ADD "+text)
		default:
			kept = append(kept, text)
		}
	}
	if len(keys.keys)+len(keys.foreign) == 0 || len(kept) == 0 {
		return nil, nil
	}
	short = slices.Concat(create[:d.tokens[d.open].end], []byte("\n  "+strings.Join(kept, ",\n  ")+"\n"), create[d.tokens[d.end].start:])
	return short, keys
}

func isASCII(text []byte) bool {
	return !bytes.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}
