package rewrite

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxNameLength is the longest table name, in characters, that MySQL and
// MariaDB accept.
const maxNameLength = 64

// names maps table names from the old prefix to the new one.
type names struct {
	from, to string
	tables   map[string]string // nil: by prefix and position
	active   bool
}

func newNames(from, to string, tables []string) (names, error) {
	n := names{from: from, to: to, active: from != to}
	for what, prefix := range map[string]string{"FromPrefix": from, "ToPrefix": to} {
		if !utf8.ValidString(prefix) || strings.ContainsRune(prefix, 0) {
			return n, fmt.Errorf("%s %q: a table prefix is text without NUL", what, prefix)
		}
	}
	if !n.active || tables == nil {
		return n, nil
	}
	n.tables = make(map[string]string, len(tables))
	for _, t := range tables {
		rest, ok := strings.CutPrefix(t, from)
		if !ok || rest == "" {
			return n, fmt.Errorf("table %q does not begin with FromPrefix %q", t, from)
		}
		if utf8.RuneCountInString(to+rest) > maxNameLength {
			return n, fmt.Errorf("ToPrefix %q makes table %q longer than %d characters: choose a shorter one", to, t, maxNameLength)
		}
		n.tables[t] = to + rest
	}
	return n, nil
}

// table returns the new name of a table. sure says that SQL expects a table
// here; it matters only when the tables are not known by name.
func (n *names) table(name []byte, sure bool) (string, bool) {
	if n.tables != nil {
		to, ok := n.tables[string(name)]
		return to, ok
	}
	if !sure {
		return "", false
	}
	return n.prefixed(name)
}

// prefixed exchanges the prefix of any name.
func (n *names) prefixed(name []byte) (string, bool) {
	if !n.active || len(name) <= len(n.from) || string(name[:len(n.from)]) != n.from {
		return "", false
	}
	return n.to + string(name[len(n.from):]), true
}
