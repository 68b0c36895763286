package rewrite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func runSQL(t testing.TB, r *Rewriter, in string) (string, Report) {
	t.Helper()
	var out bytes.Buffer
	rep, err := r.SQL(context.Background(), strings.NewReader(in), &out)
	if err != nil {
		t.Fatalf("SQL(%.60q): %v", in, err)
	}
	return out.String(), rep
}

func checkSQL(t *testing.T, r *Rewriter, cases []textCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "=" {
				want = c.in
			}
			if got, _ := runSQL(t, r, c.in); got != want {
				t.Errorf("SQL(%q)\n got %q\nwant %q", c.in, got, want)
			}
		})
	}
}

func TestSQLLiterals(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "https://new.example.org"})
	checkSQL(t, r, []textCase{
		{"value", `INSERT INTO t VALUES (1,'http://old.test/a',NULL);`, `INSERT INTO t VALUES (1,'https://new.example.org/a',NULL);`},
		{"introducer", `(_binary 'http://old.test',_utf8mb4'http://old.test')`, `(_binary 'https://new.example.org',_utf8mb4'https://new.example.org')`},
		{"double quotes", `("http://old.test")`, `("https://new.example.org")`},
		{"escapes", `('it\'s\n\"http://old.test\" \\ \0\Z\%'),('x\tdon''t')`, `('it\'s\n\"http://old.test\" \\ \0\Z\%'),('x\tdon''t')`},
		{"escapes kept", `('it\'s\n\"http://old.test\"\t\\ \r\Z\%\_''')`, `('it\'s\n\"https://new.example.org\"\t\\ \r\Z\%\_''')`},
		{"escapes written anew", `('a:1 it\'s\n\"http://old.test\"\t\\ \r\Z\%\_''')`, "('a:1 it\\'s\\n\\\"https://new.example.org\\\"\t\\\\ \\r\\Z\\\\%\\\\_\\'')"},
		{"serialized", `('a:1:{s:1:\"u\";s:15:\"http://old.test\";}')`, `('a:1:{s:1:\"u\";s:23:\"https://new.example.org\";}')`},
		{"serialized, wrong length", `('s:19:\"\n\"http://old.test\";')`, "="},
		{"serialized with newline, right", `('s:17:\"\n\'http://old.test\";')`, `('s:25:\"\n\'https://new.example.org\";')`},
		{"json", `('{\"u\":\"http:\\/\\/old.test\\/\"}')`, `('{\"u\":\"https:\\/\\/new.example.org\\/\"}')`},
		{"backslash at the end", `('http://old.test\\','x')`, `('https://new.example.org\\','x')`},
		{"line comment", "-- it's http://old.test\n'http://old.test' # don't\n'x'", "-- it's http://old.test\n'https://new.example.org' # don't\n'x'"},
		{"minus minus", `SELECT 1--1,'http://old.test'`, `SELECT 1--1,'https://new.example.org'`},
		{"comment", `/* it's */ 'http://old.test' /**/ 'http://old.test'`, `/* it's */ 'https://new.example.org' /**/ 'https://new.example.org'`},
		{"code in a comment", `/*!50001 SET @a='http://old.test'*/ /*M!100100 'http://old.test' */`, `/*!50001 SET @a='https://new.example.org'*/ /*M!100100 'https://new.example.org' */`},
		{"quote in a name", "INSERT INTO `it's` VALUES ('http://old.test');", "INSERT INTO `it's` VALUES ('https://new.example.org');"},
		{"hex", `(0x68747470,x'68')`, "="},
		{"delimiter", "DELIMITER ;;\nCREATE TRIGGER a BEFORE INSERT ON b FOR EACH ROW BEGIN SET NEW.x='http://old.test'; END ;;\nDELIMITER ;\n",
			"DELIMITER ;;\nCREATE TRIGGER a BEFORE INSERT ON b FOR EACH ROW BEGIN SET NEW.x='https://new.example.org'; END ;;\nDELIMITER ;\n"},
		{"sandbox line", "/*M!999999\\- enable the sandbox mode */ \n'x'", "="},
		{"empty", "", "="},
	})
}

