package agent

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/recipe"
)

const (
	// maxImportStatement bounds the memory that a dump can ask for.
	maxImportStatement = 64 << 20
	// maxTables bounds what is kept of a dump's tables.
	maxTables = 20_000
	// statementHead is how much of a statement is looked at to see what it is.
	statementHead = 1 << 10
	// dumpEnd ends a part as the agent expects it.
	dumpEnd = "\n-- Dump completed\n"
)

// dumpFacts are what a dump tells of its site.
type dumpFacts struct {
	tables []string
	url    string
	// complete says that the dump ends as those of the stock programs do.
	complete bool
}

const identifier = "(?:`((?:[^`]|``)+)`|\"([^\"]+)\"|([\\w$]+))"

var (
	createTable = regexp.MustCompile(`(?is)^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:` + identifier + `\s*\.\s*)?` + identifier)
	useDatabase = regexp.MustCompile(`(?is)^USE\s+` + identifier)
)

// scanDump reads the dump from its beginning to its end, which also shows that it is a dump.
func (f *foreign) scanDump(ctx context.Context) (err error) {
	r, err := f.tree.OpenDump(ctx, f.dump)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s := mysql.NewScanner(r, maxImportStatement)
	used := ""
	for s.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		statement := s.Statement()
		head := statement[:min(len(statement), statementHead)]
		if m := useDatabase.FindSubmatch(head); m != nil {
			name := named(m[1:])
			if used != "" && used != name {
				return &archive.Refusal{Entry: f.dump.Name, Reason: fmt.Sprintf("is a dump of more than one database, %s and %s: have it hold one", used, name)}
			}
			used = name
		}
		if m := createTable.FindSubmatch(head); m != nil && len(f.facts.tables) < maxTables {
			f.facts.tables = append(f.facts.tables, named(m[4:]))
		}
		if f.facts.url == "" && f.recipe.Move.DumpURL != "" {
			if f.facts.url, err = recipe.Captured(f.recipe.Move.DumpURL, statement); err != nil {
				return invalid("recipe of application %s: move.dumpURL: %v", f.application, err)
			}
		}
	}
	if err := s.Err(); err != nil {
		return f.aboutDump(err)
	}
	f.facts.complete = s.Complete()
	if len(f.facts.tables) == 0 {
		return &archive.Refusal{Entry: f.dump.Name, Reason: "creates no table, so it is no dump of a site"}
	}
	return nil
}

func (f *foreign) aboutDump(err error) error {
	if errors.Is(err, mysql.ErrTruncated) || errors.Is(err, mysql.ErrTooLarge) {
		return &archive.Refusal{Entry: f.dump.Name, Reason: fmt.Sprintf("is no dump that can be loaded: %v", err)}
	}
	return err
}

// named is the name that one of the ways to write an identifier has found.
func named(groups [][]byte) string {
	for _, g := range groups[:3] {
		if len(g) > 0 {
			return strings.ReplaceAll(string(g), "``", "`")
		}
	}
	return ""
}
