package rewrite

import (
	"bytes"
	"testing"
)

// TestNeedles: what Value changes holds a needle, in whatever spelling.
func TestNeedles(t *testing.T) {
	r, err := New(Options{FromURL: "https://Old.example/blog", ToURL: "http://new.example", FromPath: "/var/www/site_1", ToPath: "/srv"})
	if err != nil {
		t.Fatal(err)
	}
	holds := func(v string) bool {
		for _, needle := range r.Needles() {
			if bytes.Contains([]byte(v), needle) {
				return true
			}
		}
		return false
	}
	for _, v := range []string{
		"https://Old.example/blog", "//old.example/blog/x", `http:\/\/old.example\/blog`, "https%3A%2F%2Fold.example%2Fblog",
		"https:&#x2F;&#x2F;old.example&#x2F;blog", "/var/www/site_1/index.php", `\/var\/www\/site_1`,
		`a:1:{s:3:"url";s:24:"https://old.example/blog";}`, "%2Fvar%2Fwww%2Fsite_1",
	} {
		if _, changed := r.Value([]byte(v)); changed == 0 || !holds(v) {
			t.Errorf("%s: changed %d times, holds a needle: %v", v, changed, holds(v))
		}
	}
	for _, v := range []string{"", "https://older.example/blog", "/var/www/site", "OLD.EXAMPLE"} {
		if now, changed := r.Value([]byte(v)); changed != 0 || string(now) != v || holds(v) {
			t.Errorf("%s: changed %d times, holds a needle: %v", v, changed, holds(v))
		}
	}
	if names, err := New(Options{FromPrefix: "a_", ToPrefix: "b_"}); err != nil || len(names.Needles()) != 0 {
		t.Errorf("names alone have needles, or %v", err)
	}
}

func TestTable(t *testing.T) {
	byPrefix, err := New(Options{FromPrefix: "a_", ToPrefix: "b_"})
	if err != nil {
		t.Fatal(err)
	}
	byName, err := New(Options{ToPrefix: "b_", Tables: []string{"posts"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r        *Rewriter
		from, to string
	}{{byPrefix, "a_posts", "b_posts"}, {byPrefix, "posts", "posts"}, {byName, "posts", "b_posts"}, {byName, "other", "other"}} {
		if got := c.r.Table(c.from); got != c.to {
			t.Errorf("%s becomes %s, want %s", c.from, got, c.to)
		}
	}
}
