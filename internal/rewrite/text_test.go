package rewrite

import (
	"strings"
	"testing"
)

func mustNew(t testing.TB, o Options) *Rewriter {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatalf("New(%+v): %v", o, err)
	}
	return r
}

type textCase struct{ name, in, want string }

// check runs the cases, with "=" standing for "unchanged", and each result a
// second time: rewriting twice must change nothing more.
func check(t *testing.T, r *Rewriter, cases []textCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "=" {
				want = c.in
			}
			got, n := r.Value([]byte(c.in))
			if string(got) != want {
				t.Errorf("Value(%q)\n got %q\nwant %q", c.in, got, want)
			}
			if (n > 0) != (want != c.in) {
				t.Errorf("Value(%q) counted %d occurrences", c.in, n)
			}
			if again, n := r.Value(got); string(again) != string(got) || n != 0 {
				t.Errorf("second pass: %q became %q, %d occurrences", got, again, n)
			}
		})
	}
}

func TestForms(t *testing.T) {
	check(t, mustNew(t, Options{FromURL: "http://old.test/", ToURL: "https://new.example/sub/"}), []textCase{
		{"plain", "see http://old.test/a and more", "see https://new.example/sub/a and more"},
		{"other scheme", "https://old.test/a", "https://new.example/sub/a"},
		{"upper scheme", "HTTP://old.test/a", "https://new.example/sub/a"},
		{"whole", "http://old.test", "https://new.example/sub"},
		{"only a slash", "http://old.test/", "https://new.example/sub/"},
		{"protocol-relative", `<img src="//old.test/a.png">`, `<img src="//new.example/sub/a.png">`},
		{"protocol-relative alone", `//old.test`, `//new.example/sub`},
		{"json", `{"u":"http:\/\/old.test\/a"}`, `{"u":"https:\/\/new.example\/sub\/a"}`},
		{"json relative", `{"u":"\/\/old.test\/a"}`, `{"u":"\/\/new.example\/sub\/a"}`},
		{"json in json", `"{\"u\":\"http:\\\/\\\/old.test\\\/a\"}"`, `"{\"u\":\"https:\\\/\\\/new.example\\\/sub\\\/a\"}"`},
		{"doubly escaped", `http:\\/\\/old.test\\/a`, `https:\\/\\/new.example\\/sub\\/a`},
		{"json newline before", `"a\n//old.test/b"`, `"a\n//new.example/sub/b"`},
		{"json unicode before", `"\u003ca href=\u0022//old.test/b"`, `"\u003ca href=\u0022//new.example/sub/b"`},
		{"url-encoded", "?u=http%3A%2F%2Fold.test%2Fa%3Fb", "?u=https%3A%2F%2Fnew.example%2Fsub%2Fa%3Fb"},
		{"url-encoded lower", "?u=http%3a%2f%2fold.test%2fa", "?u=https%3a%2f%2fnew.example%2fsub%2fa"},
		{"url-encoded whole", "http%3A%2F%2Fold.test", "https%3A%2F%2Fnew.example%2Fsub"},
		{"url-encoded colon plain", "http:%2F%2Fold.test%2Fa", "https:%2F%2Fnew.example%2Fsub%2Fa"},
		{"url-encoded relative", "u%3D%2F%2Fold.test%2Fa", "u%3D%2F%2Fnew.example%2Fsub%2Fa"},
		{"url-encoded twice", "http%253A%252F%252Fold.test%252Fa", "https%253A%252F%252Fnew.example%252Fsub%252Fa"},
		{"entities", "http:&#x2F;&#x2F;old.test&#x2F;a", "https:&#x2F;&#x2F;new.example&#x2F;sub&#x2F;a"},
		{"entities decimal", "http&#58;&#47;&#47;old.test&#47;a", "https&#58;&#47;&#47;new.example&#47;sub&#47;a"},
		{"inside another URL", "https://archive.example/2020/http://old.test/a", "https://archive.example/2020/https://new.example/sub/a"},
		{"glued to a word", "seehttp://old.test/a", "seehttps://new.example/sub/a"},
		{"several", "http://old.test,http://old.test;//old.test", "https://new.example/sub,https://new.example/sub;//new.example/sub"},
		{"chinese around", "请看http://old.test，谢谢", "请看https://new.example/sub，谢谢"},
		{"default port", "http://old.test:80/a https://old.test:443/a", "https://new.example/sub/a https://new.example/sub/a"},
		{"cross default port", "http://old.test:443/a", "="},
	})
}

