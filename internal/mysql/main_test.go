package mysql_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }

// client runs a stock client program as an administrator.
func client(t testing.TB, s *mysqltest.Server, program string, stdin io.Reader, args ...string) string {
	t.Helper()
	cmd := s.Client(program, args...)
	cmd.Stdin = stdin
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v: install the package mariadb-client", err)
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, errs.String())
	}
	return out.String()
}

// stockDump is what the stock program says is in a database: the judge of fidelity.
func stockDump(t testing.TB, s *mysqltest.Server, database string, args ...string) string {
	t.Helper()
	args = append([]string{"--skip-dump-date", "--skip-comments", "--order-by-primary", "--routines", "--events", "--triggers",
		"--max-allowed-packet=256M", database}, args...)
	return strings.ReplaceAll(client(t, s, "mariadb-dump", nil, args...), database, "DATABASE")
}

// same fails with the first difference of two stock dumps.
func same(t testing.TB, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			next := ""
			if i < len(g) {
				next = g[i]
			}
			t.Fatalf("line %d of the stock dumps differs\nwant: %.600s\n got: %.600s", i+1, w[i], next)
		}
	}
	t.Fatalf("the dump has %d lines more: %.600s", len(g)-len(w), g[len(w)])
}

// torture creates a database with the torture schema.
func torture(t testing.TB, s *mysqltest.Server) mysql.Config {
	t.Helper()
	f, err := os.Open("testdata/torture.sql")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	config := s.Database(t)
	client(t, s, "mariadb", f, config.Database)
	return config
}

// dump returns a whole dump as text.
func dump(t testing.TB, config mysql.Config, options mysql.DumpOptions) []byte {
	t.Helper()
	d, err := mysql.NewDump(t.Context(), config, options)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := d.Write(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func load(t testing.TB, config mysql.Config, script []byte) mysql.LoadStats {
	t.Helper()
	stats, err := mysql.Load(t.Context(), config, bytes.NewReader(script), mysql.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// sources are the parts of a dump that is open, in an order which is not that of loading.
func sources(t testing.TB, d *mysql.Dump) []mysql.Source {
	t.Helper()
	var list []mysql.Source
	for _, part := range d.Parts() {
		list = append([]mysql.Source{{Name: "database/" + part.Name, Size: part.Bytes, Open: func(ctx context.Context) (io.ReadCloser, error) {
			r, w := io.Pipe()
			go func() { _ = w.CloseWithError(d.WritePart(ctx, part, w)) }()
			return r, nil
		}}}, list...)
	}
	return list
}

func open(t testing.TB, config mysql.Config) *sql.DB {
	t.Helper()
	db, err := mysql.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec1(ctx context.Context, t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// site makes a database and an account that may use only that, as the controllers do.
func site(t testing.TB, s *mysqltest.Server) mysql.Config {
	t.Helper()
	config := s.Database(t)
	admin := mysql.NewAdmin(open(t, s.Config()))
	config.User, config.Password = "u_"+config.Database, `p'a\ss"wörd`
	if err := admin.EnsureUser(t.Context(), config.User, config.Password); err != nil {
		t.Fatal(err)
	}
	if err := admin.Grant(t.Context(), config.User, config.Database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		db, err := mysql.Open(ctx, s.Config())
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		if err := mysql.NewAdmin(db).DropUser(ctx, config.User); err != nil {
			t.Error(err)
		}
	})
	return config
}
