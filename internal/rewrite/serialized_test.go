package rewrite

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// s is PHP's serialization of a string.
func s(v string) string { return fmt.Sprintf("s:%d:%q;", len(v), rawString(v)) }

// rawString prints between quotes without escaping.
type rawString string

func (r rawString) Format(f fmt.State, _ rune) { fmt.Fprint(f, `"`+string(r)+`"`) }

func TestSerialized(t *testing.T) {
	inner := `a:1:{s:3:"url";s:16:"http://old.test/";}`
	innerNew := `a:1:{s:3:"url";s:23:"https://new.example.org";}`
	innerNew = strings.Replace(innerNew, `s:23:"https://new.example.org"`, `s:24:"https://new.example.org/"`, 1)
	check(t, mustNew(t, Options{FromURL: "http://old.test", ToURL: "https://new.example.org"}), []textCase{
		{"string", s("http://old.test"), s("https://new.example.org")},
		{"array", inner, innerNew},
		{"white space around", " " + inner + "\n", " " + innerNew + "\n"},
		{"multibyte", `a:1:{i:0;` + s("Grüße 日本 http://old.test/ü") + `}`, `a:1:{i:0;` + s("Grüße 日本 https://new.example.org/ü") + `}`},
		{"all types", `a:7:{i:0;N;i:1;b:1;i:2;d:-1.5E-7;i:3;d:INF;i:-4;i:-5;i:5;` + s("//old.test") + `i:6;a:0:{}}`,
			`a:7:{i:0;N;i:1;b:1;i:2;d:-1.5E-7;i:3;d:INF;i:-4;i:-5;i:5;` + s("//new.example.org") + `i:6;a:0:{}}`},
		{"quotes inside", `a:1:{i:0;` + s(`<a href="http://old.test/x";>`) + `}`, `a:1:{i:0;` + s(`<a href="https://new.example.org/x";>`) + `}`},
		{"nested", s(s(inner)), s(s(innerNew))},
		{"references", `a:3:{i:0;` + s("http://old.test") + `i:1;R:2;i:2;r:1;}`, `a:3:{i:0;` + s("https://new.example.org") + `i:1;R:2;i:2;r:1;}`},
		{"object", `O:3:"Foo":2:{s:6:"` + "\x00*\x00url" + `";` + s("http://old.test/") + s("\x00Foo\x00p") + `i:1;}`,
			`O:3:"Foo":2:{s:6:"` + "\x00*\x00url" + `";` + s("https://new.example.org/") + s("\x00Foo\x00p") + `i:1;}`},
		{"enum", `a:2:{i:0;E:9:"Suit:Club";i:1;` + s("http://old.test") + `}`, `a:2:{i:0;E:9:"Suit:Club";i:1;` + s("https://new.example.org") + `}`},
		{"key", `a:1:{` + s("http://old.test/a") + `i:1;}`, `a:1:{` + s("https://new.example.org/a") + `i:1;}`},
		{"key already there", `a:2:{` + s("http://old.test/a") + `i:1;` + s("https://new.example.org/a") + `i:2;}`, "="},
		{"two keys become one", `a:2:{` + s("http://old.test/a") + `i:1;` + s("https://old.test/a") + `i:2;}`,
			`a:2:{` + s("https://new.example.org/a") + `i:1;` + s("https://old.test/a") + `i:2;}`},
		{"stdClass key", `O:8:"stdClass":1:{` + s("http://old.test/a") + `i:1;}`, `O:8:"stdClass":1:{` + s("https://new.example.org/a") + `i:1;}`},
		{"property name", `O:3:"Foo":1:{` + s("http://old.test/a") + `i:1;}`, "="},
		{"custom", `C:11:"ArrayObject":` + custom(`x:i:0;`+inner+`;m:a:0:{}`), `C:11:"ArrayObject":` + custom(`x:i:0;`+innerNew+`;m:a:0:{}`)},
		{"custom, opaque", `C:3:"Foo":` + custom(`15 http://old.test`), "="},
		{"json inside", s(`{"u":"http:\/\/old.test\/"}`), s(`{"u":"https:\/\/new.example.org\/"}`)},
		{"inside json", `{"d":` + quoteJSON(inner) + `,"u":"http:\/\/old.test"}`, `{"d":` + quoteJSON(innerNew) + `,"u":"https:\/\/new.example.org"}`},
		{"inside json twice", `{"e":` + quoteJSON(`{"d":`+quoteJSON(inner)+`}`) + `}`, `{"e":` + quoteJSON(`{"d":`+quoteJSON(innerNew)+`}`) + `}`},
		{"inside json, unicode", `["a:1:{i:0;s:18:\"\u00fchttp:\/\/old.test\";}"]`, "="},
		{"inside json, unicode right", `["a:1:{i:0;s:17:\"\u00fchttp:\/\/old.test\";}"]`, `["a:1:{i:0;s:25:\"\u00fchttps:\/\/new.example.org\";}"]`},
		{"inside json, raw utf-8", `["a:1:{i:0;s:17:\"ühttp://old.test\";}"]`, `["a:1:{i:0;s:25:\"ühttps://new.example.org\";}"]`},
		{"session", `user|` + inner + `url|` + s("http://old.test"), `user|` + innerNew + `url|` + s("https://new.example.org")},
		{"inside text", "x " + inner + " http://old.test", "x " + innerNew + " https://new.example.org"},
		{"two lines", inner + "\n" + inner, innerNew + "\n" + innerNew},
		{"only looks so", `i:5; see http://old.test`, `i:5; see https://new.example.org`},
		{"ratio", `s:5: http://old.test`, `s:5: https://new.example.org`},
		{"wrong length", `s:5:"http://old.test";`, "="},
		{"truncated", inner[:30], "="},
		{"wrong count", `a:2:{i:0;` + s("http://old.test") + `}`, "="},
		{"bad inside good", `a:2:{i:0;` + s(`s:5:"http://old.test";`) + `i:1;` + s("http://old.test") + `}`,
			`a:2:{i:0;` + s(`s:5:"http://old.test";`) + `i:1;` + s("https://new.example.org") + `}`},
		{"huge count", `a:99999999999999999999:{i:0;` + s("http://old.test"), "="},
		{"huge length", `s:4294967295:"http://old.test";`, "="},
	})
}

