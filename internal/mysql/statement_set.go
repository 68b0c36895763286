package mysql

import "strings"

// logSettings are about replication and the binary log; dumps of MySQL servers with GTIDs set them. They mean nothing
// in another database and need privileges no site has.
var logSettings = map[string]bool{"SQL_LOG_BIN": true, "GTID_PURGED": true, "GTID_SLAVE_POS": true}

// set judges SET: variables of the session may be set, nothing else.
func (j *judge) set(l *lexer, result judged) (judged, error) {
	result.sets = true
	assignment := true // an assignment begins here
	depth := 0
	previous := ""
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		w := l.word(t)
		switch {
		case l.is(t, '('):
			depth++
		case l.is(t, ')'):
			depth--
		case logSettings[w]:
			result.verdict = skip
		case strings.HasSuffix(w, "SQL_MODE"):
			result.setMode = true
		case isCharset(previous) && unsafeCharsets[strings.ToLower(l.name(t))]:
			return result, refuse("the character set %s cannot be read safely; dump with --default-character-set=utf8mb4", l.name(t))
		}
		if !l.is(t, '=') && !l.is(t, ':') {
			previous = w
		}
		global := w == "GLOBAL" || w == "PERSIST" || w == "PERSIST_ONLY"
		switch {
		case global && !isReading(l.src, t):
			if !j.setsLog(*l) {
				return result, refuse("SET %s changes the whole server", w)
			}
			result.verdict = skip
		case assignment && (w == "PASSWORD" || w == "ROLE" || w == "DEFAULT" || w == "STATEMENT" || w == "RESOURCE"):
			return result, refuse("SET %s is not part of a dump", w)
		case w == "SELECT":
			return result, refuse("SET with a query is not part of a dump")
		}
		assignment = depth == 0 && l.is(t, ',')
	}
	return result, nil
}

// setsLog reports whether the variable after GLOBAL is about the log.
func (j *judge) setsLog(l lexer) bool {
	t := l.next()
	if l.is(t, '.') {
		t = l.next()
	}
	return logSettings[l.word(t)]
}

// isReading reports whether @@GLOBAL stands where a value is read, as in SET @old = @@GLOBAL.x.
func isReading(src []byte, t token) bool {
	before := strings.TrimRight(string(src[max(0, t.start-64):t.start]), " \t\r\n@")
	return strings.HasSuffix(before, "=")
}

// isCharset reports whether the word before is one that a character set's name follows.
func isCharset(word string) bool {
	switch word {
	case "NAMES", "CHARSET", "CHARACTER_SET_CLIENT", "SET":
		return true
	}
	return false
}
