package rewrite

import "bytes"

// unescapeSQL decodes a literal's content as the server does: \% and \_ keep
// their backslash, an unknown escape stands for the character itself.
func unescapeSQL(dst, v []byte, quote byte) []byte {
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == quote:
			i++ // doubled
		case c == '\\' && i+1 < len(v):
			i++
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
		}
		dst = append(dst, c)
	}
	return dst
}

// escapeSQL escapes what mysql_real_escape_string escapes.
func escapeSQL(dst, v []byte) []byte {
	for len(v) > 0 {
		i := bytes.IndexAny(v, "\x00\n\r\x1a\\'\"")
		if i < 0 {
			break
		}
		dst = append(dst, v[:i]...)
		c := v[i]
		switch c {
		case 0:
			c = '0'
		case '\n':
			c = 'n'
		case '\r':
			c = 'r'
		case 0x1a:
			c = 'Z'
		}
		dst = append(dst, '\\', c)
		v = v[i+1:]
	}
	return append(dst, v...)
}
