package names

import (
	"strings"
	"testing"
)

func TestBounded(t *testing.T) {
	if got := Bounded(52, "backup", "blog-1"); got != "backup-blog-1" {
		t.Errorf("short names stay readable: got %q", got)
	}
	long := strings.Repeat("a", 60)
	one, two := Bounded(52, "backup", long+"1"), Bounded(52, "backup", long+"2")
	if len(one) != 52 || len(two) != 52 {
		t.Errorf("lengths %d and %d, want 52", len(one), len(two))
	}
	if one == two {
		t.Errorf("names that differ only at the end became one: %q", one)
	}
}

func TestDatabaseOfGeneration(t *testing.T) {
	const uid = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
	name := Database(uid, 12)
	if n, ok := Generation(uid, name); !ok || n != 12 {
		t.Errorf("Generation(%q) = %d, %t; want 12, true", name, n, ok)
	}
	for _, other := range []string{DatabaseUser(uid), DatabasePrefix(uid), DatabasePrefix(uid) + "x", DatabasePrefix(uid) + "0", Database("another", 12), "mysql"} {
		if n, ok := Generation(uid, other); ok {
			t.Errorf("Generation(%q) = %d, want none", other, n)
		}
	}
	if len(DatabaseUser(uid)) > 32 {
		t.Errorf("%q is too long for MySQL's 32 characters of a user name", DatabaseUser(uid))
	}
}
