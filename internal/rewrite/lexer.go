package rewrite

import "bytes"

// mode is what the tokeniser is in the middle of, when that need not be in
// the window as a whole.
type mode uint8

const (
	inCode mode = iota
	inLineComment
	inBlockComment
	inNumber // a number, or a word too long for a name
)

// token takes the next token. It reports false when the token continues
// beyond the window; nothing has been taken then.
func (f *filter) token() bool {
	switch f.mode {
	case inLineComment:
		f.skipLine()
		return true
	case inBlockComment:
		return f.skipBlock()
	case inNumber:
		f.skipNumber()
		return true
	}
	switch c := f.buf[f.pos]; {
	case c == ' ' || c == '\n' || c == '\r' || c == '\t':
		f.pos++
		f.ticked = false
	case c == '\'' || c == '"':
		return f.literal(c)
	case c == '`':
		return f.quotedName()
	case isDigit(c):
		f.parser.other()
		f.mode = inNumber
	case isWord(c):
		return f.word()
	case c == '-' || c == '/' || c == '#' || c == '*':
		return f.comment(c)
	default:
		f.parser.punct(c)
		f.pos++
		f.ticked = false
	}
	return true
}

func isWord(c byte) bool { return isAlnum(c) || c == '_' || c == '$' || c >= 0x80 }

func (f *filter) skipLine() {
	i := bytes.IndexByte(f.buf[f.pos:f.end], '\n')
	if i < 0 {
		f.pos = f.end
		return
	}
	f.pos += i + 1
	f.mode = inCode
}

func (f *filter) skipBlock() bool {
	i := bytes.Index(f.buf[f.pos:f.end], []byte("*/"))
	if i >= 0 {
		f.pos += i + 2
		f.mode = inCode
		return true
	}
	if f.buf[f.end-1] == '*' {
		f.pos = f.end - 1
		return false
	}
	f.pos = f.end
	return true
}

func (f *filter) skipNumber() {
	for f.pos < f.end && (isWord(f.buf[f.pos]) || f.buf[f.pos] == '.') {
		f.pos++
	}
	if f.pos < f.end {
		f.mode = inCode
	}
}

// comment tells comments from operators. What is inside /*! … */ and
// /*M! … */ is code: only the opening with its version is passed over.
func (f *filter) comment(c byte) bool {
	b := f.buf[f.pos:f.end]
	if len(b) < lookahead && !f.eof {
		return false
	}
	switch {
	case c == '#':
		f.mode = inLineComment
		f.pos++
	case c == '-' && len(b) >= 2 && b[1] == '-' && (len(b) == 2 || b[2] <= ' '):
		f.mode = inLineComment
		f.pos += 2
	case bytes.HasPrefix(b, []byte("/*!")):
		f.skipVersion(3)
	case bytes.HasPrefix(b, []byte("/*M!")):
		f.skipVersion(4)
	case bytes.HasPrefix(b, []byte("/*")):
		f.mode = inBlockComment
		f.pos += 2
	case bytes.HasPrefix(b, []byte("*/")):
		f.pos += 2
	default:
		f.parser.punct(c)
		f.pos++
	}
	return true
}

func (f *filter) skipVersion(n int) {
	f.pos += n
	for i := 0; i < 6 && f.pos < f.end && isDigit(f.buf[f.pos]); i++ {
		f.pos++
	}
}

// word takes a bare word: a keyword or a name.
func (f *filter) word() bool {
	p := f.pos + 1
	for p < f.end && isWord(f.buf[p]) {
		p++
	}
	if p-f.pos > maxWord {
		f.parser.other()
		f.mode = inNumber
		return true
	}
	if p == f.end && !f.eof {
		return false
	}
	w, start := f.buf[f.pos:p], f.pos
	ticked := f.ticked
	f.pos, f.ticked = p, false
	if p < f.end && (f.buf[p] == '\'' || f.buf[p] == '"') {
		f.parser.other() // an introducer: _utf8mb4'…', x'…'
		return true
	}
	if f.parser.word(keywordOf(w)) {
		return true
	}
	if to, ok := f.parser.name(w, f.at(p)); ok {
		f.tally.report.Names++
		if bytes.IndexFunc([]byte(to), func(r rune) bool { return r < 0x80 && !isWord(byte(r)) }) >= 0 || isDigit(to[0]) {
			to = f.quoteBare(to, ticked)
		}
		f.replace(start, []byte(to))
	}
	return true
}

// quotedName takes a name in backticks.
func (f *filter) quotedName() bool {
	p := f.pos + 1
	for {
		i := bytes.IndexByte(f.buf[p:f.end], '`')
		if i < 0 {
			return false
		}
		p += i + 1
		if p == f.end && !f.eof {
			return false
		}
		if p == f.end || f.buf[p] != '`' {
			break
		}
		p++
	}
	start := f.pos
	id := f.buf[start+1 : p-1]
	f.pos, f.ticked = p, true
	if bytes.IndexByte(id, '`') >= 0 {
		id = bytes.ReplaceAll(id, []byte("``"), []byte("`"))
	}
	if to, ok := f.parser.name(id, f.at(p)); ok {
		f.tally.report.Names++
		f.replace(start, []byte(quoteName(to)))
	}
	return true
}

// quoteBare quotes a name that was bare, apart from quoted names that touch
// it: two backticks together would be one inside a name.
func (f *filter) quoteBare(name string, ticked bool) string {
	name = quoteName(name)
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

func quoteName(s string) string {
	b := append(make([]byte, 0, len(s)+2), '`')
	for i := range len(s) {
		if s[i] == '`' {
			b = append(b, '`')
		}
		b = append(b, s[i])
	}
	return string(append(b, '`'))
}

// literal takes a string in single or double quotes and rewrites it.
func (f *filter) literal(quote byte) bool {
	p := f.pos + 1
	for {
		i := bytes.IndexByte(f.buf[p:f.end], quote)
		if i < 0 {
			return false
		}
		p += i
		// An odd number of backslashes escapes the quote; those before the
		// place where the search began belong to earlier escapes.
		if backslashes(f.buf, p, p-i)&1 == 1 {
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
	if f.mentions(start+1, p) {
		f.rewriteLiteral(start, p, quote)
	}
	return true
}

// rewriteLiteral rewrites the content of the literal that opens at buf[start]
// and closes at buf[end].
func (f *filter) rewriteLiteral(start, end int, quote byte) {
	v := f.buf[start+1 : end]
	j := job{r: f.r}
	if plainLiteral(v) {
		now := j.text(v, 0, segment{})
		f.tally.add(f.parser.target, &j, j.occurrences > 0)
		if j.occurrences > 0 {
			f.replace(start+1, now)
			f.copied = end
		}
		return
	}
	if bytes.IndexByte(v, '\\') >= 0 || bytes.IndexByte(v, quote) >= 0 {
		f.plain = unescapeSQL(f.plain[:0], v, quote)
		v = f.plain
	}
	now := j.suspect(v, 0)
	changed := !bytes.Equal(now, v)
	f.tally.add(f.parser.target, &j, changed)
	if changed {
		f.scratch = escapeSQL(append(f.scratch[:0], quote), now)
		f.scratch = append(f.scratch, quote)
		f.replace(start, f.scratch)
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
