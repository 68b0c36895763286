package mysql

import "strings"

// QuoteName quotes an identifier. It is the only way in which names enter SQL text.
func QuoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// qualified is the quoted name of a table in a database.
func qualified(database, table string) string { return QuoteName(database) + "." + QuoteName(table) }

// quoteNames is the comma-separated list of the quoted names.
func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = QuoteName(name)
	}
	return strings.Join(quoted, ",")
}

// QuoteString makes a string literal for a session without NO_BACKSLASH_ESCAPES. With QuoteName it is the only way
// in which data enters SQL text.
func QuoteString(value string) string {
	return string(append(appendEscaped([]byte{'\''}, []byte(value)), '\''))
}

// escapes holds, for each byte that a literal must escape, what stands behind the backslash; 0 for all others. The set is
// fixed (see the package comment); it is safe in every character set whose trail bytes are never quote or backslash,
// which is why sessions read and write utf8mb4.
var escapes = [256]byte{0: '0', '\n': 'n', '\r': 'r', 0x1a: 'Z', '\'': '\'', '\\': '\\'}

// appendEscaped appends the text of a literal, without its quotes.
func appendEscaped(b, value []byte) []byte {
	start := 0
	for i, c := range value {
		if e := escapes[c]; e != 0 {
			b = append(append(b, value[start:i]...), '\\', e)
			start = i + 1
		}
	}
	return append(b, value[start:]...)
}
