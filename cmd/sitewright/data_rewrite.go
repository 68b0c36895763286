package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/rewrite"
)

// moving are the flags that say what moves where.
type moving struct {
	fromURL, toURL, fromPath, toPath, fromPrefix, toPrefix string
}

func (m *moving) flags(command *cobra.Command) {
	f := command.Flags()
	f.StringVar(&m.fromURL, "from", "", "the site's old `URL`")
	f.StringVar(&m.toURL, "to", "", "the site's new `URL`")
	f.StringVar(&m.fromPath, "from-path", "", "the old `directory` of the site's files")
	f.StringVar(&m.toPath, "to-path", "", "the new `directory` of the site's files")
	f.StringVar(&m.fromPrefix, "from-prefix", "", "what the tables' names begin with")
	f.StringVar(&m.toPrefix, "to-prefix", "", "what the tables' names are to begin with")
}

// pairs are the flags by name.
func (m *moving) pairs() [][4]string {
	return [][4]string{
		{"from", m.fromURL, "to", m.toURL}, {"from-path", m.fromPath, "to-path", m.toPath},
		{"from-prefix", m.fromPrefix, "to-prefix", m.toPrefix},
	}
}

// rewriter is nil when no flag was given.
func (m *moving) rewriter() (*rewrite.Rewriter, error) {
	if *m == (moving{}) {
		return nil, nil
	}
	for _, p := range m.pairs() {
		if (p[1] == "") != (p[3] == "") {
			return nil, invalid("--%s and --%s go together: give both or none", p[0], p[2])
		}
	}
	for _, u := range []string{m.fromURL, m.toURL} {
		if _, rest, _ := strings.Cut(u, "//"); strings.Contains(rest, "@") {
			return nil, invalid("--from, --to: a site's URL has no login; leave out what stands before the '@'")
		}
	}
	r, err := rewrite.New(rewrite.Options{FromURL: m.fromURL, ToURL: m.toURL, FromPath: m.fromPath, ToPath: m.toPath,
		FromPrefix: m.fromPrefix, ToPrefix: m.toPrefix})
	if err != nil {
		return nil, invalid("what moves where: %w", err)
	}
	return r, nil
}

func newRewriteCommand() *cobra.Command {
	var m moving
	command := &cobra.Command{
		Use:   "rewrite --from URL --to URL",
		Short: "Move the site in an SQL dump to another URL, directory or table prefix",
		Long: `Copy an SQL dump from standard input to standard output, and move the site in it to another URL, directory or table
prefix on the way.

In: a dump of this program, of mariadb-dump or of mysqldump, of any size. Memory is bounded by its longest value.
Out: the same dump, byte for byte, but for what moved. Standard error says what was changed where: for every table, and for all
routines, triggers, views and events, how many values, how many of them serialized, and how many that look serialized, are
broken and were left alone. Its last line is the same as JSON. At most 1,000 tables are named; --quiet leaves out all but the JSON.

An address is found in all the spellings that applications store: plain, in PHP-serialized values, whose lengths are kept
right, JSON, URL-encoded and without a scheme; and never inside a longer host name. Rewriting what was rewritten changes nothing.

A dump that ends in the middle of a statement exits with 3; what was read of it has been written.`,
		Example: `  sitewright data rewrite --from http://old.example --to https://new.example < old.sql > new.sql
  sitewright data dump mysql://blog@db.example/blog | \
    sitewright data rewrite --from http://old.example --to https://new.example --from-prefix wp_ --to-prefix new_ | \
    sitewright data load mysql://blog@db.example/copy`,
		Args: exactly(),
		RunE: verb(func(ctx context.Context, t *task, _ []string) error {
			r, err := m.rewriter()
			if err != nil {
				return err
			}
			if r == nil {
				return invalid("nothing moves: give --from and --to, --from-path and --to-path, or --from-prefix and --to-prefix")
			}
			report, err := r.SQL(ctx, t.InOrStdin(), t.progress.writer(t.OutOrStdout(), "rewritten"))
			if err != nil {
				return err
			}
			t.progress.moved(report)
			return answer(t.ErrOrStderr(), report)
		}),
	}
	m.flags(command)
	return command
}
