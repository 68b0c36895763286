package mysql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// TestDumpIsOfOneInstant lets a writer insert pairs, one row into each of two tables, while dumps are taken: no dump may
// hold half a pair, whichever engine the tables are of and whichever way they are copied.
func TestDumpIsOfOneInstant(t *testing.T) {
	s := mysqltest.Start(t)
	for _, c := range []struct {
		name, first, second string
		copies              mysql.CopyOptions
	}{
		{"InnoDB", "InnoDB", "InnoDB", mysql.CopyOptions{}},
		{"MyISAM", "MyISAM", "Aria", mysql.CopyOptions{}},
		{"both", "InnoDB", "MyISAM", mysql.CopyOptions{Stream: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := site(t, s)
			db := open(t, source)
			exec1(t.Context(), t, db,
				"CREATE TABLE a_pair (id int AUTO_INCREMENT PRIMARY KEY, n int, KEY (n)) ENGINE="+c.first,
				"CREATE TABLE z_pair (id int AUTO_INCREMENT PRIMARY KEY, n int, KEY (n)) ENGINE="+c.second)
			stop := writePairs(t, source)
			for range 3 {
				target := site(t, s)
				stats := load(t, target, dump(t, source, mysql.DumpOptions{}))
				if stats.Tables != 2 {
					t.Errorf("%d tables", stats.Tables)
				}
				checkPairs(t, target)
			}
			target := s.Database(t)
			target.User, target.Password = source.User, source.Password
			if err := mysql.NewAdmin(open(t, s.Config())).Grant(t.Context(), target.User, target.Database); err != nil {
				t.Fatal(err)
			}
			if _, err := mysql.Copy(t.Context(), source, target, c.copies); err != nil {
				t.Fatal(err)
			}
			checkPairs(t, target)
			if written := stop(); written < 10 {
				t.Errorf("only %d pairs were written meanwhile", written)
			}
		})
	}
}

// writePairs inserts until it is stopped. A pair is written under a lock, so that engines without transactions have
// pairs too.
func writePairs(t *testing.T, config mysql.Config) (stop func() int) {
	db := open(t, config)
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	written := 0
	writer.Go(func() {
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		for ctx.Err() == nil {
		pair:
			for _, statement := range []string{"LOCK TABLES a_pair WRITE, z_pair WRITE",
				fmt.Sprintf("INSERT INTO a_pair (n) VALUES (%d)", written), fmt.Sprintf("INSERT INTO z_pair (n) VALUES (%d)", written),
				"UNLOCK TABLES"} {
				_, err := conn.ExecContext(context.WithoutCancel(ctx), statement)
				if errors.Is(mysql.Classify(err), mysql.ErrBusy) {
					written-- // a deadlock: to be tried again
					break pair
				}
				if err != nil {
					t.Errorf("%s: %v", statement, err)
					return
				}
			}
			written++
		}
	})
	return func() int {
		cancel()
		writer.Wait()
		return written
	}
}

func checkPairs(t *testing.T, config mysql.Config) {
	t.Helper()
	var a, z, both int
	err := open(t, config).QueryRow("SELECT (SELECT COUNT(*) FROM a_pair), (SELECT COUNT(*) FROM z_pair), "+
		"(SELECT COUNT(*) FROM a_pair JOIN z_pair USING (n))").Scan(&a, &z, &both)
	if err != nil || a != both || z != both {
		t.Errorf("%d and %d rows make %d pairs, %v", a, z, both, err)
	}
}

