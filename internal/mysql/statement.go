package mysql

import (
	"fmt"
	"strings"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

// verdict is what Load does with a statement.
type verdict int

const (
	run  verdict = iota
	skip         // has no place or no use in a load, and does no harm: LOCK TABLES, binary log settings
)

// judged is a statement after judgement.
type judged struct {
	verdict verdict
	text    []byte // what to run
	whole   []byte // the same before keys were taken out; nil if none were looked for
	tables  int    // how many tables it creates
	mapped  int    // how many definers were replaced
	setMode bool   // it may change sql_mode
	sets    bool   // it may change the session's character sets, among others
	// The table to which it adds rows, which it creates, and which it drops first, if any.
	fills, creates, drops string
	alters                bool // it alters a table in a way that may need its keys
}

// judge decides about statements, one at a time. Only what a dump needs is let through: a list of what is forbidden
// would be out of date with the next server. The server is asked for one statement at a time and refuses more.
type judge struct {
	database string // the target
	mode     sqlmode.Mode
	server   server
	// single accepts CREATE DATABASE and USE of one name, the source's, and does nothing for them.
	single bool
	source string
	// definer returns the account to put in the place of a definer, or "" to leave it.
	definer func(user, host string) (string, error)
}

// objectKinds are the kinds of things a dump may create, alter and drop.
var objectKinds = map[string]bool{
	"TABLE": true, "VIEW": true, "TRIGGER": true, "PROCEDURE": true, "FUNCTION": true, "EVENT": true, "SEQUENCE": true,
	"INDEX": true, "PACKAGE": true,
}

// modifiers may stand between the verb and the kind.
var modifiers = map[string]bool{
	"OR": true, "REPLACE": true, "UNIQUE": true, "FULLTEXT": true, "SPATIAL": true, "ALGORITHM": true, "UNDEFINED": true,
	"MERGE": true, "TEMPTABLE": true, "SQL": true, "SECURITY": true, "INVOKER": true, "DEFINER": true, "AGGREGATE": true,
	"ONLINE": true, "IGNORE": true, "TEMPORARY": true,
}

// unsafeCharsets have trail bytes that look like quotes or backslashes, so that where a string ends depends on the
// session's character set.
var unsafeCharsets = map[string]bool{"sjis": true, "cp932": true, "big5": true, "gbk": true, "gb18030": true}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// statement judges one statement whose executable comments have been resolved.
func (j *judge) statement(text []byte) (judged, error) {
	l := &lexer{src: text, mode: j.mode}
	first := l.next()
	result := judged{text: text}
	verb := l.word(first)
	switch verb {
	case "INSERT", "REPLACE":
		return j.insert(l, result)
	case "CREATE", "ALTER", "DROP":
		return j.definition(l, verb, result)
	case "TRUNCATE":
		t := l.next()
		if l.word(t) == "TABLE" {
			t = l.next()
		}
		return result, j.target(l, t)
	case "SET":
		return j.set(l, result)
	case "SELECT", "DO":
		if w := l.word(l.next()); w != "SETVAL" {
			return result, refuse("%s is not part of a dump", verb)
		}
		return result, nil
	case "BEGIN", "START", "COMMIT", "ROLLBACK":
		return result, transaction(l, verb)
	case "LOCK", "UNLOCK":
		result.verdict = skip
		return result, nil
	case "USE":
		result.verdict = skip
		return result, j.use(l.name(l.next()))
	case "":
		result.verdict = skip
		if first.kind == tokenEnd {
			return result, nil
		}
		return result, refuse("%q does not begin a statement (a command of the client?)", excerpt(text))
	}
	return result, refuse("%s is not part of a dump", verb)
}

// insert checks the target: INSERT [options] [INTO] table.
func (j *judge) insert(l *lexer, result judged) (judged, error) {
	for {
		t := l.next()
		switch l.word(t) {
		case "LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO":
		default:
			err := j.target(l, t)
			result.fills = l.name(t)
			return result, err
		}
	}
}

// target checks that the name which begins at t is not one in another database.
func (j *judge) target(l *lexer, t token) error {
	if t.kind != tokenWord && t.kind != tokenName {
		return refuse("%q where a name should be", excerpt(l.src[t.start:]))
	}
	after := l.pos
	qualified := l.is(l.next(), '.')
	l.pos = after
	if database := l.name(t); qualified && database != j.database {
		return refuse("it names the database %s, which is not the target", QuoteName(database))
	}
	return nil
}

// definition judges CREATE, ALTER and DROP.
func (j *judge) definition(l *lexer, verb string, result judged) (judged, error) {
	head := *l
	kind, temporary, err := kindOf(l)
	if err != nil {
		return result, err
	}
	if kind == "DATABASE" || kind == "SCHEMA" {
		return j.databaseStatement(l, verb, result)
	}
	if !objectKinds[kind] {
		return result, refuse("%s %s is not part of a dump", verb, kind)
	}
	t := l.next()
	anew := l.word(t) != "IF" // else it may be there already, and stay as it is
	for w := l.word(t); w == "IF" || w == "NOT" || w == "EXISTS" || w == "BODY" && kind == "PACKAGE"; w = l.word(t) {
		t = l.next()
	}
	if err := j.target(l, t); err != nil {
		return result, err
	}
	switch {
	case verb == "DROP" || kind == "INDEX":
		if result.alters = kind == "INDEX"; kind == "TABLE" {
			result.drops = l.name(t)
		}
		return result, j.otherNames(l)
	case verb == "ALTER":
		err := j.renames(*l)
		if err != nil {
			return result, err
		}
		result.alters = kind == "TABLE" && !switchesKeys(*l)
	case kind == "FUNCTION" && soname(*l):
		return result, refuse("CREATE FUNCTION … SONAME loads code into the server")
	case verb == "CREATE" && kind == "TABLE" && !temporary:
		result.tables = 1
		if after := *l; anew && !l.is(after.next(), '.') {
			result.creates = l.name(t)
		}
	}
	return j.mapDefiner(head, result)
}

// kindOf reads up to the kind of thing which is defined.
func kindOf(l *lexer) (kind string, temporary bool, err error) {
	for {
		before := *l
		t := l.next()
		w := l.word(t)
		switch {
		case l.is(t, '='):
		case w == "DEFINER":
			rest := *l
			if l.is(l.next(), '=') {
				*l = before
				_, _, _, _, _ = definerClause(l)
			} else { // SQL SECURITY DEFINER
				*l = rest
			}
		case modifiers[w]:
			temporary = temporary || w == "TEMPORARY"
		case w == "":
			return "", false, refuse("%q where a kind of object should be", excerpt(l.src[t.start:]))
		default:
			return w, temporary, nil
		}
	}
}

// transaction checks that nothing but a transaction begins or ends: BEGIN NOT ATOMIC runs any statement.
func transaction(l *lexer, verb string) error {
	next := l.word(l.next())
	if next == "TRANSACTION" && verb == "START" || verb != "START" && (next == "WORK" || l.pos >= len(l.src) && next == "") {
		return nil
	}
	return refuse("%s %s is not part of a dump", verb, next)
}

// otherNames checks the names after the first: in the list of a DROP, and the table of an index.
func (j *judge) otherNames(l *lexer) error {
	depth := 0
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		switch {
		case l.is(t, '('):
			depth++
		case l.is(t, ')'):
			depth--
		case depth == 0 && (l.is(t, ',') || l.word(t) == "ON"):
			if err := j.target(l, l.next()); err != nil {
				return err
			}
		}
	}
	return nil
}

