package agent

import (
	"context"
	"errors"
	"io"

	"github.com/sitewright/sitewright/internal/mysql"
)

// tableCopy copies the tables of a clone's source: inside the server where both are on the same one and the clone's user
// may read the source.
type tableCopy struct {
	*cloning
	from    place
	move    *move
	copying *mysql.Copying
	loading *phase
}

// begin takes the instant of the source's database which the clone is of.
func (t *tableCopy) begin(ctx context.Context) (err error) {
	var refused error
	warnings := len(t.result.Warnings)
	t.copying, err = mysql.NewCopy(ctx, t.source.config, t.database.config, mysql.CopyOptions{
		Prefix: t.source.prefix(),
		Rewrite: func(tables []string) (mysql.Rewriter, error) {
			// When it is called again, the tables have changed, and it begins anew.
			t.result.Warnings, t.result.Rewritten, t.result.Malformed = t.result.Warnings[:warnings], 0, 0
			t.from.tables = tables
			t.move, refused = t.moveFrom(t.from, t.newSite)
			if refused != nil || t.move.rewriter == nil {
				return nil, refused
			}
			return moving{t.move}, nil
		},
		Progress: func(n int64) { t.loading.report(n, t.copying.Bytes()) },
	})
	if refused != nil {
		return refused
	}
	return t.about(err)
}

// run copies the tables.
func (t *tableCopy) run(ctx context.Context) error {
	t.loading = t.progress.phase(50, 85, "copying the database")
	stats, err := t.copying.Run(ctx)
	t.result.PauseMillis = stats.Pause.Milliseconds()
	if err == nil {
		t.move.tell()
	}
	return t.about(err)
}

// about names the database which an error is of.
func (t *tableCopy) about(err error) error {
	if _, ofSource := errors.AsType[*mysql.SourceError](err); ofSource {
		return t.source.about(err)
	}
	return t.aboutDatabase(err)
}

// moving is a move as a mysql.Rewriter.
type moving struct{ *move }

// SQL rewrites a part of a dump and counts what it changed.
func (m moving) SQL(ctx context.Context, script io.Reader, to io.Writer) error {
	report, err := m.rewriter.SQL(ctx, script, to)
	m.count(report)
	return err
}

// Needles are the rewriter's.
func (m moving) Needles() [][]byte { return m.rewriter.Needles() }

// Table is the name that the rewriter gives a table.
func (m moving) Table(name string) string { return m.rewriter.Table(name) }
