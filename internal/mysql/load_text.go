package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

// lexing is how the server reads the text of statements.
type lexing int

const (
	lexUnknown lexing = iota // the script may have changed it
	lexOther                 // in a character set that is left alone
	lexUTF8                  // in utf8mb4, character by character
	lexBytes                 // byte by byte
)

// readRows has the server read rows byte by byte, which takes a fifth less of its time. In utf8mb4 no byte of a longer
// character looks like a quote or a backslash, so that strings end where they did; and a literal gets its character set
// from collation_connection, to which binary text is taken over unchanged. MySQL is left alone: it has not been tried.
func (l *loader) readRows(ctx context.Context) error {
	if l.lexing == lexUnknown {
		l.lexing = lexOther
		if !l.judge.server.mariadb {
			return nil
		}
		var client, connection string
		err := l.conn.QueryRowContext(ctx, "SELECT @@character_set_client, @@collation_connection").Scan(&client, &connection)
		if err != nil {
			return fmt.Errorf("read the session's character set: %w", Classify(err))
		}
		if client == charset && strings.HasPrefix(connection, charset+"_") {
			l.lexing = lexUTF8
		}
	}
	if l.lexing != lexUTF8 {
		return nil
	}
	l.lexing = lexBytes
	return l.conn.exec(ctx, "SET character_set_client=binary")
}

// readText undoes readRows before any other statement: definitions are stored with the session's character set, and
// scripts save it.
func (l *loader) readText(ctx context.Context, j *judged) error {
	if l.lexing == lexBytes {
		l.lexing = lexUTF8
		if err := l.conn.exec(ctx, "SET character_set_client="+charset); err != nil {
			return err
		}
	}
	if j.sets {
		l.lexing = lexUnknown
	}
	return nil
}

// sameLater reports whether a part of the statement means the same in the session that adds keys: no other quotes, and names
// and comments in UTF-8 if they are not ASCII.
func (l *loader) sameLater(ctx context.Context, text []byte) (bool, error) {
	if l.judge.mode != (sqlmode.Mode{}) || isASCII(text) {
		return l.judge.mode == (sqlmode.Mode{}), nil
	}
	var client string
	if err := l.conn.QueryRowContext(ctx, "SELECT @@character_set_client").Scan(&client); err != nil {
		return false, fmt.Errorf("read the session's character set: %w", Classify(err))
	}
	return strings.HasPrefix(client, "utf8"), nil
}
