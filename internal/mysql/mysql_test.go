package mysql_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// TestMySQL sends a torture schema through every way there is to copy a database on a server of MySQL, as a user that may do
// nothing outside of its own database, and compares what MySQL's own mysqldump says.
func TestMySQL(t *testing.T) {
	s := mysqltest.StartVersion(t, mysqltest.MySQL)
	source := site(t, s)
	text, err := os.ReadFile("testdata/mysql.sql")
	if err != nil {
		t.Fatal(err)
	}
	load(t, source, text)
	// Whoever loads owns what he makes.
	state := func(target mysql.Config, user, host string) string {
		user = strings.ReplaceAll(user, target.Database, "DATABASE")
		return strings.NewReplacer("`"+user+"`@`"+host+"`", "OWNER", `"`+user+`"@"`+host+`"`, "OWNER").
			Replace(stockDump(t, s, target.Database, "--hex-blob"))
	}
	want, sums := state(source, source.User, "%"), mysqlChecksums(t, s, source)
	check := func(t *testing.T, target mysql.Config) {
		t.Helper()
		same(t, want, state(target, target.User, "%"))
		if got := mysqlChecksums(t, s, target); got != sums {
			t.Errorf("the checksums are %s, want %s", got, sums)
		}
	}
	script := dump(t, source, mysql.DumpOptions{})
	t.Run("dump and load", func(t *testing.T) {
		target := site(t, s)
		if stats := load(t, target, script); stats.Tables != 13 || !stats.Complete {
			t.Errorf("stats are %+v", stats)
		}
		check(t, target)
	})
	t.Run("dump and load of parts", func(t *testing.T) {
		target := site(t, s)
		copyParts(t, source, target)
		check(t, target)
	})
	t.Run("dump, stock client", func(t *testing.T) {
		target := s.Database(t)
		client(t, s, "mariadb", bytes.NewReader(script), "--max-allowed-packet=256M", target.Database)
		same(t, want, state(target, "root", "localhost"))
	})
	t.Run("stock dump, load", func(t *testing.T) {
		target := site(t, s)
		stock := client(t, s, "mariadb-dump", nil, "--routines", "--events", "--triggers", "--hex-blob", "--max-allowed-packet=256M", source.Database)
		if stats := load(t, target, []byte(stock)); !stats.Complete {
			t.Error("the stock dump's end was not seen")
		}
		// The stock dump prints six digits of a FLOAT: what it loses is lost to the stock client too.
		reference := site(t, s)
		client(t, s, "mariadb", strings.NewReader(strings.ReplaceAll(stock, source.User, reference.User)), "--max-allowed-packet=256M", reference.Database)
		same(t, state(reference, reference.User, "%"), state(target, target.User, "%"))
	})
	t.Run("copy by one user", func(t *testing.T) {
		target := site(t, s)
		if err := mysql.NewAdmin(open(t, s.Config())).Grant(t.Context(), source.User, target.Database); err != nil {
			t.Fatal(err)
		}
		target.User, target.Password = source.User, source.Password
		if _, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		check(t, target)
	})
	t.Run("copy as a stream", func(t *testing.T) {
		target := site(t, s)
		if _, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{Stream: true}); err != nil {
			t.Fatal(err)
		}
		check(t, target)
	})
}

// mysqlChecksums leaves out the table whose index is over an array: its hidden column has another checksum each time.
func mysqlChecksums(t *testing.T, s *mysqltest.Server, config mysql.Config) string {
	t.Helper()
	lines := strings.Split(checksums(t, s, config), "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, ".multi\t") }), "\n")
}
