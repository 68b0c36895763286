package rewrite

import "bytes"

// maxBackslashes bounds how deeply JSON inside JSON is followed: each level
// doubles the backslashes in front of a slash.
const maxBackslashes = 1023

type formKind uint8

const (
	raw     formKind = iota // "/", "\/", "\\/", ...
	percent                 // "%2F", "%252F", ...
	entity                  // "&#x2F;", "&#47;", ...
)

// form is how the text around an occurrence spells a URL's special bytes. It
// is read off the slash in front of the host name; everything else of the
// occurrence must be spelled the same way, and so is what replaces it.
type form struct {
	kind  formKind
	depth int    // percent: how many times it was encoded, from 1
	slash []byte // the spelling of "/"
}

// slashEntities are the spellings of "/" in HTML, colonEntities those of ":".
func slashEntities() [5]string {
	return [5]string{"&#x2F;", "&#x2f;", "&#47;", "&#047;", "&sol;"}
}

func colonEntities() [5]string {
	return [5]string{"&#x3A;", "&#x3a;", "&#58;", "&#058;", "&colon;"}
}

// slashBefore reads the spelling of "/" that ends at v[i].
func slashBefore(v []byte, i int) (form, bool) {
	if i == 0 {
		return form{}, false
	}
	switch v[i-1] {
	case '/':
		k := i - 1
		for k > 0 && i-1-k < maxBackslashes && v[k-1] == '\\' {
			k--
		}
		return form{kind: raw, slash: v[k:i]}, true
	case 'F', 'f':
		start, depth := percentBefore(v, i)
		if depth == 0 || v[i-2] != '2' {
			return form{}, false
		}
		return form{kind: percent, depth: depth, slash: v[start:i]}, true
	case ';':
		for _, e := range slashEntities() {
			if bytes.HasSuffix(v[:i], []byte(e)) {
				return form{kind: entity, slash: v[i-len(e) : i]}, true
			}
		}
	}
	return form{}, false
}

// percentBefore finds the percent escape that ends at v[i]: where it starts
// and how many times it was encoded; 0 when there is none.
func percentBefore(v []byte, i int) (start, depth int) {
	if i < 3 || !isHex(v[i-1]) || !isHex(v[i-2]) {
		return 0, 0
	}
	depth = 1
	for k := i - 3; k >= 0; k -= 2 {
		if v[k] == '%' {
			return k, depth
		}
		if k < 1 || v[k] != '5' || v[k-1] != '2' {
			return 0, 0
		}
		depth++
	}
	return 0, 0
}

// percentAt decodes the percent escape of the given depth at v[p]; size is 0
// when there is none.
func percentAt(v []byte, p, depth int) (c byte, size int) {
	size = 2*depth + 1
	if p+size > len(v) || v[p] != '%' {
		return 0, 0
	}
	for k := p + 1; k < p+size-2; k += 2 {
		if v[k] != '2' || v[k+1] != '5' {
			return 0, 0
		}
	}
	hi, lo := v[p+size-2], v[p+size-1]
	if !isHex(hi) || !isHex(lo) {
		return 0, 0
	}
	return unhex(hi)<<4 | unhex(lo), size
}

// size is the length of s spelled in this form.
func (f form) size(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '/':
			n += len(f.slash)
		case f.kind == percent && !unreserved(c):
			n += 2*f.depth + 1
		default:
			n++
		}
	}
	return n
}

// match reports where s, spelled in this form at v[p], ends.
func (f form) match(v []byte, p int, s string) (end int, ok bool) {
	for i := range len(s) {
		if p >= len(v) {
			return 0, false
		}
		c := s[i]
		if c == '/' {
			if !bytes.HasPrefix(v[p:], f.slash) {
				return 0, false
			}
			p += len(f.slash)
			continue
		}
		got, size := f.peek(v, p)
		switch {
		case size > 1 && got == c:
			p += size
		case v[p] == c:
			p++
		default:
			return 0, false
		}
	}
	return p, true
}

// append spells s in this form.
func (f form) append(dst []byte, s string) []byte {
	const upper, lower = "0123456789ABCDEF", "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c == '/':
			dst = append(dst, f.slash...)
		case f.kind == percent && !unreserved(c):
			dst = append(dst, '%')
			for range f.depth - 1 {
				dst = append(dst, '2', '5')
			}
			digits := upper
			if f.slash[len(f.slash)-1] == 'f' {
				digits = lower
			}
			dst = append(dst, digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// peek decodes the byte at v[p]: size is 0 at the end of the text, 1 for a
// byte that stands for itself and more for an escape. Outside percent-encoded
// text, an escape belongs to the URL itself and is decoded once.
func (f form) peek(v []byte, p int) (c byte, size int) {
	if p >= len(v) {
		return 0, 0
	}
	switch v[p] {
	case '%':
		if c, size = percentAt(v, p, max(f.depth, 1)); size > 0 {
			return c, size
		}
	case '&':
		if f.kind == entity {
			for _, e := range colonEntities() {
				if bytes.HasPrefix(v[p:], []byte(e)) {
					return ':', len(e)
				}
			}
		}
	}
	return v[p], 1
}

// colonBefore is the size of the ":" that ends at v[i]; 0 when there is none.
func (f form) colonBefore(v []byte, i int) int {
	if i == 0 {
		return 0
	}
	if v[i-1] == ':' {
		return 1
	}
	switch f.kind {
	case percent:
		if start, depth := percentBefore(v, i); depth == f.depth {
			if c, _ := percentAt(v, start, depth); c == ':' {
				return i - start
			}
		}
	case entity:
		for _, e := range colonEntities() {
			if bytes.HasSuffix(v[:i], []byte(e)) {
				return len(e)
			}
		}
	}
	return 0
}

func unreserved(c byte) bool { return isAlnum(c) || c == '-' || c == '_' || c == '.' || c == '~' }

func isDigit(c byte) bool { return c-'0' < 10 }

func isAlnum(c byte) bool { return isDigit(c) || (c|0x20)-'a' < 26 }

func isHex(c byte) bool { return isDigit(c) || (c|0x20)-'a' < 6 }

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}
