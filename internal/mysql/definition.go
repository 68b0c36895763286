package mysql

import (
	"strings"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

// localize makes a definition independent of the database it was read from: `database`.`name` becomes `name` where
// name is one of the database's own objects. Without it, a view that calls a function, or a default that draws from a
// sequence, would go on using the old database after a copy, since the server prints those names qualified.
func localize(create, database string, own map[string]bool, mode sqlmode.Mode) string {
	if !strings.Contains(create, database) {
		return create
	}
	l := &lexer{src: []byte(create), mode: mode}
	tokens := l.all()
	var out strings.Builder
	kept := 0
	for i := 0; i+2 < len(tokens); i++ {
		t, dot, name := tokens[i], tokens[i+1], tokens[i+2]
		if t.kind != tokenWord && t.kind != tokenName || l.name(t) != database || !l.is(dot, '.') {
			continue
		}
		if i > 0 && (l.is(tokens[i-1], '.') || l.is(tokens[i-1], '@')) || !own[l.name(name)] {
			continue
		}
		out.WriteString(create[kept:t.start])
		kept = name.start
	}
	return out.String() + create[kept:]
}

// definerClause finds DEFINER=user@host in the head of a CREATE or ALTER statement: the tokens' span in the text and
// the account. ok is false if there is none. Roles have no host.
func definerClause(l *lexer) (start, end int, user, host string, ok bool) {
	for range 12 { // CREATE OR REPLACE ALGORITHM = x DEFINER …: the clause comes early or not at all
		t := l.next()
		if w := l.word(t); t.kind == tokenEnd || objectKinds[w] || w == "AS" { // what follows is not the head
			return
		}
		if l.word(t) != "DEFINER" || !l.is(l.next(), '=') {
			continue
		}
		name := l.next()
		start, end, user, ok = t.start, name.end, l.name(name), true
		after := l.pos
		switch next := l.next(); {
		case l.is(next, '@'):
			t := l.next()
			host, end = l.name(t), t.end
			if t.kind == tokenWord { // an unquoted host may have dots and dashes
				for l.pos < len(l.src) && !isSpace(l.src[l.pos]) {
					l.pos++
				}
				host, end = string(l.src[t.start:l.pos]), l.pos
			}
		case l.is(next, '(') && name.kind == tokenWord:
			end = l.next().end
		default:
			l.pos = after
		}
		return
	}
	return
}

// withoutOwnDefiner drops a DEFINER clause that names the account (user@host) which reads the definition: whoever
// loads it becomes its definer, as the reader was. Other definers stay, for Load to map.
func withoutOwnDefiner(create, account string, mode sqlmode.Mode) string {
	l := &lexer{src: []byte(create), mode: mode}
	start, end, user, host, ok := definerClause(l)
	if !ok || user+"@"+host != account {
		return create
	}
	return create[:start] + strings.TrimLeft(create[end:], " ")
}
