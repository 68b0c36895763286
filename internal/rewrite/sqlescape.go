package rewrite

import "bytes"

// unescapeSQL decodes a literal's content as the server does: \% and \_ keep
// their backslash, an unknown escape stands for the character itself. Without
// escapes (NO_BACKSLASH_ESCAPES) only the quote is doubled.
func unescapeSQL(dst, v []byte, quote byte, escapes bool) []byte {
	copied := 0
	for i := 0; i < len(v); i++ {
		c := v[i]
		if (c != '\\' || !escapes) && c != quote || i+1 >= len(v) {
			continue
		}
		dst = append(dst, v[copied:i]...)
		i++
		copied = i + 1
		if c == quote {
			dst = append(dst, c) // doubled
			continue
		}
		switch c = v[i]; c {
		case '0':
			c = 0
		case 'b':
			c = '\b'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'Z':
			c = 0x1a
		case '%', '_':
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, v[copied:]...)
}

// escapeSQL escapes what mysql_real_escape_string escapes.
func escapeSQL(dst, v []byte) []byte {
	copied := 0
	for i, c := range v {
		if c > '\\' {
			continue // most letters
		}
		switch c {
		case 0:
			c = '0'
		case '\n':
			c = 'n'
		case '\r':
			c = 'r'
		case 0x1a:
			c = 'Z'
		case '\\', '\'', '"':
		default:
			continue
		}
		dst = append(append(dst, v[copied:i]...), '\\', c)
		copied = i + 1
	}
	return append(dst, v[copied:]...)
}

// doubleQuotes escapes what must be where backslashes do not escape.
func doubleQuotes(dst, v []byte, quote byte) []byte {
	for {
		i := bytes.IndexByte(v, quote)
		if i < 0 {
			return append(dst, v...)
		}
		dst = append(append(dst, v[:i+1]...), quote)
		v = v[i+1:]
	}
}
