package rewrite

// unescapeSQL decodes a literal's content as the server does: \% and \_ keep
// their backslash, an unknown escape stands for the character itself.
func unescapeSQL(dst, v []byte, quote byte) []byte {
	copied := 0
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c != '\\' && c != quote || i+1 >= len(v) {
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
