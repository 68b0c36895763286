package mysql

import (
	"testing"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

func TestResolveComments(t *testing.T) {
	maria, mysql := parseServer("10.11.19-MariaDB-0+deb12u1"), parseServer("8.0.36")
	for _, c := range []struct{ in, maria, mysql string }{
		{"a /* b */ c", "a /* b */ c", "a /* b */ c"},
		{"/*!40101 SET x */", "  SET x  ", "  SET x  "},
		{"/*! SET x */", "  SET x  ", "  SET x  "},
		{"/*!80000 x*/y", " y", "  x y"},
		{"/*M!100100 x*/y", "  x y", " y"},
		{"/*M!999999\\- enable the sandbox mode */ y", "  y", "  y"},
		{"'/*!1*/' \"/*!\" `/*!`", "'/*!1*/' \"/*!\" `/*!`", "'/*!1*/' \"/*!\" `/*!`"},
		{"/*!50003 a '*/' b*/", "  a '*/' b ", "  a '*/' b "},
		{"/*!99999 a /* b */ c */d", " d", " d"},
		{"-- /*!x\n/*!y*/", "-- /*!x\n y ", "-- /*!x\n y "},
		{"/*!50003 a /* b */ c */d", "  a /* b */ c  d", "  a /* b */ c  d"},
	} {
		for name, check := range map[string]struct {
			server server
			want   string
		}{"MariaDB": {maria, c.maria}, "MySQL": {mysql, c.mysql}} {
			if got := string(resolveComments([]byte(c.in), sqlmode.Mode{}, check.server)); squeeze(got) != squeeze(check.want) {
				t.Errorf("%s: %q became %q, want %q", name, c.in, got, check.want)
			}
		}
	}
}

// squeeze makes runs of spaces one.
func squeeze(s string) string {
	out := ""
	for _, r := range s {
		if r != ' ' || len(out) == 0 || out[len(out)-1] != ' ' {
			out += string(r)
		}
	}
	return out
}

func TestSortViews(t *testing.T) {
	view := func(name, text string) object { return object{kind: "VIEW", name: name, create: text} }
	sorted, ordered := sortViews([]object{view("a", "`a` AS `c`, `b`"), view("b", "`b` AS `c`"), view("c", "`c`")})
	if !ordered || sorted[0].name != "c" || sorted[1].name != "b" || sorted[2].name != "a" {
		t.Errorf("got %v, %v", sorted, ordered)
	}
	if sorted, ordered := sortViews([]object{view("a", "`b`"), view("b", "`a`")}); ordered || len(sorted) != 2 {
		t.Errorf("a circle became %v, %v", sorted, ordered)
	}
}
