package rewrite

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxUserinfo is how far an "@" is looked for behind "host:".
const maxUserinfo = 128

// hostEnds reports whether the host name (and port) that ends at v[p] is
// complete there, rather than the beginning of a longer one, of another port
// or of credentials in front of another host.
func hostEnds(v []byte, p int, f form, hasPort bool) bool {
	c, size := f.peek(v, p)
	switch {
	case size == 0:
		return true
	case c == '@' || isAlnum(c):
		return false
	case c == ':':
		next, _ := f.peek(v, p+size)
		return (hasPort || !isDigit(next)) && !userinfo(v, p+size, f)
	case c == '.' && !hasPort:
		return !continues(v, p+size, f, "-_@")
	case c == '-' || c == '_':
		for size > 0 && (c == '-' || c == '_') {
			p += size
			c, size = f.peek(v, p)
		}
		if c == '.' && size > 0 {
			p += size
		}
		return !continues(v, p, f, "")
	}
	return true
}

// continues reports whether the text at v[p] goes on with a letter, a digit
// or one of the bytes of also.
func continues(v []byte, p int, f form, also string) bool {
	c, size := f.peek(v, p)
	switch {
	case size == 0:
		return false
	case c >= utf8.RuneSelf && size == 1:
		r, _ := utf8.DecodeRune(v[p:])
		return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
	case c >= utf8.RuneSelf:
		return true
	}
	return isAlnum(c) || strings.IndexByte(also, c) >= 0
}

// userinfo reports whether an "@" comes before the authority's end.
func userinfo(v []byte, p int, f form) bool {
	for range maxUserinfo {
		c, size := f.peek(v, p)
		if size == 0 || c <= ' ' || strings.IndexByte("/\\?#\"'<>", c) >= 0 {
			return false
		}
		if c == '@' {
			return true
		}
		p += size
	}
	return false
}

// pathEnds reports whether the path that ends at v[p] ends with a whole
// segment: "/blog" ends in "/blog/x", "/blog?p=1" and "/blog.", but not in
// "/blogger", "/blog-2" and "/blog.php".
func pathEnds(v []byte, p int, f form) bool {
	const joins = "._~-+@"
	c, size := f.peek(v, p)
	if size > 1 && f.kind != percent {
		return strings.IndexByte("/?#&\"'<>=:", c) >= 0
	}
	for size > 0 && strings.IndexByte(joins, c) >= 0 {
		p += size
		c, size = f.peek(v, p)
	}
	return !continues(v, p, f, "")
}

// begins reports whether a URL without scheme, or a path, can start at v[p]:
// not in the middle of a longer path or word, where "//" or "/var" is a part
// of something else.
func begins(v []byte, p int, f form, isURL bool) bool {
	if p == 0 {
		return true
	}
	c := v[p-1]
	if decoded, ok := escapeBefore(v, p); ok {
		c = decoded
	}
	switch {
	case c >= utf8.RuneSelf:
		r, _ := utf8.DecodeLastRune(v[:p])
		return r != utf8.RuneError && !unicode.IsLetter(r) && !unicode.IsMark(r)
	case c == '/':
		return !isURL && afterScheme(v, p, f)
	case isURL:
		return !isAlnum(c) && strings.IndexByte("._~-:@\\", c) < 0
	}
	return !isAlnum(c) && strings.IndexByte("._~-@\\", c) < 0
}

// escapeBefore decodes the percent, JSON or SQL escape that ends at v[p],
// so that its last letter is not taken for text.
func escapeBefore(v []byte, p int) (byte, bool) {
	if start, depth := percentBefore(v, p); depth > 0 {
		c, _ := percentAt(v, start, depth)
		return c, true
	}
	if p >= 2 && v[p-2] == '\\' && strings.IndexByte("nrtbfZ", v[p-1]) >= 0 {
		return ' ', true
	}
	if p >= 6 && v[p-6] == '\\' && v[p-5] == 'u' {
		var n rune
		for _, c := range v[p-4 : p] {
			if !isHex(c) {
				return 0, false
			}
			n = n<<4 | rune(unhex(c))
		}
		switch {
		case n < utf8.RuneSelf:
			return byte(n), true
		case unicode.IsLetter(n) || unicode.IsMark(n):
			return 'a', true
		}
		return ' ', true
	}
	return 0, false
}

// afterScheme reports whether the path at v[p] is that of a URL with an empty
// host, as in file:///var/www.
func afterScheme(v []byte, p int, f form) bool {
	for range 2 {
		g, ok := slashBefore(v, p)
		if !ok || string(g.slash) != string(f.slash) {
			return false
		}
		p -= len(g.slash)
	}
	return f.colonBefore(v, p) > 0
}
