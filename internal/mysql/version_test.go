package mysql_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// TestVersions sends the torture schema through the oldest and the newest MariaDB that Debian has, and from the oldest to
// the newest. TestMySQL does so with the MySQL that Debian has.
func TestVersions(t *testing.T) {
	oldest, newest := mysqltest.StartVersion(t, "10.5"), mysqltest.StartVersion(t, "11.8")
	for version, s := range map[string]*mysqltest.Server{"10.5": oldest, "11.8": newest} {
		t.Run(version, func(t *testing.T) {
			source, target := tortureOf(t, s, version), s.Database(t)
			mapped := strings.ReplaceAll(stockDump(t, s, source.Database), "`stranger`@`10.0.%`", "`admin`@`%`")
			sums := checksums(t, s, source)
			copyParts(t, source, target)
			same(t, mapped, stockDump(t, s, target.Database))
			if got := checksums(t, s, target); got != sums {
				t.Errorf("the checksums are %s, want %s", got, sums)
			}
		})
	}
	t.Run("10.5 to 11.8", func(t *testing.T) {
		source, target := tortureOf(t, oldest, "10.5"), newest.Database(t)
		copyParts(t, source, target)
		// The two print definitions differently, and the newer one has no negative zero: what is compared is the rows.
		rows := []string{"--no-create-info", "--skip-triggers", "--skip-routines", "--skip-events", "--compact", "--ignore-table=DATABASE.versioned"}
		same(t, strings.ReplaceAll(stockDump(t, oldest, source.Database, rows...), ",-0,", ",0,"), stockDump(t, newest, target.Database, rows...))
	})
}

// tortureOf creates the torture schema as far as the version has what it takes: UUID came with MariaDB 10.7.
func tortureOf(t *testing.T, s *mysqltest.Server, version string) mysql.Config {
	t.Helper()
	text, err := os.ReadFile("testdata/torture.sql")
	if err != nil {
		t.Fatal(err)
	}
	script := string(text)
	if version == "10.5" {
		script = strings.Replace(script, "u uuid", "u varchar(36)", 1)
	}
	config := s.Database(t)
	client(t, s, "mariadb", strings.NewReader(script), config.Database)
	return config
}

func copyParts(t *testing.T, source, target mysql.Config) {
	t.Helper()
	d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := mysql.LoadParts(t.Context(), target, sources(t, d), mysql.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
}
