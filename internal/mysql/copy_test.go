package mysql_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/rewrite"
)

// moving is a Rewriter that a copy takes.
type moving struct{ *rewrite.Rewriter }

func (m moving) SQL(ctx context.Context, script io.Reader, to io.Writer) error {
	_, err := m.Rewriter.SQL(ctx, script, to)
	return err
}

// move moves what lies in every corner of testdata/moved.sql.
func move(options rewrite.Options) func([]string) (mysql.Rewriter, error) {
	options.FromURL, options.ToURL = "https://old_1.example/blog", "https://a-much-longer-name.example"
	options.FromPath, options.ToPath = "/srv/old_1/www", "/srv/new"
	return func(tables []string) (mysql.Rewriter, error) {
		options.Tables = tables
		r, err := rewrite.New(options)
		return moving{r}, err
	}
}

// TestRewrittenCopies: a copy inside the server gives what a streamed one gives, byte for byte, on every server.
func TestRewrittenCopies(t *testing.T) {
	for _, version := range []string{"10.5", "10.11", "11.8"} {
		t.Run(version, func(t *testing.T) {
			s := mysqltest.Start(t)
			if version != "10.11" {
				s = mysqltest.StartVersion(t, version)
			}
			text, err := os.ReadFile("testdata/moved.sql")
			if err != nil {
				t.Fatal(err)
			}
			source := tortureOf(t, s, version)
			client(t, s, "mariadb", strings.NewReader(string(text)+randomRows(400)), source.Database)
			for name, options := range map[string]rewrite.Options{"place": {}, "place and names": {ToPrefix: "site_"}} {
				t.Run(name, func(t *testing.T) {
					streamed, inside := s.Database(t), s.Database(t)
					stats, err := mysql.Copy(t.Context(), source, streamed, mysql.CopyOptions{Rewrite: move(options), Stream: true})
					if err != nil || stats.Server != 0 {
						t.Fatalf("streamed: %+v, %v", stats, err)
					}
					within, err := mysql.Copy(t.Context(), source, inside, mysql.CopyOptions{Rewrite: move(options)})
					if err != nil || within.Server < 12 || within.Tables != stats.Tables {
						t.Fatalf("inside: %+v, streamed: %+v, %v", within, stats, err)
					}
					want := stockDump(t, s, streamed.Database)
					same(t, want, stockDump(t, s, inside.Database))
					if a, b := checksums(t, s, streamed), checksums(t, s, inside); a != b {
						t.Errorf("the checksums are %s, want %s", b, a)
					}
					if n := strings.Count(want, "a-much-longer-name.example"); n < 150 {
						t.Errorf("the copy holds the new address only %d times", n)
					}
				})
			}
		})
	}
}

// randomRows are rows as WordPress has them, about half of which hold an address in some spelling, with a fixed seed.
func randomRows(n int) string {
	random := rand.New(rand.NewPCG(7, 11))
	serialized := func(v string) string { return fmt.Sprintf(`a:1:{s:3:"url";s:%d:"%s";}`, len(v), v) }
	spellings := []string{
		"https://old_1.example/blog/?p=%d", "//old_1.example/blog/%d", `http:\/\/old_1.example\/blog\/%d`, "https%%3A%%2F%%2Fold_1.example%%2Fblog%%2F%d",
		"/srv/old_1/www/%d.php", "mail to me@old_1.example, %d", "old_1.example %d", "https://oldx1.example/blog/%d", "%d", "ünïcode 😀 %d", `back\slash 'quoted' %d`,
	}
	var b strings.Builder
	for range n {
		var value strings.Builder
		for range random.IntN(3) {
			fmt.Fprintf(&value, spellings[random.IntN(len(spellings))]+" ", random.IntN(1e6))
		}
		v := value.String()
		switch random.IntN(4) {
		case 0:
			v = serialized(v)
		case 1:
			v = serialized(serialized(v))
		case 2:
			v = strings.Repeat("x", random.IntN(9000)) + v
		}
		fmt.Fprintf(&b, "INSERT INTO random_rows (post, value) VALUES (%d, %s);\n", random.IntN(100), mysql.QuoteString(v))
	}
	return b.String()
}