func TestHostBoundaries(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://example.com", ToURL: "http://new.example"})
	var cases []textCase
	for _, after := range []string{
		"", "/", "/a", `"`, "'", "<", ">", "?p=1", "#x", `\`, `\"`, ")", " ", ",", "\n", "\t", ";", "!", "|", "]", "}", "*", "&amp;",
		".", ". Next", ".)", "...", ": yes", ":", "-->", "- x", "_", "，", "%20x", "%2Fx", "%s",
	} {
		cases = append(cases, textCase{"ends before " + after, "x http://example.com" + after, "x http://new.example" + after})
	}
	for _, in := range []string{
		"http://myexample.com/", "http://example.com.au/", "http://sub.example.com/", "http://example.com-x.org", "http://example.comx",
		"http://example.com:8080/", "http://example.com:80800/", "http://example.com_x.org", "http://example.com--x.org", "http://my-example.com",
		"http://example.com@evil.test/", "http://example.com:pw@evil.test/", "http://user@example.com/", "http://example.com%40evil.test/",
		"admin@example.com", "mailto:admin@example.com", "example.com", "www.example.com", "/example.com", "ftp://example.com/", "ws://example.com/",
		"http:///example.com", "http:/example.com", "http://a//example.com/", "http://example.com.é.org", "http%3A%2F%2Fexample.com%3A8080%2F",
		"http://example.com:80800", "http://example.com:1", `http:\//example.com`, "http%3A%2F%2Fexample.com%2Eau", "http:%252F%2Fexample.com",
		"http://%65xample.com", "xn--example.com", "http%3A//example.com.au",
	} {
		cases = append(cases, textCase{in, in, "="})
	}
	check(t, r, cases)
}

func TestPortAndPath(t *testing.T) {
	check(t, mustNew(t, Options{FromURL: "http://h.test:8080/blog/", ToURL: "http://n.test:81/site"}), []textCase{
		{"page", "http://h.test:8080/blog/x", "http://n.test:81/site/x"},
		{"end", "http://h.test:8080/blog", "http://n.test:81/site"},
		{"slash", "http://h.test:8080/blog/", "http://n.test:81/site/"},
		{"query", "http://h.test:8080/blog?p=1", "http://n.test:81/site?p=1"},
		{"sentence", "http://h.test:8080/blog. Then", "http://n.test:81/site. Then"},
		{"relative", "//h.test:8080/blog/x", "//n.test:81/site/x"},
		{"json", `http:\/\/h.test:8080\/blog\/x`, `http:\/\/n.test:81\/site\/x`},
		{"encoded", "http%3A%2F%2Fh.test%3A8080%2Fblog%2Fx", "http%3A%2F%2Fn.test%3A81%2Fsite%2Fx"},
		{"encoded end", "http%3A%2F%2Fh.test%3A8080%2Fblog%20x", "http%3A%2F%2Fn.test%3A81%2Fsite%20x"},
		{"encoded longer", "http%3A%2F%2Fh.test%3A8080%2Fblog%2Dx", "="},
		{"longer word", "http://h.test:8080/blogger", "="},
		{"longer hyphen", "http://h.test:8080/blog-2/", "="},
		{"longer file", "http://h.test:8080/blog.php", "="},
		{"longer escape", "http://h.test:8080/blog%20x", "="},
		{"longer letter", "http://h.test:8080/blogé", "="},
		{"image", "http://h.test:8080/blog@2x.png", "="},
		{"other page", "http://h.test:8080/shop", "="},
		{"other port", "http://h.test/blog", "="},
		{"upper path", "http://h.test:8080/Blog/", "="},
	})
}

