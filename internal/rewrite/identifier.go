package rewrite

import (
	"bytes"
	"strings"
)

// quotedName takes a name in backticks or, with ANSI_QUOTES, double quotes.
func (f *filter) quotedName(quote byte) bool {
	p := f.pos + 1
	for {
		i := bytes.IndexByte(f.buf[p:f.end], quote)
		if i < 0 {
			return false
		}
		p += i + 1
		if p == f.end && !f.eof {
			return false
		}
		if p == f.end || f.buf[p] != quote {
			break
		}
		p++
	}
	start := f.pos
	id := f.buf[start+1 : p-1]
	f.pos, f.ticked = p, quote == '`'
	if bytes.IndexByte(id, quote) >= 0 {
		id = bytes.ReplaceAll(id, []byte{quote, quote}, []byte{quote})
	}
	f.session.word(id)
	if to, ok := f.parser.name(id, f.at(p)); ok {
		f.tally.report.Names++
		f.replace(start, []byte(quoteName(to, quote)))
	}
	return true
}

// quoteBare quotes a name that was bare, apart from quoted names that touch
// it: two backticks together would be one inside a name.
func (f *filter) quoteBare(name string, ticked bool) string {
	name = quoteName(name, '`')
	if f.at(f.pos) == '`' {
		name += " "
	}
	if ticked {
		name = " " + name
	}
	return name
}

// at is the byte at buf[p], a space at the end of the dump.
func (f *filter) at(p int) byte {
	if p >= f.end {
		return ' '
	}
	return f.buf[p]
}

func quoteName(s string, quote byte) string {
	q := string(quote)
	return q + strings.ReplaceAll(s, q, q+q) + q
}
