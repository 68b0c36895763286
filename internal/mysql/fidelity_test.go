package mysql_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// TestFidelity sends the torture schema through every way there is to copy a database and compares stock dumps.
func TestFidelity(t *testing.T) {
	s := mysqltest.Start(t)
	source := torture(t, s)
	want := stockDump(t, s, source.Database)
	script := dump(t, source, mysql.DumpOptions{})
	// An account which exists nowhere is the only thing that may differ.
	mapped := strings.ReplaceAll(want, "`stranger`@`10.0.%`", "`admin`@`%`")
	sums := checksums(t, s, source)

	t.Run("dump and load", func(t *testing.T) {
		target := s.Database(t)
		stats := load(t, target, script)
		same(t, mapped, stockDump(t, s, target.Database))
		if stats.Tables != 20 || stats.DefinersMapped != 1 || !stats.Complete || stats.Bytes != int64(len(script)) {
			t.Errorf("stats are %+v", stats)
		}
		if got := checksums(t, s, target); got != sums {
			t.Errorf("the checksums are %s, want %s", got, sums)
		}
		load(t, target, script) // what is there is replaced
		same(t, mapped, stockDump(t, s, target.Database))
	})
	t.Run("dump and load of parts", func(t *testing.T) {
		target := s.Database(t)
		d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var progress int64
		stats, err := mysql.LoadParts(t.Context(), target, sources(t, d), mysql.LoadOptions{Workers: 3, Progress: func(n int64) { progress = n }})
		if err != nil {
			t.Fatal(err)
		}
		same(t, mapped, stockDump(t, s, target.Database))
		if got := checksums(t, s, target); got != sums {
			t.Errorf("the checksums are %s, want %s", got, sums)
		}
		if stats.Tables != 20 || stats.DefinersMapped != 1 || !stats.Complete || stats.Bytes != int64(len(script)) {
			t.Errorf("stats are %+v", stats)
		}
		if progress < stats.Bytes*99/100 {
			t.Errorf("progress ended at %d of %d bytes", progress, stats.Bytes)
		}
	})
	t.Run("dump, stock client", func(t *testing.T) {
		target := s.Database(t)
		client(t, s, "mariadb", bytes.NewReader(script), "--max-allowed-packet=256M", target.Database)
		same(t, want, stockDump(t, s, target.Database))
	})
	t.Run("stock dump, load", func(t *testing.T) {
		target := s.Database(t)
		// What the stock client cannot load either: views with a check option on views, rows that a CHECK refuses.
		var without []string
		for _, name := range []string{"computed", "a_view", "c_view"} {
			without = append(without, "--ignore-table="+source.Database+"."+name)
		}
		stock := client(t, s, "mariadb-dump", nil, append(without, "--routines", "--events", "--triggers",
			"--max-allowed-packet=256M", source.Database)...)
		stats := load(t, target, []byte(stock))
		if !stats.Complete {
			t.Error("the stock dump's end was not seen")
		}
		// The stock dump prints -0e0 as -0, which is an integer: what it loses is lost to the stock client too.
		reference := s.Database(t)
		client(t, s, "mariadb", strings.NewReader(stock), "--max-allowed-packet=256M", reference.Database)
		same(t, strings.ReplaceAll(stockDump(t, s, reference.Database), "`stranger`@`10.0.%`", "`admin`@`%`"),
			stockDump(t, s, target.Database))
	})
	t.Run("copy in the server", func(t *testing.T) {
		target := s.Database(t)
		stats, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{})
		if err != nil || stats.Server == 0 || stats.Tables != 20 || stats.Pause <= 0 {
			t.Fatalf("%+v, %v", stats, err)
		}
		if got := checksums(t, s, target); got != sums {
			t.Errorf("the checksums are %s, want %s", got, sums)
		}
		same(t, mapped, stockDump(t, s, target.Database))
	})
	t.Run("copy as a stream", func(t *testing.T) {
		target := s.Database(t)
		stats, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{Stream: true})
		if err != nil || stats.Server != 0 || stats.Tables != 20 {
			t.Fatalf("%+v, %v", stats, err)
		}
		if got := checksums(t, s, target); got != sums {
			t.Errorf("the checksums are %s, want %s", got, sums)
		}
		same(t, mapped, stockDump(t, s, target.Database))
	})
}

// checksums are the server's own of the tables' bytes: they see what a stock dump does not show, such as the digits of
// a FLOAT behind the sixth. System-versioned rows hold the time of their insertion.
func checksums(t *testing.T, s *mysqltest.Server, config mysql.Config) string {
	t.Helper()
	const list = "SELECT CONCAT('CHECKSUM TABLE ', GROUP_CONCAT(CONCAT('`', REPLACE(TABLE_NAME, '`', '``'), '`') ORDER BY TABLE_NAME)) " +
		"FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
	statement := client(t, s, "mariadb", nil, "--raw", "-N", "-e", list, config.Database)
	sums := client(t, s, "mariadb", nil, "-N", "-e", strings.TrimSpace(statement), config.Database)
	return strings.ReplaceAll(sums, config.Database, "DATABASE")
}

// TestNothingRefersToTheSource makes sure that a copy goes on working when its source is gone: the server prints some
// names with their database.
func TestNothingRefersToTheSource(t *testing.T) {
	s := mysqltest.Start(t)
	source, target := s.Database(t), s.Database(t)
	db := open(t, source)
	exec1(t.Context(), t, db,
		"CREATE SEQUENCE s",
		"CREATE TABLE t (id int DEFAULT nextval(s), name varchar(50))",
		"CREATE FUNCTION f(n int) RETURNS int DETERMINISTIC RETURN n + 1",
		"CREATE VIEW v AS SELECT f(id) AS n, '`"+source.Database+"`.`t`' AS text FROM t",
		"CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.name = CONCAT("+source.Database+".f(1), `"+source.Database+"` . `f`(2))",
		"CREATE PROCEDURE p() INSERT INTO "+source.Database+".t (name) VALUES ('"+source.Database+".t')")
	script := dump(t, source, mysql.DumpOptions{})
	load(t, target, script)
	exec1(t.Context(), t, db, "DROP DATABASE "+source.Database)
	copied := open(t, target)
	exec1(t.Context(), t, copied, "CALL p()")
	var n, name, text string
	if err := copied.QueryRow("SELECT v.n, t.name, v.text FROM v, t").Scan(&n, &name, &text); err != nil {
		t.Fatal(err)
	}
	if n != "2" || name != "23" || text != "`"+source.Database+"`.`t`" {
		t.Errorf("got %s, %s, %s", n, name, text)
	}
}

// TestUnsafeClientCharset: a routine made by a session in a character set that Load refuses must still come back.
func TestUnsafeClientCharset(t *testing.T) {
	s := mysqltest.Start(t)
	source, target := s.Database(t), s.Database(t)
	script := "SET NAMES sjis;\nCREATE FUNCTION f() RETURNS varchar(10) CHARACTER SET utf8mb4 DETERMINISTIC RETURN '\x95\x5c';"
	client(t, s, "mariadb", strings.NewReader(script), "--default-character-set=sjis", source.Database)
	load(t, target, dump(t, source, mysql.DumpOptions{}))
	var got string
	if err := open(t, target).QueryRow("SELECT f()").Scan(&got); err != nil || got != "表" {
		t.Errorf("got %q, %v", got, err)
	}
}