func TestNewInsideOld(t *testing.T) {
	check(t, mustNew(t, Options{FromURL: "http://h.test/", ToURL: "http://h.test/new"}), []textCase{
		{"old", "http://h.test/a", "http://h.test/new/a"},
		{"new", "http://h.test/new/a", "="},
		{"new whole", "http://h.test/new", "="},
		{"new json", `http:\/\/h.test\/new`, "="},
		{"similar", "http://h.test/newer", "http://h.test/new/newer"},
		{"new, other scheme", "https://h.test/new/a", "http://h.test/new/a"},
		{"relative", "//h.test/new/a //h.test/a", "//h.test/new/a //h.test/new/a"},
	})
	check(t, mustNew(t, Options{FromURL: "http://a.test", ToURL: "http://a.test.example"}), []textCase{
		{"old", "http://a.test/a", "http://a.test.example/a"},
		{"new", "http://a.test.example/a", "="},
	})
	check(t, mustNew(t, Options{FromURL: "http://a.test", ToURL: "http://a.test:81"}), []textCase{
		{"old", "http://a.test/a http://a.test:80/", "http://a.test:81/a http://a.test:81/"},
		{"new", "http://a.test:81/a", "="},
	})
	check(t, mustNew(t, Options{FromURL: "http://a.test", ToURL: "https://a.test"}), []textCase{
		{"old", "http://a.test/a //a.test", "https://a.test/a //a.test"},
		{"new", "https://a.test/a", "="},
	})
	check(t, mustNew(t, Options{FromURL: "http://h.test/blog", ToURL: "http://h.test"}), []textCase{
		{"up", "http://h.test/blog/a http://h.test/b", "http://h.test/a http://h.test/b"},
	})
}

func TestSpelling(t *testing.T) {
	check(t, mustNew(t, Options{FromURL: "http://Old.Test", ToURL: "http://new.test"}), []textCase{
		{"as given", "http://Old.Test/a", "http://new.test/a"},
		{"lower", "http://old.test/a", "http://new.test/a"},
	})
	check(t, mustNew(t, Options{FromURL: "http://h.test/c%C3%A9", ToURL: "http://n.test/é"}), []textCase{
		{"escape in path", "http://h.test/c%C3%A9/a", "http://n.test/é/a"},
		{"escaped again", "http%3A%2F%2Fh.test%2Fc%25C3%25A9%2Fa", "http%3A%2F%2Fn.test%2F%C3%A9%2Fa"},
	})
	check(t, mustNew(t, Options{FromURL: "http://[::1]:8080", ToURL: "http://n.test"}), []textCase{
		{"IPv6", "http://[::1]:8080/a", "http://n.test/a"},
	})
}

func TestPath(t *testing.T) {
	check(t, mustNew(t, Options{FromPath: "/var/www/html/", ToPath: "/site/www"}), []textCase{
		{"plain", "/var/www/html/wp-content", "/site/www/wp-content"},
		{"whole", "/var/www/html", "/site/www"},
		{"quoted", `define('ABSPATH', '/var/www/html/');`, `define('ABSPATH', '/site/www/');`},
		{"list", "/usr/lib:/var/www/html:/tmp", "/usr/lib:/site/www:/tmp"},
		{"json", `{"d":"\/var\/www\/html\/a"}`, `{"d":"\/site\/www\/a"}`},
		{"encoded", "d=%2Fvar%2Fwww%2Fhtml%2Fa", "d=%2Fsite%2Fwww%2Fa"},
		{"encoded, escaped before", "d%3D%2Fvar%2Fwww%2Fhtml%2Fa", "d%3D%2Fsite%2Fwww%2Fa"},
		{"file URL", "file:///var/www/html/a", "file:///site/www/a"},
		{"json file URL", `file:\/\/\/var\/www\/html\/a`, `file:\/\/\/site\/www\/a`},
		{"serialized", `a:1:{i:0;s:15:"/var/www/html/a";}`, `a:1:{i:0;s:11:"/site/www/a";}`},
		{"longer before", "/mnt/var/www/html", "="},
		{"relative", "./var/www/html ../var/www/html ~/var/www/html", "="},
		{"longer after", "/var/www/html2 /var/www/html-old /var/www/html.bak", "="},
		{"double slash", "//var/www/html", "="},
		{"in a URL", "http://h.test/var/www/html", "="},
		{"other", "html www/html /www/html", "="},
	})
	check(t, mustNew(t, Options{FromPath: "/srv/a", ToPath: "/srv/a/www", FromURL: "http://a", ToURL: "http://b"}), []textCase{
		{"inside itself", "/srv/a/x /srv/a/www/y http://a/srv/a", "/srv/a/www/x /srv/a/www/y http://b/srv/a"},
	})
}