const dump = "DROP TABLE IF EXISTS `wp_posts`;\n" +
	"/*!40101 SET @saved_cs_client = @@character_set_client */;\n" +
	"CREATE TABLE `wp_posts` (\n  `ID` bigint(20),\n  `wp_posts` int,\n  `p` bigint DEFAULT nextval(`wp_seq`),\n  PRIMARY KEY (`ID`),\n  KEY `wp_users` (`wp_posts`),\n" +
	"  CONSTRAINT `wp_posts_ibfk_1` FOREIGN KEY (`p`) REFERENCES `wp_users` (`wp_posts`)\n) COMMENT='wp_posts';\n" +
	"LOCK TABLES `wp_posts` WRITE, `wp_users` READ LOCAL, `wp_other` WRITE;\n" +
	"/*!40000 ALTER TABLE `wp_posts` DISABLE KEYS */;\n" +
	"INSERT INTO `wp_posts` (`ID`,`wp_posts`) VALUES (1,'wp_posts `wp_posts`'),(2,'x');\n" +
	"INSERT INTO `wp_other` VALUES (1);\n" +
	"CREATE DATABASE IF NOT EXISTS `wp_db`;\n" +
	"DELIMITER ;;\n" +
	"/*!50003 CREATE*/ /*!50017 DEFINER=`wp_users`@`localhost`*/ /*!50003 TRIGGER `wp_trg` BEFORE UPDATE ON `wp_posts` FOR EACH ROW BEGIN\n" +
	"  INSERT INTO wp_users (`wp_posts`) SELECT wp_posts.ID FROM wp_posts, wp_users; -- don't\n UPDATE wp_users SET a=1; END */;;\n" +
	"DELIMITER ;\n" +
	"/*!50001 CREATE VIEW `wp_v` AS select `wp_posts`.`ID` AS `wp_posts`,`u`.`wp_posts` AS `x` from (`wp_posts` join `db`.`wp_users` `u` on(`wp_posts`.`ID` = `db`.`wp_users`.`wp_posts`)) */;\n"

func TestSQLNames(t *testing.T) {
	r := mustNew(t, Options{FromPrefix: "wp_", ToPrefix: "new_", Tables: []string{"wp_posts", "wp_users", "wp_v", "wp_trg", "wp_seq"}})
	got, rep := runSQL(t, r, dump)
	want := dump
	for _, c := range [][2]string{
		{"EXISTS `wp_posts`", "EXISTS `new_posts`"}, {"CREATE TABLE `wp_posts`", "CREATE TABLE `new_posts`"}, {"nextval(`wp_seq`)", "nextval(`new_seq`)"},
		{"`wp_posts_ibfk_1`", "`new_posts_ibfk_1`"}, {"REFERENCES `wp_users`", "REFERENCES `new_users`"},
		{"LOCK TABLES `wp_posts` WRITE, `wp_users`", "LOCK TABLES `new_posts` WRITE, `new_users`"}, {"ALTER TABLE `wp_posts`", "ALTER TABLE `new_posts`"},
		{"INSERT INTO `wp_posts`", "INSERT INTO `new_posts`"}, {"TRIGGER `wp_trg`", "TRIGGER `new_trg`"}, {"ON `wp_posts` FOR", "ON `new_posts` FOR"},
		{"INSERT INTO wp_users (", "INSERT INTO new_users ("}, {"SELECT wp_posts.ID FROM wp_posts, wp_users;", "SELECT new_posts.ID FROM new_posts, new_users;"},
		{"UPDATE wp_users", "UPDATE new_users"}, {"VIEW `wp_v`", "VIEW `new_v`"}, {"`wp_posts`.`ID`", "`new_posts`.`ID`"},
		{"from (`wp_posts` join `db`.`wp_users`", "from (`new_posts` join `db`.`new_users`"}, {"= `db`.`wp_users`.", "= `db`.`new_users`."},
	} {
		if !strings.Contains(want, c[0]) {
			t.Fatalf("the dump does not hold %q", c[0])
		}
		want = strings.ReplaceAll(want, c[0], c[1])
	}
	if got != want {
		g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range g {
			if g[i] != w[i] {
				t.Errorf("line %d\n got %s\nwant %s", i, g[i], w[i])
			}
		}
	}
	if rep.Names != 22 {
		t.Errorf("%d names mapped, want 22", rep.Names)
	}
	byPosition := mustNew(t, Options{FromPrefix: "wp_", ToPrefix: "new_"})
	got, _ = runSQL(t, byPosition, dump)
	want = strings.NewReplacer("`wp_other` WRITE", "`new_other` WRITE", "INTO `wp_other`", "INTO `new_other`").Replace(want)
	if got != want {
		t.Errorf("without table names\n got %s\nwant %s", got, want)
	}
}

