package mysql_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// part is a source with this text.
func part(name, text string) mysql.Source {
	return mysql.Source{Name: name, Size: int64(len(text)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

const completed = "\n-- Dump completed\n"

// TestLoadPartsFails: an error in any part ends the load, and says which part it was.
func TestLoadPartsFails(t *testing.T) {
	s := mysqltest.Start(t)
	schema := part("000-schema.sql", "CREATE TABLE a (id int, v int, PRIMARY KEY (id), KEY (v)) ENGINE=InnoDB; CREATE TABLE b (id int, v int, PRIMARY KEY (id), UNIQUE KEY u (v)) ENGINE=InnoDB;"+completed)
	good := part("100-table-00001-a.sql", "INSERT INTO a VALUES (1, 1);"+completed)
	gone := errors.New("the location is gone")
	for _, c := range []struct {
		name, says string
		bad        mysql.Source
		is         error
	}{
		{"refused", `part "100-table-00002-b.sql": statement at byte 0`, part("100-table-00002-b.sql", "GRANT ALL ON *.* TO evil;"+completed), mysql.ErrRefused},
		{"cut off", "100-table-00002-b.sql", part("100-table-00002-b.sql", "INSERT INTO b VALUES (1, 1);"), mysql.ErrTruncated},
		{"cut off in a string", "100-table-00002-b.sql", part("100-table-00002-b.sql", "INSERT INTO b VALUES ('1"), mysql.ErrTruncated},
		{"rows that break a key", "add the keys of table `b`", part("100-table-00002-b.sql", "INSERT INTO b VALUES (1, 1), (2, 1);"+completed), nil},
		{"not to be opened", "100-table-00002-b.sql", mysql.Source{Name: "100-table-00002-b.sql",
			Open: func(context.Context) (io.ReadCloser, error) { return nil, gone }}, gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := site(t, s)
			_, err := mysql.LoadParts(t.Context(), target, []mysql.Source{c.bad, good, schema}, mysql.LoadOptions{})
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v", err)
			}
			// Cleared, the same database takes the dump.
			if err := mysql.Clear(t.Context(), target, ""); err != nil {
				t.Fatal(err)
			}
			if _, err := mysql.LoadParts(t.Context(), target, []mysql.Source{good, schema}, mysql.LoadOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mysql.LoadParts(ctx, s.Database(t), []mysql.Source{schema}, mysql.LoadOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestLateKeys: whatever a script does between its tables and its end, the tables are those that the stock client makes.
func TestLateKeys(t *testing.T) {
	s := mysqltest.Start(t)
	const table = "(id int NOT NULL AUTO_INCREMENT, v varchar(20), PRIMARY KEY (id), UNIQUE KEY u (v), KEY k (v(3)) COMMENT 'it''s') ENGINE=InnoDB;\n"
	for name, script := range map[string]string{
		"rows in turns":         "CREATE TABLE a " + table + "CREATE TABLE b " + table + "INSERT INTO a VALUES (1,'x'); INSERT INTO b VALUES (1,'x'); INSERT INTO a VALUES (2,'y');",
		"made again":            "CREATE TABLE a " + table + "DROP TABLE a; CREATE TABLE a (id int PRIMARY KEY, KEY other (id)) ENGINE=InnoDB; INSERT INTO a VALUES (1);",
		"made or replaced":      "CREATE TABLE a " + table + "CREATE OR REPLACE TABLE a (id int PRIMARY KEY) ENGINE=InnoDB;",
		"there already":         "CREATE TABLE a " + table + "CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY, KEY x (id)) ENGINE=InnoDB;",
		"renamed":               "CREATE TABLE a " + table + "INSERT INTO a VALUES (1,'x'); ALTER TABLE a RENAME TO b; INSERT INTO b VALUES (2,'y');",
		"an index dropped":      "CREATE TABLE a " + table + "INSERT INTO a VALUES (1,'x'); DROP INDEX k ON a;",
		"a key dropped":         "CREATE TABLE a " + table + "ALTER TABLE a DROP KEY k;",
		"keys of its own":       "CREATE TABLE a " + table + "INSERT INTO a VALUES (1,'x'); CREATE INDEX l ON a (id, v);",
		"other quotes":          "SET sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; CREATE TABLE \"a\" (\"id\" int PRIMARY KEY, \"v\" int, KEY \"k\" (\"v\") COMMENT 'a\\') ENGINE=InnoDB;",
		"character sets":        "SET NAMES latin1; CREATE TABLE a " + table + "INSERT INTO a VALUES (1,'\xfc'); SET NAMES utf8mb4; INSERT INTO a VALUES (2,'ü€😀'); SET @c = @@character_set_client; INSERT INTO a VALUES (3, _latin1'\xe4'), (4, _binary 'x'); REPLACE INTO a VALUES (5, CONCAT(@c, 'ö'));",
		"read while rows go in": "CREATE TABLE a " + table + "INSERT INTO a VALUES (1,'ü'); SET @old = @@character_set_client; CREATE FUNCTION f() RETURNS varchar(9) DETERMINISTIC RETURN 'ü'; INSERT INTO a VALUES (2, @old);",
		"foreign keys to keys that come later": "SET foreign_key_checks=0; CREATE TABLE a (p int, KEY p (p), CONSTRAINT f FOREIGN KEY (p) REFERENCES b (v)) ENGINE=InnoDB;" +
			"CREATE TABLE b (id int, v int, PRIMARY KEY (id), UNIQUE KEY v (v)) ENGINE=InnoDB; CREATE TABLE c (p int, t text, KEY p (p), FULLTEXT KEY t (t), CONSTRAINT g FOREIGN KEY (p) REFERENCES b (v)) ENGINE=InnoDB;" +
			"INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1, 'x');",
		"names in UTF-8":       "CREATE TABLE `ä日` (id int NOT NULL, `ü` int, PRIMARY KEY (id), KEY `ö` (`ü`) COMMENT 'ß') ENGINE=InnoDB; INSERT INTO `ä日` VALUES (1, 2); CREATE TABLE `é` (`ü` int, KEY (`ü`), CONSTRAINT `ø` FOREIGN KEY (`ü`) REFERENCES `ä日` (`ü`)) ENGINE=InnoDB; INSERT INTO `é` VALUES (2);",
		"names in another set": "SET NAMES latin1; CREATE TABLE `\xe4` (id int NOT NULL, `\xfc` int, PRIMARY KEY (id), KEY `\xf6` (`\xfc`) COMMENT '\xdf') ENGINE=InnoDB; INSERT INTO `\xe4` VALUES (1, 2);",
		"foreign keys": "SET foreign_key_checks=0; CREATE TABLE a (id int, p int, PRIMARY KEY (id), KEY p (p), CONSTRAINT f FOREIGN KEY (p) REFERENCES b (id)) ENGINE=InnoDB;" +
			"INSERT INTO a VALUES (1, 1); CREATE TABLE b (id int, p int, PRIMARY KEY (id), FOREIGN KEY (p) REFERENCES a (p)) ENGINE=InnoDB; INSERT INTO b VALUES (1, 1);",
	} {
		t.Run(name, func(t *testing.T) {
			want, got := s.Database(t), s.Database(t)
			script := "SET sql_mode='NO_AUTO_VALUE_ON_ZERO';\n" + script
			client(t, s, "mariadb", strings.NewReader(script), want.Database)
			load(t, got, []byte(script))
			same(t, strings.ReplaceAll(stockDump(t, s, want.Database), "`root`@`localhost`", "`admin`@`%`"), stockDump(t, s, got.Database))
			if keys := strings.Count(stockDump(t, s, got.Database), "KEY"); keys == 0 {
				t.Error("nothing has a key")
			}
		})
	}
}

// TestLoadPartsAsSite loads a site's dump in parts without any privilege outside of its database.
func TestLoadPartsAsSite(t *testing.T) {
	s := mysqltest.Start(t)
	source, target := torture(t, s), site(t, s)
	d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	list := sources(t, d)
	for _, workers := range []int{1, 4} {
		if err := mysql.Clear(t.Context(), target, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := mysql.LoadParts(t.Context(), target, list, mysql.LoadOptions{Workers: workers}); err != nil {
			t.Fatal(err)
		}
		reference := site(t, s)
		load(t, reference, dump(t, source, mysql.DumpOptions{}))
		same(t, strings.ReplaceAll(stockDump(t, s, reference.Database), reference.User, "USER"),
			strings.ReplaceAll(stockDump(t, s, target.Database), target.User, "USER"))
	}
}

// TestManyParts loads more tables than there are workers, and finds all rows.
func TestManyParts(t *testing.T) {
	s := mysqltest.Start(t)
	target := site(t, s)
	var schema bytes.Buffer
	var list []mysql.Source
	for i := range 40 {
		name := string(rune('a'+i/10)) + string(rune('a'+i%10))
		schema.WriteString("CREATE TABLE t" + name + " (id int, v int, PRIMARY KEY (id), KEY (v)) ENGINE=InnoDB;\n")
		list = append(list, part("100-table-000"+name+".sql", "INSERT INTO t"+name+" VALUES (1,1),(2,2);"+completed))
	}
	list = append(list, part("000-schema.sql", schema.String()+completed))
	stats, err := mysql.LoadParts(t.Context(), target, list, mysql.LoadOptions{Workers: 3})
	if err != nil || stats.Tables != 40 || stats.Statements != 80 {
		t.Fatalf("%+v, %v", stats, err)
	}
	var keys int
	err = open(t, target).QueryRow("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'v'").Scan(&keys)
	if err != nil || keys != 40 {
		t.Errorf("%d keys, %v", keys, err)
	}
}
