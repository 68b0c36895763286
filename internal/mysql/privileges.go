package mysql

import (
	"context"
	"slices"
	"strings"
)

// grants are the privileges of a login: on *.*, and on patterns of database names.
type grants struct {
	global, pattern map[string]bool
	// grantable are those which it may pass on, wherever it has them.
	grantable map[string]bool
}

// readGrants reads the privileges of the session's user, those of its active roles included.
func readGrants(ctx context.Context, q querier) (*grants, error) {
	g := &grants{global: map[string]bool{}, pattern: map[string]bool{}, grantable: map[string]bool{}}
	err := query(ctx, q, "SHOW GRANTS", func(scan func(...any) error) error {
		var line string
		if err := scan(&line); err != nil {
			return err
		}
		g.add(line)
		return nil
	})
	return g, err
}

// add takes in one line of SHOW GRANTS: GRANT privileges ON object TO account [WITH GRANT OPTION]. Grants of roles,
// and on single databases, tables or routines, do not count.
func (g *grants) add(line string) {
	l := &lexer{src: []byte(line)}
	if l.word(l.next()) != "GRANT" {
		return
	}
	start := l.pos
	t := l.next()
	depth := 0
	for ; t.kind != tokenEnd && (depth > 0 || l.word(t) != "ON" && l.word(t) != "TO"); t = l.next() {
		switch {
		case l.is(t, '('):
			depth++
		case l.is(t, ')'):
			depth--
		}
	}
	if l.word(t) != "ON" {
		return
	}
	list := line[start:t.start]
	object := l.next()
	set := g.pattern
	switch {
	case l.is(object, '*'):
		set = g.global
	case object.kind != tokenName || !isPattern(l.name(object)):
		return
	}
	grantable := strings.HasSuffix(strings.TrimSpace(line), "WITH GRANT OPTION")
	for privilege := range strings.SplitSeq(strings.ToUpper(list), ",") {
		privilege = strings.TrimSpace(privilege)
		set[privilege] = true
		if grantable {
			g.grantable[privilege] = true
		}
	}
}

// isPattern reports whether the name in a grant stands for any number of databases.
func isPattern(name string) bool {
	return strings.Contains(strings.NewReplacer(`\\`, "", `\%`, "", `\_`, "").Replace(name), "%")
}

func (g *grants) has(set map[string]bool, privilege string) bool {
	return set[privilege] || set["ALL PRIVILEGES"] || set["ALL"]
}

// missing names what the login lacks for making databases and users and giving users access.
func (g *grants) missing() []string {
	var missing []string
	if !g.has(g.global, "CREATE USER") {
		missing = append(missing, "CREATE USER")
	}
	for _, privilege := range sitePrivileges {
		if !g.has(g.global, privilege) && !g.has(g.pattern, privilege) {
			missing = append(missing, privilege)
		}
	}
	grantable := func(privilege string) bool { return g.has(g.grantable, privilege) }
	if !slices.ContainsFunc(sitePrivileges, func(p string) bool { return !grantable(p) }) {
		return missing
	}
	return append(missing, "GRANT OPTION")
}

// hasGlobal reports whether the session's user has one of the global privileges.
func hasGlobal(ctx context.Context, q querier, privileges ...string) (bool, error) {
	g, err := readGrants(ctx, q)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(privileges, func(p string) bool { return g.has(g.global, p) }), nil
}
