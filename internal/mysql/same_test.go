package mysql_test

import (
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

func TestSameDatabase(t *testing.T) {
	s := mysqltest.Start(t)
	a := s.Database(t)
	other := s.Database(t)
	byName := a
	byName.Host = "localhost"
	for _, c := range []struct {
		b    mysql.Config
		want bool
	}{{a, true}, {byName, true}, {other, false}} {
		same, err := mysql.SameDatabase(t.Context(), a, c.b)
		if err != nil || same != c.want {
			t.Errorf("%s and %s: %v, %v", a, c.b, same, err)
		}
	}
}

func TestSameDatabaseOnTwoServers(t *testing.T) {
	a := mysqltest.Start(t).Config()
	b := mysqltest.StartVersion(t, "11.8").Config()
	a.Database, b.Database = "mysql", "mysql"
	if same, err := mysql.SameDatabase(t.Context(), a, b); err != nil || same {
		t.Errorf("%s and %s: %v, %v", a, b, same, err)
	}
}
