// Package sqlmode knows the flags of a session's sql_mode that change where strings and names end in SQL text.
package sqlmode

import "strings"

// Mode holds those flags. The zero value is how a server reads SQL text unless told otherwise.
type Mode struct {
	// NoBackslashEscapes makes a backslash in a string a character like any other.
	NoBackslashEscapes bool
	// ANSIQuotes makes double quotes enclose names.
	ANSIQuotes bool
}

// Parse reads the value of sql_mode: names of flags in any case, separated by commas. The names that stand for several
// flags are those of MariaDB and MySQL: https://mariadb.com/kb/en/sql-mode/.
func Parse(value string) Mode {
	var m Mode
	for flag := range strings.SplitSeq(value, ",") {
		switch strings.ToUpper(strings.TrimRight(flag, " ")) {
		case "NO_BACKSLASH_ESCAPES":
			m.NoBackslashEscapes = true
		case "ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL":
			m.ANSIQuotes = true
		}
	}
	return m
}

// Escapable reports whether a backslash escapes inside the quotes q.
func (m Mode) Escapable(q byte) bool {
	return !m.NoBackslashEscapes && m.StringQuote(q)
}

// StringQuote reports whether the quotes q enclose a string; other quotes enclose a name.
func (m Mode) StringQuote(q byte) bool {
	return q == '\'' || q == '"' && !m.ANSIQuotes
}

// With are the flags of either.
func (m Mode) With(o Mode) Mode {
	return Mode{m.NoBackslashEscapes || o.NoBackslashEscapes, m.ANSIQuotes || o.ANSIQuotes}
}

// Without are the flags of m that are not in o.
func (m Mode) Without(o Mode) Mode {
	return Mode{m.NoBackslashEscapes && !o.NoBackslashEscapes, m.ANSIQuotes && !o.ANSIQuotes}
}
