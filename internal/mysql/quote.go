package mysql

import (
	"bytes"
	"io"
	"strings"
)

// QuoteName quotes an identifier. It is the only way in which names enter SQL text.
func QuoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

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
	var b bytes.Buffer
	_ = writeLiteral(&b, "", []byte(value)) // a Buffer does not fail
	return b.String()
}

// escapes holds, for each byte that a literal must escape, its escaped form; "" for all others. The set is fixed (see
// the package comment); it is safe in every character set whose trail bytes are never quote or backslash, which is why
// sessions read and write utf8mb4.
var escapes = [256]string{0: `\0`, '\n': `\n`, '\r': `\r`, 0x1a: `\Z`, '\'': `\'`, '\\': `\\`}

// writeLiteral writes introducer'value' without holding a copy of it.
func writeLiteral(w io.Writer, introducer string, value []byte) error {
	if _, err := io.WriteString(w, introducer+"'"); err != nil {
		return err
	}
	start := 0
	for i, c := range value {
		e := escapes[c]
		if e == "" {
			continue
		}
		if _, err := w.Write(value[start:i]); err != nil {
			return err
		}
		if _, err := io.WriteString(w, e); err != nil {
			return err
		}
		start = i + 1
	}
	if _, err := w.Write(value[start:]); err != nil {
		return err
	}
	_, err := io.WriteString(w, "'")
	return err
}