func TestBinaryIsLeftAlone(t *testing.T) {
	check(t, mustNew(t, Options{FromURL: "http://a.test", ToURL: "http://bb.test"}), []textCase{
		{"image", "\x89PNG\x00http://a.test/\x00", "="},
	})
}

func TestNoOp(t *testing.T) {
	for _, o := range []Options{
		{}, {FromURL: "http://a.test/", ToURL: "http://a.test"}, {FromPath: "/a/b/", ToPath: "/a/b"}, {FromPrefix: "a_", ToPrefix: "a_"},
		{FromURL: "http://a.test:80", ToURL: "http://a.test"},
	} {
		r := mustNew(t, o)
		in := []byte("http://a.test /a/b")
		if out, n := r.Value(in); n != 0 || &out[0] != &in[0] {
			t.Errorf("%+v: changed %q", o, out)
		}
	}
}

func TestUnchangedIsNotCopied(t *testing.T) {
	r := mustNew(t, Options{FromURL: "http://a.test", ToURL: "http://b.test"})
	for _, s := range []string{"nothing here", `a:1:{i:0;s:1:"x";}`, strings.Repeat("x", 1000)} {
		in := []byte(s)
		if n := testing.AllocsPerRun(100, func() { r.Value(in) }); n != 0 {
			t.Errorf("%.20q: %v allocations", s, n)
		}
		if out, _ := r.Value(in); &out[0] != &in[0] {
			t.Errorf("%.20q was copied", s)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{FromURL: "http://a.test"}, "ToURL"},
		{Options{ToURL: "http://a.test"}, "FromURL"},
		{Options{FromURL: "a.test", ToURL: "http://b.test"}, "http or https"},
		{Options{FromURL: "ftp://a.test", ToURL: "http://b.test"}, "http or https"},
		{Options{FromURL: "http://", ToURL: "http://b.test"}, "no host"},
		{Options{FromURL: "http://u:p@a.test", ToURL: "http://b.test"}, "credentials"},
		{Options{FromURL: "http://a.test?x", ToURL: "http://b.test"}, "query"},
		{Options{FromURL: "http://a.test#", ToURL: "http://b.test"}, "query"},
		{Options{FromURL: "http://a.test", ToURL: "http://b.test/it's"}, "quotes"},
		{Options{FromURL: "http://a.test", ToURL: "http://b.test//x"}, "empty segments"},
		{Options{FromURL: "http://a.test.", ToURL: "http://b.test"}, "final dot"},
		{Options{FromPath: "/a"}, "ToPath"},
		{Options{FromPath: "a", ToPath: "/b"}, "absolute"},
		{Options{FromPath: "/", ToPath: "/b"}, "root"},
		{Options{FromPrefix: "a_", ToPrefix: "b_", Tables: []string{"x_y"}}, "FromPrefix"},
		{Options{FromPrefix: "a_", ToPrefix: strings.Repeat("b", 60), Tables: []string{"a_posts"}}, "longer than 64"},
	} {
		if _, err := New(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%+v) = %v, want an error with %q", c.o, err, c.want)
		}
	}
}
