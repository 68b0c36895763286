package mysql_test

import (
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/sqlmode"
)

// TestModesOfTheServer has the server spell out every name of a sql_mode: what Parse makes of the name must be what it makes of
// all flags that it stands for.
func TestModesOfTheServer(t *testing.T) {
	db := open(t, mysqltest.Start(t).Database(t))
	var set string
	if err := db.QueryRowContext(t.Context(), "SELECT ENUM_VALUE_LIST FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = 'SQL_MODE'").Scan(&set); err != nil {
		t.Fatal(err)
	}
	seen := map[sqlmode.Mode]int{}
	for _, name := range strings.Split(set, ",") {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all string
		if _, err = conn.ExecContext(t.Context(), "SET sql_mode = '"+name+"'"); err == nil {
			err = conn.QueryRowContext(t.Context(), "SELECT @@sql_mode").Scan(&all)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := sqlmode.Parse(name), sqlmode.Parse(all); got != want {
			t.Errorf("%s is %+v, but stands for %s", name, got, all)
		}
		seen[sqlmode.Parse(all)]++
		if _, err := conn.ExecContext(t.Context(), "SET sql_mode = ''"); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) < 3 {
		t.Errorf("the server knows too few modes: %s", set)
	}
}