func custom(payload string) string { return fmt.Sprintf("%d:{%s}", len(payload), payload) }

func quoteJSON(v string) string {
	return `"` + string(escapeJSON([]byte(v), jsonStyle{slashes: true})) + `"`
}

func TestMalformedIsCounted(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "http://n.test"})
	for in, want := range map[string]int{
		`s:5:"http://old.test";`:               1,
		`s:5:"http://older.test";`:             0,
		`s:5:"old.test";`:                      0,
		s(`a:1:{i:0;s:3:"http://old.test/";}`): 1,
		s(`http://old.test`):                   0,
	} {
		j := job{r: r}
		j.value([]byte(in), 0)
		if j.malformed != want {
			t.Errorf("%s: %d malformed, want %d", in, j.malformed, want)
		}
	}
}

// TestHostile feeds what is built to exhaust stack or time.
func TestHostile(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://old.test", ToURL: "http://n.test", FromPath: "/srv/www", ToPath: "/srv/x"})
	const n = 100_000
	nested := "http://old.test"
	for range 60 {
		nested = s(nested)
	}
	keys := "i:1;"
	for range 4000 {
		keys = "a:1:{" + s("http://old.test") + keys + "}"
	}
	for name, in := range map[string]string{
		"deep arrays":      strings.Repeat("a:1:{i:0;", n) + s("http://old.test") + strings.Repeat("}", n),
		"open arrays":      "x" + strings.Repeat("|a:1:{i:0;", n) + "http://old.test",
		"open objects":     strings.Repeat(`O:1:"a":1:{i:0;`, n) + "http://old.test",
		"strings":          "x " + strings.Repeat(`s:9999:"`, n) + "http://old.test",
		"json strings":     "x " + strings.Repeat(`"s:9:\"`, n) + "http://old.test",
		"quotes":           strings.Repeat(`"a:1:{`, n) + strings.Repeat(" http://old.test", n),
		"nested strings":   nested,
		"nested keys":      keys,
		"backslashes":      strings.Repeat(`\`, n) + "//old.test" + strings.Repeat(`\`, n),
		"percents":         strings.Repeat("%25", n) + "2F%2Fold.test" + "%" + strings.Repeat("25", n) + "2Fold.test",
		"almost":           strings.Repeat("//old.testx", n),
		"userinfo":         strings.Repeat("http://old.test:a", n),
		"dots":             "http://old.test" + strings.Repeat(".", n),
		"hyphens":          strings.Repeat("http://old.test-", n),
		"hyphens together": "http://old.test" + strings.Repeat("-", n),
		"counts":           strings.Repeat("a:2000000000:{i:0;i:0;", n/2) + "http://old.test",
	} {
		start := time.Now()
		once, _ := r.Value([]byte(in))
		twice, changed := r.Value(once)
		if changed != 0 || !bytes.Equal(once, twice) {
			t.Errorf("%s: not idempotent", name)
		}
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("%s: %d bytes took %v", name, len(in), d)
		}
	}
}