// TestParts writes the table parts at the same time and loads them backwards, each by itself.
func TestParts(t *testing.T) {
	s := mysqltest.Start(t)
	source, target := torture(t, s), s.Database(t)
	d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	parts := d.Parts()
	texts := make([]bytes.Buffer, len(parts))
	var writers sync.WaitGroup
	for i := range parts {
		writers.Go(func() {
			if err := d.WritePart(t.Context(), parts[i], &texts[i]); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	load(t, target, texts[0].Bytes())
	last := 0
	for i := len(parts) - 1; i > 0; i-- {
		if parts[i].Name <= parts[i-1].Name {
			t.Errorf("%s sorts before %s", parts[i].Name, parts[i-1].Name)
		}
		if parts[i].Table == "" {
			last = i
			continue
		}
		load(t, target, texts[i].Bytes())
	}
	for i := last; i < len(parts); i++ {
		load(t, target, texts[i].Bytes())
	}
	same(t, strings.ReplaceAll(stockDump(t, s, source.Database), "`stranger`@`10.0.%`", "`admin`@`%`"), stockDump(t, s, target.Database))
	var again bytes.Buffer
	if err := d.WritePart(t.Context(), parts[1], &again); err != nil || !bytes.Equal(again.Bytes(), texts[1].Bytes()) {
		t.Errorf("the part came out differently the second time, %v", err)
	}
	if err := d.WritePart(t.Context(), mysql.Part{Name: "x"}, &again); err == nil {
		t.Error("a foreign part was written")
	}
}

// TestQuiesce keeps a writer out until Close, and only then.
func TestQuiesce(t *testing.T) {
	s := mysqltest.Start(t)
	source := site(t, s)
	db := open(t, source)
	exec1(t.Context(), t, db, "CREATE TABLE t (id int)")
	for _, quiesce := range []bool{false, true} {
		d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{Quiesce: quiesce})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err = db.ExecContext(ctx, "INSERT INTO t VALUES (1)")
		cancel()
		if blocked := err != nil; blocked != quiesce {
			t.Errorf("quiesce %v: writing gave %v", quiesce, err)
		}
		if pause := d.Pause(); pause <= 0 || quiesce != (pause >= 200*time.Millisecond) {
			t.Errorf("quiesce %v: the pause is %v", quiesce, pause)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		exec1(t.Context(), t, db, "INSERT INTO t VALUES (2)")
	}
}

// TestDumpGivesUp: a transaction that does not end, a table altered under the dump, a context that is done, and a writer
// that fails are errors, not wrong dumps; and none of them leaves a lock.
func TestDumpGivesUp(t *testing.T) {
	s := mysqltest.Start(t)
	source := site(t, s)
	db := open(t, source)
	exec1(t.Context(), t, db, "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, b varchar(1000))",
		"INSERT INTO t (b) SELECT REPEAT('x', 1000) FROM seq_1_to_5000")
	busy := open(t, source)
	tx, err := busy.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO t (b) VALUES ('y')"); err != nil {
		t.Fatal(err)
	}
	if _, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{LockTimeout: time.Second}); !errors.Is(err, mysql.ErrBusy) {
		t.Errorf("locked out: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		run  func(d *mysql.Dump) error
		want error
	}{
		{"altered", func(d *mysql.Dump) error {
			exec1(t.Context(), t, db, "ALTER TABLE t ADD COLUMN c int, FORCE")
			return d.Write(t.Context(), &bytes.Buffer{})
		}, mysql.ErrChanged},
		{"cancelled", func(d *mysql.Dump) error {
			ctx, cancel := context.WithCancel(t.Context())
			return d.Write(ctx, writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }))
		}, context.Canceled},
		{"writer fails", func(d *mysql.Dump) error {
			return d.Write(t.Context(), writerFunc(func([]byte) (int, error) { return 0, errWriter }))
		}, errWriter},
		{"dropped", func(d *mysql.Dump) error {
			exec1(t.Context(), t, db, "DROP TABLE t")
			return d.Write(t.Context(), &bytes.Buffer{})
		}, mysql.ErrChanged},
	} {
		d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.run(d); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err := d.Close(); err != nil {
			t.Errorf("%s: close: %v", c.name, err)
		}
	}
	exec1(t.Context(), t, db, "CREATE TABLE t (id int)")
}

var errWriter = errors.New("no room")

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