// TestCopyIsOfOneInstant lets transactions move an amount between tables, some of it marked by an address, while copies
// are made: every copy has the same sum, and hardly keeps the writers waiting.
func TestCopyIsOfOneInstant(t *testing.T) {
	s := mysqltest.Start(t)
	source := site(t, s)
	db := open(t, source)
	for _, table := range []string{"a_account", "z_account"} {
		exec1(t.Context(), t, db, "CREATE TABLE "+table+" (id int PRIMARY KEY, amount int NOT NULL, note varchar(100), filler varchar(2000), KEY (amount))",
			"INSERT INTO "+table+" SELECT seq, 100, IF(seq % 7, 'none', 'https://old_1.example/blog/'), REPEAT('x', 2000) FROM seq_1_to_5000")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		written := 0
		random := rand.New(rand.NewPCG(1, 2))
		for ctx.Err() == nil {
			tx, err := db.Begin()
			if err != nil {
				t.Error(err)
				break
			}
			from, to := 1+random.IntN(5000), 1+random.IntN(5000)
			for _, statement := range []string{
				fmt.Sprintf("UPDATE a_account SET amount = amount - 1, note = IF(note = 'none', 'https://old_1.example/blog/', 'none') WHERE id = %d", from),
				fmt.Sprintf("UPDATE z_account SET amount = amount + 1, note = IF(note = 'none', 'https://old_1.example/blog/', 'none') WHERE id = %d", to),
				fmt.Sprintf("REPLACE INTO a_account VALUES (%d, 0, 'none', '')", 10000+written),
			} {
				if _, err := tx.Exec(statement); err != nil {
					t.Error(err)
				}
			}
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
			written++
		}
		done <- written
	}()
	for range 5 {
		target := site(t, s)
		if err := mysql.NewAdmin(open(t, s.Config())).GrantRows(t.Context(), target.User, source.Database); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		stats, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{Rewrite: move(rewrite.Options{})})
		if err != nil || stats.Server != 2 || stats.Pause > time.Since(start)/2 {
			t.Fatalf("%+v in %v, %v", stats, time.Since(start), err)
		}
		var sum, old, rows, other int
		err = open(t, target).QueryRow("SELECT SUM(amount), SUM(note LIKE '%old%'), COUNT(DISTINCT id) - 10000 FROM "+
			"(SELECT amount, note, id FROM a_account UNION ALL SELECT amount, note, id + 1000000 FROM z_account) AS a").Scan(&sum, &old, &rows)
		if err != nil || sum != 1e6 || old != 0 {
			t.Errorf("the sum is %d, %d rows hold the old address, %v", sum, old, err)
		}
		// Each transaction takes one from the first table and adds one row to it.
		if err := open(t, target).QueryRow("SELECT 500000 - SUM(amount) FROM a_account").Scan(&other); err != nil || other != rows {
			t.Errorf("%d transactions changed the one table and %d rows were added, %v", other, rows, err)
		}
	}
	cancel()
	if written := <-done; written < 50 {
		t.Errorf("only %d transactions were made meanwhile", written)
	}
}

// TestCopyThatIsGivenUp leaves neither a statement that goes on filling the target, nor a lock on the source.
func TestCopyThatIsGivenUp(t *testing.T) {
	s := mysqltest.Start(t)
	source, target := s.Database(t), s.Database(t)
	exec1(t.Context(), t, open(t, source), "CREATE TABLE t (id int PRIMARY KEY, b varchar(1000))",
		"INSERT INTO t SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000")
	c, err := mysql.NewCopy(t.Context(), source, target, mysql.CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	exec1(t.Context(), t, open(t, source), "INSERT INTO t VALUES (0, '')")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := mysql.Clear(t.Context(), target, ""); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c, err = mysql.NewCopy(ctx, source, target, mysql.CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := c.Run(ctx); err == nil {
		t.Error("a copy without a context ended well")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	// A second copy over what is left gives the whole.
	if err := mysql.Clear(t.Context(), target, ""); err != nil {
		t.Error(err)
	}
	stats, err := mysql.Copy(t.Context(), source, target, mysql.CopyOptions{})
	if err != nil || stats.Server != 1 {
		t.Fatalf("%+v, %v", stats, err)
	}
	same(t, stockDump(t, s, source.Database), stockDump(t, s, target.Database))
}

// TestCopiesByShare: whatever share of a table's text moves, a copy gives what a streamed one gives. Where little or some of it
// moves the others stay inside the server; a table that moves nearly whole is streamed.
func TestCopiesByShare(t *testing.T) {
	s := mysqltest.Start(t)
	source, streamed, inside := s.Database(t), s.Database(t), s.Database(t)
	db := open(t, source)
	for table, moves := range map[string]string{"few": "seq % 100 = 0", "some": "seq % 4 = 0", "most": "seq % 10 <> 0"} {
		exec1(t.Context(), t, db, "CREATE TABLE "+table+" (id int PRIMARY KEY, v varchar(300), n int, KEY (n))",
			"INSERT INTO "+table+" SELECT seq, IF("+moves+", CONCAT('https://old_1.example/blog/', seq), REPEAT('x', seq % 50)), seq % 7 FROM seq_1_to_3000")
	}
	if _, err := mysql.Copy(t.Context(), source, streamed, mysql.CopyOptions{Rewrite: move(rewrite.Options{}), Stream: true}); err != nil {
		t.Fatal(err)
	}
	stats, err := mysql.Copy(t.Context(), source, inside, mysql.CopyOptions{Rewrite: move(rewrite.Options{})})
	if err != nil || stats.Server != 2 {
		t.Fatalf("%+v, %v", stats, err)
	}
	want := stockDump(t, s, streamed.Database)
	if n := strings.Count(want, "a-much-longer-name.example"); n != 30+750+2700 {
		t.Errorf("%d rows have moved", n)
	}
	same(t, want, stockDump(t, s, inside.Database))
}
