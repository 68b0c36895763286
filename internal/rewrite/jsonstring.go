package rewrite

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONLevels bounds how often a serialized value may have been escaped as
// a JSON string: a JSON document in a JSON string in a JSON string.
const maxJSONLevels = 4

// jsonStyle is what JSON encoders differ in.
type jsonStyle struct {
	slashes bool // "/" is written "\/"
	ascii   bool // characters beyond ASCII are written as \u escapes
}

// jsonString finds the end of the JSON string whose content starts at
// v[start], and how many times that content is escaped; 0 when no quote opens
// a string there. A quote nested n levels deep has 2^n-1 backslashes.
func jsonString(v []byte, start int) (end, levels int) {
	if start == 0 || v[start-1] != '"' {
		return 0, 0
	}
	opening := backslashes(v, start-1, 0)
	levels = 1
	for opening != 1<<(levels-1)-1 {
		if levels++; levels > maxJSONLevels {
			return 0, 0
		}
	}
	for p := start; ; p++ {
		i := bytes.IndexByte(v[p:], '"')
		if i < 0 {
			return 0, 0
		}
		p += i
		if n := backslashes(v, p, start); n == opening {
			return p - n, levels
		}
	}
}

// backslashes counts those that end at v[i], back to v[floor].
func backslashes(v []byte, i, floor int) int {
	n := 0
	for i-n > floor && v[i-n-1] == '\\' {
		n++
	}
	return n
}

// decodeJSON undoes the escaping of a JSON string's content, levels times.
func decodeJSON(v []byte, levels int) (out []byte, styles []jsonStyle, ok bool) {
	for range levels {
		var style jsonStyle
		if v, style, ok = unescapeJSON(v); !ok {
			return nil, nil, false
		}
		styles = append(styles, style)
	}
	return v, styles, true
}

// encodeJSON is the inverse of decodeJSON.
func encodeJSON(v []byte, styles []jsonStyle) []byte {
	for i := len(styles) - 1; i >= 0; i-- {
		v = escapeJSON(v, styles[i])
	}
	return v
}

func unescapeJSON(v []byte) (out []byte, style jsonStyle, ok bool) {
	out = make([]byte, 0, len(v))
	wide := false
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c != '\\' {
			wide = wide || c >= utf8.RuneSelf
			out = append(out, c)
			continue
		}
		if i++; i >= len(v) {
			return nil, style, false
		}
		switch v[i] {
		case '"', '\\':
			out = append(out, v[i])
		case '/':
			style.slashes = true
			out = append(out, '/')
		case 'b', 'f', 'n', 'r', 't':
			out = append(out, "\b\f\n\r\t"[bytes.IndexByte([]byte("bfnrt"), v[i])])
		case 'u':
			r, size := unicodeEscape(v[i-1:])
			if size == 0 {
				return nil, style, false
			}
			style.ascii = style.ascii || r >= utf8.RuneSelf
			out = utf8.AppendRune(out, r)
			i += size - 2
		default:
			return nil, style, false
		}
	}
	style.ascii = style.ascii && !wide
	return out, style, true
}

// unicodeEscape decodes \u00e9, or a surrogate pair of two such escapes.
func unicodeEscape(v []byte) (r rune, size int) {
	r, ok := hex4(v)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hex4(v[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

func hex4(v []byte) (r rune, ok bool) {
	if len(v) < 6 || v[0] != '\\' || v[1] != 'u' {
		return 0, false
	}
	for _, c := range v[2:6] {
		if !isHex(c) {
			return 0, false
		}
		r = r<<4 | rune(unhex(c))
	}
	return r, true
}

func escapeJSON(v []byte, style jsonStyle) []byte {
	out := make([]byte, 0, len(v)+len(v)/8)
	for i := 0; i < len(v); {
		c := v[i]
		if c >= utf8.RuneSelf && style.ascii {
			r, size := utf8.DecodeRune(v[i:])
			if r > 0xffff {
				hi, lo := utf16.EncodeRune(r)
				out = appendUnicode(appendUnicode(out, hi), lo)
			} else {
				out = appendUnicode(out, r)
			}
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\' || c == '/' && style.slashes:
			out = append(out, '\\', c)
		case c >= ' ':
			out = append(out, c)
		default:
			if k := bytes.IndexByte([]byte("\b\f\n\r\t"), c); k >= 0 {
				out = append(out, '\\', "bfnrt"[k])
			} else {
				out = appendUnicode(out, rune(c))
			}
		}
	}
	return out
}

func appendUnicode(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
