package rewrite

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// fuzzRewriters are moves for which a second pass must change nothing.
func fuzzRewriters(t testing.TB) []*Rewriter {
	return []*Rewriter{
		mustNew(t, Options{FromURL: "http://a.b", ToURL: "https://c.dd:1/e", FromPath: "/v/w", ToPath: "/x"}),
		mustNew(t, Options{FromURL: "http://a.b/", ToURL: "http://a.b/n", FromPath: "/v", ToPath: "/v/w"}),
		mustNew(t, Options{FromURL: "http://a.b/p", ToURL: "http://a.b.c", FromPrefix: "wp_", ToPrefix: "x_"}),
		mustNew(t, Options{FromURL: "http://a.b:8/p", ToURL: "https://a.b:8/p", FromPrefix: "wp_", ToPrefix: "`"}),
	}
}

func FuzzValue(f *testing.F) {
	for _, seed := range []string{
		"http://a.b/x //a.b", `http:\/\/a.b\/p`, "http%3A%2F%2Fa.b%2Fp%20", "/v/w/x", `a:1:{s:10:"http://a.b";O:1:"x":1:{s:1:"k";s:12:"http://a.b/p";}}`,
		`["a:1:{i:0;s:10:\"http:\/\/a.b\";}"]`, `C:1:"x":24:{x:i:0;s:10:"http://a.b";}`, "&#47;&#47;a.b", "http://a.b:80.", `E:3:"A:b";`, "s:10:\"http://a.b\";s:1",
	} {
		f.Add([]byte(seed))
	}
	rewriters := fuzzRewriters(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		for i, r := range rewriters {
			for _, do := range []func([]byte) ([]byte, int){r.Value, r.Text} {
				saved := bytes.Clone(in)
				once, n := do(in)
				if !bytes.Equal(saved, in) {
					t.Fatalf("%d: the input was overwritten", i)
				}
				if !r.mentions(in) && (n != 0 || !bytes.Equal(once, in)) || n == 0 && !bytes.Equal(once, in) {
					t.Fatalf("%d: %q became %q without an occurrence", i, in, once)
				}
				if again, n := do(once); n != 0 || !bytes.Equal(again, once) {
					t.Fatalf("%d: %q became %q and then %q", i, in, once, again)
				}
			}
			if end, ok := skipSerialized(in, 0, new(stepsFor(in))); ok && end == len(in) {
				out, _ := r.Value(in)
				if n, ok := skipSerialized(out, 0, new(stepsFor(out))); !ok || n != len(out) {
					t.Fatalf("%d: %q became %q, which is malformed", i, in, out)
				}
			}
		}
	})
}

func FuzzSQL(f *testing.F) {
	f.Add([]byte(dump))
	for _, seed := range []string{
		`INSERT INTO wp_x VALUES ('http://a.b','it\'s','a''b',_binary "x\\");`, "`wp_a`.`b` /*!5 FROM `wp_``a` */ -- '\n#'\n", "/*M!1*/'http://a.b/p\\\\'", "x'00' 1e5 'http://a.b",
		`SET @s=@@sql_mode, sql_mode='NO_BACKSLASH_ESCAPES,ANSI_QUOTES'; '\' "wp_a"."b" 'http://a.b'; SET sql_mode=@s; '\''`, "DELIMITER $$\nFROM wp_a$$ DELIMITER\n$ 1$ wp_a $",
	} {
		f.Add([]byte(seed))
	}
	rewriters := fuzzRewriters(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		for i, r := range rewriters {
			var once, twice bytes.Buffer
			rep, err := r.sql(context.Background(), bytes.NewReader(in), &once, 2*lookahead)
			if !r.mentions(in) && !(r.names.active && strings.Contains(string(in), r.names.from)) && !bytes.Equal(in, once.Bytes()) {
				t.Fatalf("%d: %q became %q without an occurrence", i, in, once.Bytes())
			}
			var wide bytes.Buffer
			wideRep, wideErr := r.sql(context.Background(), bytes.NewReader(in), &wide, windowSize)
			if !bytes.Equal(once.Bytes(), wide.Bytes()) || rep.Counts != wideRep.Counts || (err == nil) != (wideErr == nil) {
				t.Fatalf("%d: %q became %q through a small window and %q through a large one", i, in, once.Bytes(), wide.Bytes())
			}
			if rep.Values == 0 && rep.Names == 0 && !bytes.Equal(in, once.Bytes()) {
				t.Fatalf("%d: %q became %q, but nothing was reported", i, in, once.Bytes())
			}
			if err != nil {
				continue
			}
			rep, err = r.sql(context.Background(), bytes.NewReader(once.Bytes()), &twice, windowSize)
			if err != nil || rep.Values != 0 || rep.Names != 0 || !bytes.Equal(once.Bytes(), twice.Bytes()) {
				t.Fatalf("%d: %q became %q and then %q (%v)", i, in, once.Bytes(), twice.Bytes(), err)
			}
		}
	})
}

// FuzzLiteral checks that a literal becomes what its value does.
func FuzzLiteral(f *testing.F) {
	for _, seed := range []string{"\"http://a.b\"\n//a.b\x1a//a.b'", `{"x":"http:\/\/a.b\/p\n\/v\/w"}`, "http%3A%2F%2Fa.b", "s:10:\"http://a.b\";", "\\//a.b \\\\/\\\\/a.b"} {
		f.Add([]byte(seed))
	}
	rewriters := fuzzRewriters(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		for i, r := range rewriters {
			for _, escapes := range []bool{true, false} {
				head, escaped := "SET sql_mode='NO_BACKSLASH_ESCAPES';'", doubleQuotes(nil, in, '\'')
				if escapes {
					head, escaped = "'", escapeSQL(nil, in)
				}
				var out bytes.Buffer
				if _, err := r.sql(context.Background(), strings.NewReader(head+string(escaped)+"'"), &out, windowSize); err != nil {
					t.Fatal(err)
				}
				got := unescapeSQL(nil, out.Bytes()[len(head):out.Len()-1], '\'', escapes)
				if want, _ := r.Value(in); !bytes.Equal(got, want) {
					t.Fatalf("%d: %q became %q in SQL and %q alone (escapes: %v)", i, in, got, want, escapes)
				}
			}
		}
	})
}
