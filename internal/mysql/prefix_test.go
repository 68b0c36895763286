package mysql_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/rewrite"
)

// TestPrefixChange gives the torture schema's tables a prefix, then another one, then the first again: every table moves, and
// in the end the stock dump is what it was.
func TestPrefixChange(t *testing.T) {
	s := mysqltest.Start(t)
	source := torture(t, s)
	tables := tablesOf(t, source)
	first := moved(t, s, source, rewrite.Options{ToPrefix: "old_", Tables: tables})
	second := moved(t, s, first, rewrite.Options{FromPrefix: "old_", ToPrefix: "new_"})
	back := moved(t, s, second, rewrite.Options{FromPrefix: "new_", ToPrefix: "old_"})
	want := stockDump(t, s, first.Database)
	same(t, want, stockDump(t, s, back.Database))
	if got := checksums(t, s, back); got != checksums(t, s, first) {
		t.Error("the checksums differ")
	}
	// The stock dump is the same whether the tables move in it or on the way to it.
	r, err := rewrite.New(rewrite.Options{FromPrefix: "old_", ToPrefix: "new_"})
	if err != nil {
		t.Fatal(err)
	}
	var stock bytes.Buffer
	if _, err := r.SQL(t.Context(), strings.NewReader(want), &stock); err != nil {
		t.Fatal(err)
	}
	same(t, stockDump(t, s, second.Database), stock.String())
	if !strings.Contains(want, `SELECT '\' AS "a;b", "id" FROM "old_texts"`) {
		t.Error("the table did not move in the routine made with other quotes")
	}
	for _, table := range tables {
		if !strings.Contains(want, "CREATE TABLE "+mysql.QuoteName("old_"+table)) {
			t.Errorf("table %s did not move", table)
		}
	}
	if strings.Contains(stockDump(t, s, second.Database), "`old_") {
		t.Error("the old prefix is left somewhere")
	}
}

// moved loads a database's dump, rewritten, into another one.
func moved(t *testing.T, s *mysqltest.Server, source mysql.Config, options rewrite.Options) mysql.Config {
	t.Helper()
	r, err := rewrite.New(options)
	if err != nil {
		t.Fatal(err)
	}
	d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	list := sources(t, d)
	for i, part := range list {
		list[i].Open = func(ctx context.Context) (io.ReadCloser, error) {
			in, err := part.Open(ctx)
			if err != nil {
				return nil, err
			}
			defer in.Close()
			var out bytes.Buffer
			_, err = r.SQL(ctx, in, &out)
			return io.NopCloser(&out), err
		}
	}
	target := s.Database(t)
	if _, err := mysql.LoadParts(t.Context(), target, list, mysql.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	return target
}