func TestSQLNamesQuoted(t *testing.T) {
	checkSQL(t, mustNew(t, Options{FromPrefix: "a`b_", ToPrefix: "c-`d_", Tables: []string{"a`b_x"}}), []textCase{
		{"backticks", "SELECT * FROM `a``b_x`", "SELECT * FROM `c-``d_x`"},
	})
	checkSQL(t, mustNew(t, Options{FromPrefix: "a_", ToPrefix: "b-", Tables: []string{"a_x"}}), []textCase{
		{"bare becomes quoted", "insert into a_x values (1)", "insert into `b-x` values (1)"},
		{"bare between quoted", "select * from `c`a_x`d`", "select * from `c` `b-x` `d`"},
	})
	checkSQL(t, mustNew(t, Options{FromPrefix: "", ToPrefix: "p_", Tables: []string{"posts"}}), []textCase{
		{"no prefix before", "INSERT INTO `posts` (`posts`) VALUES ('posts')", "INSERT INTO `p_posts` (`posts`) VALUES ('posts')"},
	})
}

func TestSQLReport(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "http://n.test"})
	_, rep := runSQL(t, r, "CREATE TABLE b (x text DEFAULT 'http://old.test');\nINSERT INTO `b` VALUES ('http://old.test http://old.test'),('s:15:\"http://old.test\";'),('x');\n"+
		"INSERT INTO db.a (x) VALUES ('s:3:\"http://old.test\";');\nSET @x='http://old.test';\n"+
		"CREATE DEFINER=`view`@`localhost` PROCEDURE p() SELECT 'http://old.test';\nDELIMITER ;;\nCREATE OR REPLACE FUNCTION f() RETURNS INT BEGIN INSERT INTO b VALUES ('http://old.test'); RETURN 'http://old.test'; END;;\n"+
		"/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON b FOR EACH ROW BEGIN SET @y=1; SET NEW.x='s:3:\"http://old.test\";http://old.test'; END */;;\nDELIMITER ;\n"+
		"/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 SQL SECURITY DEFINER */ /*!50001 VIEW `v` AS SELECT 'http://old.test' AS `x` */;\n"+
		"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO INSERT INTO b VALUES ('http://old.test');\n")
	want := Report{
		Counts: Counts{9, 1, 10, 2},
		Tables: []TableReport{{"a", Counts{0, 0, 0, 1}}, {"b", Counts{3, 1, 4, 0}}},
		Objects: []ObjectReport{{KindEvent, Counts{1, 0, 1, 0}}, {KindOther, Counts{1, 0, 1, 0}}, {KindRoutine, Counts{3, 0, 3, 0}},
			{KindTrigger, Counts{0, 0, 0, 1}}, {KindView, Counts{1, 0, 1, 0}}},
	}
	if !reflect.DeepEqual(rep, want) {
		t.Errorf("got %+v\nwant %+v", rep, want)
	}
	var many strings.Builder
	for i := range maxTables + 5 {
		many.WriteString("INSERT INTO t" + strings.Repeat("x", i) + " VALUES ('http://old.test');")
	}
	if _, rep = runSQL(t, r, many.String()); !rep.MoreTables || len(rep.Tables) != maxTables || rep.Values != maxTables+5 {
		t.Errorf("%d tables reported, more %v, %d values", len(rep.Tables), rep.MoreTables, rep.Values)
	}
}

