package rewrite

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

// TestSQLMode tells by a probe behind each script which mode the filter is in.
func TestSQLMode(t *testing.T) {
	none, ansi, plain, both := sqlmode.Mode{}, sqlmode.Mode{ANSIQuotes: true}, sqlmode.Mode{NoBackslashEscapes: true}, sqlmode.Mode{NoBackslashEscapes: true, ANSIQuotes: true}
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "http://n.test"})
	for script, want := range map[string]sqlmode.Mode{
		"": none,
		"SET sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES';":                                              plain,
		"/*!50003 SET sql_mode              = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' */ ;":                          both,
		"set session SQL_MODE=\"ansi_quotes\";":                                                                 ansi,
		"SET @@sql_mode:='ANSI';":                                                                               ansi,
		"SET @@SESSION.sql_mode = ANSI_QUOTES;":                                                                 ansi,
		"SET LOCAL `sql_mode` = 'ANSI_QUOTES';":                                                                 ansi,
		"SET NAMES utf8, time_zone='+00:00', sql_mode='ANSI_QUOTES', @x=1;":                                     ansi,
		"SET sql_mode='ANSI_QUOTES'; SET sql_mode='';":                                                          none,
		"SET sql_mode='ANSI_QUOTES'; SET sql_mode=0;":                                                           none,
		"SET sql_mode='ANSI_QUOTES'; SET sql_mode=DEFAULT;":                                                     none,
		"SET GLOBAL sql_mode='ANSI_QUOTES';":                                                                    none,
		"SET @@global.sql_mode='ANSI_QUOTES';":                                                                  none,
		"SET sql_mode='ANSI_QUOTES'; SET sql_mode=@@global.sql_mode;":                                           none,
		"SET STATEMENT sql_mode='ANSI_QUOTES' FOR SELECT 1;":                                                    none,
		"SET @sql_mode='ANSI_QUOTES';":                                                                          none,
		"SET sql_mode='ANSI_QUOTES'":                                                                            none, // it has not ended
		"SELECT 'SET sql_mode=\\'ANSI_QUOTES\\';';":                                                             none,
		"UPDATE x SET sql_mode='ANSI_QUOTES';":                                                                  none,
		"-- SET sql_mode='ANSI_QUOTES';\n":                                                                      none,
		"SET @s=@@sql_mode, sql_mode='ANSI_QUOTES'; SET sql_mode=@s;":                                           none,
		"SET sql_mode='ANSI_QUOTES'; SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='x'; SET sql_mode=@old_sql_mode;":   ansi,
		"SET sql_mode='ANSI_QUOTES'; SET @'a b'=@@sql_mode; SET sql_mode=''; SET sql_mode=@`a b`;":              ansi,
		"SET @a='ANSI_QUOTES'; SET @b=@a, @a=''; SET sql_mode=@b;":                                              ansi,
		"SET sql_mode='ANSI_QUOTES'; SET sql_mode=CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES');":                 both,
		"SET sql_mode='ANSI,NO_BACKSLASH_ESCAPES'; SET sql_mode=(SELECT REPLACE(@@sql_mode,'ANSI_QUOTES',''));": plain,
		"SET sql_mode='ANSI_QUOTES'; SET sql_mode=(SELECT REPLACE(@@sql_mode,'ONLY_FULL_GROUP_BY',''));":        ansi,
		"DELIMITER ;;\nCREATE PROCEDURE p() BEGIN SET sql_mode='ANSI_QUOTES'; SET @x=1; END;;\nDELIMITER ;\n":   none,
		"DELIMITER $$\nCREATE PROCEDURE p() BEGIN SET sql_mode='ANSI_QUOTES'; END$$\nDELIMITER ;\n":             none,
		"delimiter //\nSET sql_mode='ANSI_QUOTES'//\n":                                                          ansi,
		"DELIMITER $/\nBEGIN; SET sql_mode='x'; END$/ SET sql_mode=ANSI_QUOTES$/\n":                             ansi,
		"DELIMITER ;;\nSET sql_mode='ANSI_QUOTES'; ;;":                                                          ansi,
		"/*M!999999\\- enable the sandbox mode */ \n/*!40101 SET sql_mode='ANSI_QUOTES' */;":                    ansi,
	} {
		for _, window := range []int{2 * lookahead, windowSize} {
			f := filter{r: r, src: strings.NewReader(script + " "), dst: bufio.NewWriter(io.Discard), buf: make([]byte, window), parser: parser{names: &r.names}, delimiter: []byte{';'}}
			if err := f.run(t.Context()); err != nil {
				t.Errorf("%s: %v", script, err)
			}
			if f.session.mode != want {
				t.Errorf("%s\n leads to %+v, want %+v (window %d)", script, f.session.mode, want, window)
			}
		}
	}
}

// TestSQLModeBounded saves more modes than are remembered.
func TestSQLModeBounded(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "http://n.test"})
	var script strings.Builder
	for i := range 10 * maxSaved {
		fmt.Fprintf(&script, "SET @v%d='ANSI_QUOTES', @w%d='x';\n", i, i)
	}
	f := filter{r: r, src: strings.NewReader(script.String()), dst: bufio.NewWriter(io.Discard), buf: make([]byte, windowSize), parser: parser{names: &r.names}, delimiter: []byte{';'}}
	if err := f.run(t.Context()); err != nil || len(f.session.saved) != maxSaved {
		t.Errorf("%d saved, error %v", len(f.session.saved), err)
	}
}

func TestSQLModeLiterals(t *testing.T) {
	const plain, ansi = "SET sql_mode='NO_BACKSLASH_ESCAPES';", "SET sql_mode='ANSI_QUOTES';"
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "https://new.example.org", FromPrefix: "wp_", ToPrefix: "n-_"})
	checkSQL(t, r, []textCase{
		{"backslash at the end", plain + `('\','http://old.test\','\')`, plain + `('\','https://new.example.org\','\')`},
		{"serialized", plain + `('a:1:{s:2:"\''";s:15:"http://old.test";}')`, plain + `('a:1:{s:2:"\''";s:23:"https://new.example.org";}')`},
		{"serialized in double quotes", plain + `("s:18:""\n'http://old.test"";")`, plain + `("s:26:""\n'https://new.example.org"";")`},
		{"json", plain + `('{"u":"http:\/\/old.test\/"}')`, plain + `('{"u":"https:\/\/new.example.org\/"}')`},
		{"and back", plain + `'\';SET sql_mode='';'it\'s http://old.test'`, plain + `'\';SET sql_mode='';'it\'s https://new.example.org'`},
		{"names in double quotes", ansi + `INSERT INTO "wp_x" VALUES ('http://old.test');SELECT "http://old.test"`, ansi + `INSERT INTO "n-_x" VALUES ('https://new.example.org');SELECT "http://old.test"`},
		{"doubled in names", ansi + `INSERT INTO "wp_""x;"`, ansi + `INSERT INTO "n-_""x;"`},
		{"backslash in names", ansi + `INSERT INTO "wp_\" VALUES ('http://old.test')`, ansi + `INSERT INTO "n-_\" VALUES ('https://new.example.org')`},
		{"bare names", ansi + `INSERT INTO wp_x VALUES (1)`, ansi + "INSERT INTO `n-_x` VALUES (1)"},
	})
}
