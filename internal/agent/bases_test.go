package agent

import "testing"

func TestMoveBase(t *testing.T) {
	const blog = "RewriteEngine On\nRewriteBase /blog/\nRewriteRule ^index\\.php$ - [L]\nRewriteRule . /blog/index.php [L]\nRewriteRule x /blogger/y\nRewriteRule y https://x.example/blog/\n"
	const root = "RewriteEngine On\nRewriteBase /\nRewriteRule ^index\\.php$ - [L]\nRewriteRule . /index.php [L]\nRewriteRule x /blogger/y\nRewriteRule y https://x.example/blog/\n"
	if got := moveBase(blog, "/blog", ""); got != root {
		t.Errorf("to the root:\n%s", got)
	}
	for _, c := range []struct{ in, from, to, want string }{
		{"RewriteBase /\nRewriteRule . /index.php [L]\n", "", "/new", "RewriteBase /new/\nRewriteRule . /new/index.php [L]\n"},
		{"  rewritebase /blog\n", "/blog", "/a/b", "  rewritebase /a/b\n"},
		{"# RewriteBase /blog\n", "/blog", "/a", "# RewriteBase /blog\n"},
		{"RewriteBase /blog", "/blog", "", "RewriteBase /"},
	} {
		if got := moveBase(c.in, c.from, c.to); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}
