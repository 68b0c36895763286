package mysql_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// TestLeastPrivilege makes every journey as users that may do nothing outside of their own database.
func TestLeastPrivilege(t *testing.T) {
	s := mysqltest.Start(t)
	ctx := t.Context()
	source := site(t, s)
	text, err := os.ReadFile("testdata/torture.sql")
	if err != nil {
		t.Fatal(err)
	}
	stats := load(t, source, []byte(withoutQueries(string(text))))
	if stats.DefinersMapped != 1 {
		t.Errorf("%d definers were mapped, want the stranger", stats.DefinersMapped)
	}
	want := stockDump(t, s, source.Database)
	if !strings.Contains(want, "DEFINER=`u_DATABASE`@`%`") {
		t.Fatal("the site does not own its objects")
	}
	check := func(t *testing.T, target mysql.Config) {
		t.Helper()
		same(t, want, strings.ReplaceAll(stockDump(t, s, target.Database), source.User, "u_DATABASE"))
	}
	t.Run("dump and load", func(t *testing.T) {
		target := site(t, s)
		load(t, target, dump(t, source, mysql.DumpOptions{}))
		check(t, target)
	})
	t.Run("copy without a right to read", func(t *testing.T) {
		target := site(t, s)
		stats, err := mysql.Copy(ctx, source, target, mysql.CopyOptions{})
		if err != nil || stats.Server != 0 {
			t.Fatalf("%+v, %v", stats, err)
		}
		check(t, target)
	})
	t.Run("copy with a right to read", func(t *testing.T) {
		target := site(t, s)
		if err := mysql.NewAdmin(open(t, s.Config())).GrantRows(ctx, target.User, source.Database); err != nil {
			t.Fatal(err)
		}
		stats, err := mysql.Copy(ctx, source, target, mysql.CopyOptions{})
		if err != nil || stats.Server == 0 {
			t.Fatalf("%+v, %v", stats, err)
		}
		check(t, target)
	})
	t.Run("copy by the same user", func(t *testing.T) {
		target := s.Database(t)
		target.User, target.Password = source.User, source.Password
		if err := mysql.NewAdmin(open(t, s.Config())).Grant(ctx, target.User, target.Database); err != nil {
			t.Fatal(err)
		}
		stats, err := mysql.Copy(ctx, source, target, mysql.CopyOptions{})
		if err != nil || stats.Server == 0 {
			t.Fatalf("%+v, %v", stats, err)
		}
		check(t, target)
	})
	t.Run("clear", func(t *testing.T) {
		for range 2 {
			if err := mysql.Clear(ctx, source, ""); err != nil {
				t.Fatal(err)
			}
		}
		target := s.Database(t)
		same(t, stockDump(t, s, target.Database), stockDump(t, s, source.Database))
	})
}

// withoutQueries takes the statement out that Load does not run.
func withoutQueries(script string) string {
	return strings.ReplaceAll(script, "SELECT NEXTVAL(`se``q`), NEXTVAL(`se``q`);", "")
}

// TestPrefix keeps the other applications in a shared database out of a dump, and unharmed by Clear.
func TestPrefix(t *testing.T) {
	s := mysqltest.Start(t)
	ctx := t.Context()
	source, target := site(t, s), site(t, s)
	db := open(t, source)
	for _, prefix := range []string{"wp_", "wpx", "WP_", "x_wp_"} {
		exec1(ctx, t, db,
			"CREATE TABLE "+prefix+"t (id int PRIMARY KEY)", "INSERT INTO "+prefix+"t VALUES (1), (2)",
			"CREATE VIEW "+prefix+"v AS SELECT * FROM "+prefix+"t",
			"CREATE SEQUENCE "+prefix+"s",
			"CREATE TRIGGER trig_"+prefix+" BEFORE INSERT ON "+prefix+"t FOR EACH ROW SET @x = 1")
		name := prefix
		if prefix == "WP_" { // names of routines and events know no case
			name = "other_"
		}
		exec1(ctx, t, db, "CREATE PROCEDURE "+name+"p() SELECT 1",
			"CREATE EVENT "+name+"e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01' DO SELECT 1")
	}
	all := stockDump(t, s, source.Database)
	tables, size, err := mysql.TableStats(ctx, source, "wp_")
	if err != nil || tables != 1 || size < 1 {
		t.Errorf("%d tables, %d bytes, %v", tables, size, err)
	}
	script := dump(t, source, mysql.DumpOptions{Prefix: "wp_"})
	if stats := load(t, target, script); stats.Tables != 1 {
		t.Errorf("%d tables in the dump", stats.Tables)
	}
	for _, other := range []string{"`wpx", "`WP_", "`x_wp_", "other_"} {
		if strings.Contains(string(script), other) {
			t.Errorf("the dump holds %s", other)
		}
	}
	for _, mine := range []string{"`wp_t`", "`wp_v`", "`wp_s`", "trig_wp_", "`wp_e`", "`wp_p`"} {
		if !strings.Contains(string(script), mine) {
			t.Errorf("the dump lacks %s", mine)
		}
	}
	if err := mysql.Clear(ctx, source, "wp_"); err != nil {
		t.Fatal(err)
	}
	load(t, source, script)
	same(t, all, stockDump(t, s, source.Database))
	if _, _, err := mysql.TableStats(ctx, mysql.Config{}, ""); !errors.Is(err, mysql.ErrUnknownDatabase) {
		t.Errorf("without a database: %v", err)
	}
}
