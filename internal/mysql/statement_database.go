package mysql

import "strings"

// use accepts the name of the one database of a script that names it, if that was asked for.
func (j *judge) use(name string) error {
	if j.single && (j.source == "" || j.source == name) {
		j.source = name
		return nil
	}
	return refuse("the script changes to the database %s; only dumps of a single database, without --databases, are loaded",
		QuoteName(name))
}

// databaseStatement judges statements about databases. ALTER DATABASE changes the target's defaults, whichever name the
// script gives it: stock dumps of routines name the source.
func (j *judge) databaseStatement(l *lexer, verb string, result judged) (judged, error) {
	t := l.next()
	switch verb {
	case "CREATE":
		for w := l.word(t); w == "IF" || w == "NOT" || w == "EXISTS"; w = l.word(t) {
			t = l.next()
		}
		result.verdict = skip
		return result, j.use(l.name(t))
	case "ALTER":
		switch l.word(t) {
		case "CHARACTER", "CHARSET", "COLLATE", "DEFAULT":
			return result, nil
		}
		result.text = []byte("ALTER DATABASE " + strings.TrimSpace(string(l.src[t.end:])))
		return result, nil
	}
	return result, refuse("%s DATABASE is not part of a dump", verb)
}
