package rewrite

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

const (
	oldURL = "http://old.test/blog"
	newURL = "https://new-and-longer.example.org:8443/site"
)

// pair is a text with the old address and what it must become.
type pair struct{ was, want string }

func (p pair) wrap(f func(string) string) pair { return pair{f(p.was), f(p.want)} }

// generator makes random PHP values, each together with its rewritten self,
// so that the expectation owes nothing to the code under test.
type generator struct{ *rand.Rand }

func randomPair(seed uint64) (was, want string) {
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	p := g.value(5)
	return p.was, p.want
}

func (g generator) value(depth int) pair {
	kind := g.IntN(10)
	if depth == 0 {
		kind = g.IntN(7)
	}
	switch kind {
	case 0:
		return g.one("N;", "b:0;", "b:1;", "d:0.5;", "d:-1.0E+25;", "d:INF;", "a:0:{}")
	case 1:
		n := fmt.Sprintf("i:%d;", g.Int64())
		return pair{n, n}
	case 2, 3, 4, 5, 6:
		return g.text(depth).wrap(s)
	case 7:
		return g.object(depth)
	}
	return g.array(depth)
}

func (g generator) one(of ...string) pair {
	v := of[g.IntN(len(of))]
	return pair{v, v}
}

func (g generator) array(depth int) pair {
	n := g.IntN(5)
	p := pair{fmt.Sprintf("a:%d:{", n), fmt.Sprintf("a:%d:{", n)}
	for i := range n {
		key := fmt.Sprintf("i:%d;", i-1)
		k := pair{key, key}
		if g.IntN(2) == 0 {
			k = pair{fmt.Sprint(oldURL, "/k", i), fmt.Sprint(newURL, "/k", i)}.wrap(s)
		}
		v := g.value(depth - 1)
		p.was += k.was + v.was
		p.want += k.want + v.want
	}
	return pair{p.was + "}", p.want + "}"}
}

func (g generator) object(depth int) pair {
	a, b, c := g.value(depth-1), g.value(depth-1), g.value(depth-1)
	f := func(a, b, c string) string {
		return `O:7:"Missing":3:{` + s("a") + a + s("\x00*\x00b") + b + s("\x00Missing\x00c") + c + "}"
	}
	return pair{f(a.was, b.was, c.was), f(a.want, b.want, c.want)}
}

// text is a string's content: pieces that move and pieces that stay, or a
// whole value, serialized again, with or without JSON around it.
func (g generator) text(depth int) pair {
	if depth > 0 {
		switch g.IntN(8) {
		case 0:
			return g.array(depth - 1)
		case 1:
			return g.array(depth - 1).wrap(func(v string) string { return `{"é":` + quoteJSON(v) + `}` })
		case 2:
			return g.array(depth - 1).wrap(func(v string) string { return `[1,` + quoteJSON(`{"d":`+quoteJSON(v)+`}`) + `]` })
		}
	}
	var p pair
	for range g.IntN(6) {
		q := g.piece()
		p.was += q.was + " "
		p.want += q.want + " "
	}
	return p
}

func (g generator) piece() pair {
	p := pair{oldURL, newURL}
	switch g.IntN(12) {
	case 0:
		return p.wrap(func(u string) string { return u + "/ä?b=1" })
	case 1:
		return p.wrap(func(u string) string { return strings.ReplaceAll(u, "/", `\/`) + `\/x` })
	case 2:
		return p.wrap(func(u string) string { return url.QueryEscape(u + "/?x=y&z") })
	case 3:
		return p.wrap(func(u string) string { return url.QueryEscape(url.QueryEscape(u)) })
	case 4:
		return p.wrap(func(u string) string { return `"` + u[strings.Index(u, "//"):] + `"` })
	case 5:
		return p.wrap(func(u string) string { return `<a href="` + u + `">it's</a>;}` })
	case 6:
		return pair{"https" + strings.TrimPrefix(oldURL, "http"), newURL}
	case 7:
		return g.one("http://old.test/blogger", "http://old.test", "http://www.old.test/blog", "mail@old.test", "http://old.test:81/blog")
	case 8:
		return g.one("日本語", "🙂", "\\", "\"", "';", "\n", "{}", "s:5:", "x a:1:{", "http://other.test/blog")
	}
	return p
}

func TestRandomValues(t *testing.T) {
	r := mustNew(t, Options{FromURL: oldURL, ToURL: newURL})
	moved := 0
	for seed := range uint64(50_000) {
		was, want := randomPair(seed)
		got, n := r.Value([]byte(was))
		if string(got) != want {
			t.Fatalf("seed %d\n was %q\n got %q\nwant %q", seed, was, got, want)
		}
		if (n > 0) != (was != want) {
			t.Fatalf("seed %d: %d occurrences counted in %q", seed, n, was)
		}
		if was != want {
			moved++
		}
		if again, n := r.Value(got); n != 0 || !bytes.Equal(again, got) {
			t.Fatalf("seed %d: changed again\nfrom %q\n  to %q", seed, got, again)
		}
	}
	if moved < 5000 {
		t.Errorf("only %d of the values held the old address", moved)
	}
}