// TestSQLWindow moves every construct over the edge of the window.
func TestSQLWindow(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "http://a.new.test", FromPrefix: "wp_", ToPrefix: "x_"})
	tail := "'' 'it''s \\\\' /* ' */ /*!40101 SET a*/ 1.5e-3 wp_x.`y` FROM `wp_x`, `db`.wp_z -- '\n 'http://old.test\\'' # '\n INTO wp_q 'http://old.test'"
	want, _ := runSQL(t, r, tail)
	for shift := range len(tail) + 2 {
		pad := strings.Repeat(" ", windowSize-shift)
		if got, _ := runSQL(t, r, pad+tail); got != pad+want {
			t.Fatalf("shift %d\n got %s\nwant %s", shift, strings.TrimLeft(got, " "), want)
		}
	}
	big := strings.Repeat("x\\'", windowSize)
	if got, _ := runSQL(t, r, "('"+big+" http://old.test','"+big+"')"); got != "('"+big+" http://a.new.test','"+big+"')" {
		t.Error("a literal larger than the window came out wrong")
	}
	for _, long := range []string{strings.Repeat("9a", windowSize), strings.Repeat("w", 2*windowSize), "/*" + strings.Repeat("'", 2*windowSize) + "*/"} {
		if got, _ := runSQL(t, r, long+"'http://old.test'"); got != long+"'http://a.new.test'" {
			t.Errorf("%.10q… came out wrong", long)
		}
	}
}

func TestSQLErrors(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "http://n.test"})
	for _, in := range []string{"('abc", "`abc", "/* abc", "/* abc *", `('abc\'`} {
		var out bytes.Buffer
		_, err := r.SQL(context.Background(), strings.NewReader(in), &out)
		if !errors.Is(err, ErrTruncated) || out.String() != in {
			t.Errorf("%q: wrote %q, error %v", in, out.String(), err)
		}
	}
	boom := errors.New("boom")
	if _, err := r.SQL(context.Background(), io.MultiReader(strings.NewReader("a"), iotest.ErrReader(boom)), io.Discard); !errors.Is(err, boom) {
		t.Errorf("reading: %v", err)
	}
	if _, err := r.SQL(context.Background(), strings.NewReader("a 'http://old.test' b"), failingWriter{boom}); !errors.Is(err, boom) {
		t.Errorf("writing: %v", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(boom)
	if _, err := r.SQL(ctx, strings.NewReader("a"), io.Discard); !errors.Is(err, boom) {
		t.Errorf("cancelled: %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestReportAdd(t *testing.T) {
	one := Report{Counts: Counts{3, 1, 4, 0}, Names: 2, Tables: []TableReport{{"a", Counts{1, 1, 1, 0}}, {"c", Counts{2, 0, 3, 0}}}, Objects: []ObjectReport{{KindView, Counts{1, 0, 1, 0}}}}
	other := Report{Counts: Counts{2, 1, 2, 1}, Tables: []TableReport{{"b", Counts{0, 0, 0, 1}}, {"c", Counts{2, 1, 2, 0}}}, Objects: []ObjectReport{{KindEvent, Counts{1, 0, 1, 0}}, {KindView, Counts{1, 0, 1, 0}}}}
	var sum Report
	sum.Add(one)
	sum.Add(other)
	want := Report{Counts: Counts{5, 2, 6, 1}, Names: 2, Tables: []TableReport{{"a", Counts{1, 1, 1, 0}}, {"b", Counts{0, 0, 0, 1}}, {"c", Counts{4, 1, 5, 0}}},
		Objects: []ObjectReport{{KindEvent, Counts{1, 0, 1, 0}}, {KindView, Counts{2, 0, 2, 0}}}}
	if !reflect.DeepEqual(sum, want) {
		t.Errorf("got %+v\nwant %+v", sum, want)
	}
	if got, want := sum.Summary(), `5 values changed, 2 of them serialized, 1 malformed ones left alone: table "c" 4, table "a" 1, table "b" 0, event 1, view 2`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for i := range 3 * maxTables {
		sum.Add(Report{Tables: []TableReport{{fmt.Sprintf("%04d%s", i, strings.Repeat("x", 1000)), Counts{Values: 1}}}})
	}
	if len(sum.Tables) != maxTables || !sum.MoreTables || len(sum.Summary()) > 1000 || !strings.Contains(sum.Summary(), "many more tables") {
		t.Errorf("%d tables, more %v: %s", len(sum.Tables), sum.MoreTables, sum.Summary())
	}
}