// renames checks that ALTER moves nothing out of the database: RENAME [TO|AS] name, EXCHANGE PARTITION.
func (j *judge) renames(l lexer) error {
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		switch l.word(t) {
		case "EXCHANGE":
			return refuse("EXCHANGE PARTITION is not part of a dump")
		case "RENAME":
			next := l.next()
			if w := l.word(next); w == "TO" || w == "AS" || l.is(next, '=') {
				next = l.next()
			}
			if err := j.target(&l, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// switchesKeys reports whether ALTER TABLE name DISABLE KEYS or ENABLE KEYS ends here, which stock dumps write around rows.
func switchesKeys(l lexer) bool {
	w := l.word(l.next())
	return (w == "DISABLE" || w == "ENABLE") && l.word(l.next()) == "KEYS"
}

// soname looks for the clause in the only place the server takes it: FUNCTION name RETURNS type SONAME.
func soname(l lexer) bool {
	for range 8 {
		if l.word(l.next()) == "SONAME" {
			return true
		}
	}
	return false
}

// mapDefiner replaces a definer by one that the loading user may set.
func (j *judge) mapDefiner(head lexer, result judged) (judged, error) {
	start, end, user, host, ok := definerClause(&head)
	if !ok {
		return result, nil
	}
	account, err := j.definer(user, host)
	if err != nil || account == "" {
		return result, err
	}
	result.text = []byte(string(head.src[:start]) + "DEFINER=" + account + " " + string(head.src[end:]))
	result.mapped = 1
	return result, nil
}

// excerpt is the beginning of a statement for an error; it is short, since rows hold data.
func excerpt(text []byte) string {
	const most = 60
	s := strings.Join(strings.Fields(string(text[:min(len(text), 4*most)])), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
