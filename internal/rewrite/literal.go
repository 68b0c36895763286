package rewrite

import (
	"bytes"
	"slices"
)

// literal takes a string in single or double quotes and rewrites it.
func (f *filter) literal(quote byte) bool {
	p, escapes := f.pos+1, !f.session.mode.NoBackslashEscapes
	for {
		i := bytes.IndexByte(f.buf[p:f.end], quote)
		if i < 0 {
			return false
		}
		p += i
		// An odd number of backslashes escapes the quote; those before the
		// place where the search began belong to earlier escapes.
		if escapes && backslashes(f.buf, p, p-i)&1 == 1 {
			p++
			continue
		}
		if p+1 == f.end && !f.eof {
			return false
		}
		if p+1 == f.end || f.buf[p+1] != quote {
			break
		}
		p += 2
	}
	start := f.pos
	f.pos = p + 1
	f.parser.other()
	if f.session.at != setIgnored {
		f.session.literal(f.buf[start+1 : p])
	}
	if f.mentions(start+1, p) {
		f.rewriteLiteral(start, p, quote)
	}
	return true
}

// rewriteLiteral rewrites the content of the literal that opens at buf[start]
// and closes at buf[end].
func (f *filter) rewriteLiteral(start, end int, quote byte) {
	v := f.buf[start+1 : end]
	j := job{r: f.r, room: f.room}
	defer func() { f.room = j.room }()
	if plainLiteral(v) {
		now := j.text(v, 0, segment{})
		f.tally.add(f.parser.target, f.definition.kind, &j, j.occurrences > 0)
		if j.occurrences > 0 {
			f.replace(start+1, now)
			f.copied = end
		}
		return
	}
	escapes := !f.session.mode.NoBackslashEscapes
	if escapes && bytes.IndexByte(v, '\\') >= 0 || bytes.IndexByte(v, quote) >= 0 {
		f.plain = unescapeSQL(slices.Grow(f.plain[:0], len(v)), v, quote, escapes)
		v = f.plain
	}
	now := j.suspect(v, 0)
	changed := !bytes.Equal(now, v)
	f.tally.add(f.parser.target, f.definition.kind, &j, changed)
	if changed {
		f.replace(start+1, nil)
		f.copied = end
		f.escape(now, quote)
	}
}

// escape writes v as the content of a literal.
func (f *filter) escape(v []byte, quote byte) {
	for len(v) > 0 {
		part := v[:min(len(v), windowSize)]
		v = v[len(part):]
		if f.session.mode.NoBackslashEscapes {
			f.scratch = doubleQuotes(f.scratch[:0], part, quote)
		} else {
			f.scratch = escapeSQL(f.scratch[:0], part)
		}
		_ = f.write(f.scratch) // as in replace, an error is met again
	}
}

// plainLiteral reports whether a literal can be rewritten as it stands,
// because nothing in it depends on lengths and it is not binary: the
// backslashes of SQL are then to an address what those of JSON are, and what
// replaces it needs no escaping.
func plainLiteral(v []byte) bool {
	for p := 1; p+1 < len(v); p++ {
		i := bytes.IndexByte(v[p:len(v)-1], ':')
		if i < 0 {
			break
		}
		p += i
		if isDigit(v[p+1]) && bytes.IndexByte([]byte("asOCE"), v[p-1]) >= 0 {
			return false
		}
	}
	return bytes.IndexByte(v, 0) < 0 && !bytes.Contains(v, []byte(`\0`))
}
