package mysql

import (
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
// named before, if any, is forgotten.
func (k *lateKeys) defers(name string, create []byte) []byte {
	k.forget(name)
	short, keys := withoutKeys(name, create)
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

// staysWhole are words with which keys are not simply added: full-text and spatial indexes, hash keys, keys on computed
// values and periods, and tables whose rows the server keeps in several places or versions.
var staysWhole = map[string]bool{
	"FULLTEXT": true, "SPATIAL": true, "HASH": true, "AS": true, "GENERATED": true, "PERIOD": true, "WITHOUT": true,
	"PARTITION": true, "VERSIONING": true, "LIKE": true, "SELECT": true,
}

// withoutKeys splits a CREATE TABLE statement into one without secondary and foreign keys, and those. keys is nil when
// the table must be made as it is written: only an InnoDB table that keeps a primary key, which also serves its
// AUTO_INCREMENT column, is worth it and sure to become the same. Names that are not ASCII could mean something else in
// the character set of the session that adds the keys.
func withoutKeys(name string, create []byte) (short []byte, keys *tableKeys) {
	l := &lexer{src: create}
	tokens := l.all()
	open := slices.IndexFunc(tokens, func(t token) bool { return l.is(t, '(') })
	if open < 0 || !isASCII(name) {
		return nil, nil
	}
	d := definitions{lexer: l, tokens: tokens}
	end := d.split(open)
	if end < 0 || !d.isInnoDB(tokens[end:]) || d.whole || !d.primary() {
		return nil, nil
	}
	keys = &tableKeys{}
	kept := []string{}
	for _, def := range d.list {
		text := string(create[def[0].start:def[len(def)-1].end])
		switch d.kind(def) {
		case "KEY":
			keys.keys = append(keys.keys, "ADD "+text)
		case "FOREIGN":
			keys.foreign = append(keys.foreign, "ADD "+text)
		default:
			kept = append(kept, text)
			continue
		}
		if !isASCII(text) {
			return nil, nil
		}
	}
	if len(keys.keys)+len(keys.foreign) == 0 {
		return nil, nil
	}
	short = slices.Concat(create[:tokens[open].end], []byte("\n  "+strings.Join(kept, ",\n  ")+"\n"), create[tokens[end].start:])
	return short, keys
}

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }

// definitions are what stands between the parentheses of a CREATE TABLE statement, each as its tokens.
type definitions struct {
	*lexer
	tokens []token
	list   [][]token
	whole  bool // a word of staysWhole was seen
}

// split fills the list from the parenthesis at open on and returns the index of the closing one, or -1.
func (d *definitions) split(open int) int {
	for _, t := range d.tokens {
		d.whole = d.whole || staysWhole[d.word(t)]
	}
	depth, begin := 0, open+1
	for i := open; i < len(d.tokens); i++ {
		t := d.tokens[i]
		switch {
		case d.is(t, '('):
			depth++
		case d.is(t, ')'):
			depth--
		}
		if depth == 0 || depth == 1 && d.is(t, ',') {
			if begin == i {
				return -1
			}
			d.list = append(d.list, d.tokens[begin:i])
			begin = i + 1
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// kind tells a secondary key ("KEY"), a foreign key ("FOREIGN") and the primary key ("PRIMARY") from columns and checks.
func (d *definitions) kind(def []token) string {
	words := make([]string, 0, 3)
	for _, t := range def[:min(3, len(def))] {
		words = append(words, d.word(t))
	}
	if words[0] == "CONSTRAINT" && len(words) == 3 {
		words = words[2:] // behind its name
	}
	switch words[0] {
	case "KEY", "INDEX", "UNIQUE":
		return "KEY"
	case "FOREIGN", "PRIMARY":
		return words[0]
	}
	return ""
}

// primary reports whether there is a primary key, and one that begins with the AUTO_INCREMENT column if there is any.
func (d *definitions) primary() bool {
	first, automatic := "", ""
	for _, def := range d.list {
		kind := d.kind(def)
		for i, t := range def {
			switch {
			case kind == "PRIMARY" && first == "" && d.is(t, '(') && i+1 < len(def):
				first = d.name(def[i+1])
			case kind == "" && d.word(t) == "AUTO_INCREMENT":
				automatic = d.name(def[0])
			}
		}
	}
	return first != "" && (automatic == "" || strings.EqualFold(automatic, first))
}

func (d *definitions) isInnoDB(options []token) bool {
	for i, t := range options {
		if d.word(t) == "ENGINE" && i+2 < len(options) {
			return d.word(options[i+2]) == "INNODB"
		}
	}
	return false
}
