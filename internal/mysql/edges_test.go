package mysql_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/rewrite"
)

// TestEdges sends testdata/edges.sql, which has more of every kind than the torture schema, through every way there is to
// copy a database, and through two of them on the oldest and the newest MariaDB that Debian has.
func TestEdges(t *testing.T) {
	for _, version := range []string{"10.5", "10.11", "11.8"} {
		t.Run(version, func(t *testing.T) {
			s := mysqltest.Start(t)
			if version != "10.11" {
				s = mysqltest.StartVersion(t, version)
			}
			text, err := os.ReadFile("testdata/edges.sql")
			if err != nil {
				t.Fatal(err)
			}
			source := s.Database(t)
			client(t, s, "mariadb", bytes.NewReader(text), source.Database)
			if version != "10.11" {
				edgesThrough(t, s, source, "dump and load of parts", "copy in the server")
				return
			}
			edgesThrough(t, s, source, "dump and load", "dump and load of parts", "dump, stock client", "copy in the server", "copy as a stream")
			edgesStock(t, s, source)
			edgesMoved(t, s, source)
		})
	}
}

// edgesThrough compares what ways to copy make of a database.
func edgesThrough(t *testing.T, s *mysqltest.Server, source mysql.Config, names ...string) {
	t.Helper()
	want, sums, script := stockDump(t, s, source.Database), checksums(t, s, source), dump(t, source, mysql.DumpOptions{})
	ways := map[string]func(t *testing.T, target mysql.Config){
		"dump and load":          func(t *testing.T, target mysql.Config) { load(t, target, script); load(t, target, script) },
		"dump and load of parts": func(t *testing.T, target mysql.Config) { copyParts(t, source, target) },
		"dump, stock client": func(t *testing.T, target mysql.Config) {
			client(t, s, "mariadb", bytes.NewReader(script), "--max-allowed-packet=256M", target.Database)
		},
		"copy in the server": func(t *testing.T, target mysql.Config) {
			if stats, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{}); err != nil || stats.Server == 0 {
				t.Fatalf("%+v, %v", stats, err)
			}
		},
		"copy as a stream": func(t *testing.T, target mysql.Config) {
			if stats, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{Stream: true}); err != nil || stats.Server != 0 {
				t.Fatalf("%+v, %v", stats, err)
			}
		},
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			target := s.Database(t)
			ways[name](t, target)
			same(t, want, stockDump(t, s, target.Database))
			if got := checksums(t, s, target); got != sums {
				t.Errorf("the checksums are %s, want %s", got, sums)
			}
			if err := mysql.Clear(t.Context(), target, ""); err != nil {
				t.Fatal(err)
			}
			if left := stockDump(t, s, target.Database); strings.Contains(left, "CREATE") {
				t.Errorf("after Clear there is\n%.300s", left)
			}
		})
	}
}

// edgesStock loads a stock dump with Load and with the stock client: the results are the same.
func edgesStock(t *testing.T, s *mysqltest.Server, source mysql.Config) {
	t.Helper()
	t.Run("stock dump, load", func(t *testing.T) {
		// A default that draws from a sequence does not work under the locks that a stock dump takes.
		stock := client(t, s, "mariadb-dump", nil, "--skip-add-locks", "--routines", "--events", "--triggers", "--max-allowed-packet=256M", source.Database)
		reference, target := s.Database(t), s.Database(t)
		client(t, s, "mariadb", strings.NewReader(stock), "--max-allowed-packet=256M", reference.Database)
		if stats := load(t, target, []byte(stock)); !stats.Complete {
			t.Error("the stock dump's end was not seen")
		}
		same(t, stockDump(t, s, reference.Database), stockDump(t, s, target.Database))
		if got, want := checksums(t, s, target), checksums(t, s, reference); got != want {
			t.Errorf("the checksums are %s, want %s", got, want)
		}
	})
}

// edgesMoved gives the tables a prefix, another one, and the first again.
func edgesMoved(t *testing.T, s *mysqltest.Server, source mysql.Config) {
	t.Helper()
	t.Run("prefix change", func(t *testing.T) {
		// A MERGE table names its parts where no other table names any.
		exec1(t.Context(), t, open(t, source), "DROP TABLE eng_merge")
		first := moved(t, s, source, rewrite.Options{ToPrefix: "old_", Tables: tablesOf(t, source)})
		second := moved(t, s, first, rewrite.Options{FromPrefix: "old_", ToPrefix: "new_"})
		back := moved(t, s, second, rewrite.Options{FromPrefix: "new_", ToPrefix: "old_"})
		same(t, stockDump(t, s, first.Database), stockDump(t, s, back.Database))
		if got, want := checksums(t, s, back), checksums(t, s, first); got != want {
			t.Errorf("the checksums are %s, want %s", got, want)
		}
	})
}

// tablesOf are the names of a database's tables and sequences.
func tablesOf(t *testing.T, source mysql.Config) (tables []string) {
	t.Helper()
	d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range d.Parts() {
		if part.Table != "" {
			tables = append(tables, part.Table)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return tables
}
