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
		return f.skipNumber()
	}
	c := f.buf[f.pos]
	if c == f.delimiter[0] && (len(f.delimiter) > 1 || c != ';') {
		if whole, ok := f.delimits(); !whole || ok {
			return whole
		}
	}
	switch {
	case c == ' ' || c == '\n' || c == '\r' || c == '\t':
		f.pos++
		f.ticked = false
	case c == '`' || c == '"' && f.session.mode.ANSIQuotes:
		return f.quotedName(c)
	case c == '\'' || c == '"':
		return f.literal(c)
	case isDigit(c):
		f.other()
		f.mode = inNumber
	case isWord(c):
		return f.word()
	case c == '-' || c == '/' || c == '#' || c == '*':
		return f.comment(c)
	default:
		f.punct(c)
	}
	return true
}

// punct takes a byte that is nothing else.
func (f *filter) punct(c byte) {
	f.pos++
	f.ticked = false
	f.parser.punct(c)
	if c == ';' && len(f.delimiter) == 1 && f.delimiter[0] == ';' {
		f.endStatement()
		return
	}
	f.session.punct(c)
}

// other takes a number, or what is as good as one.
func (f *filter) other() {
	f.parser.other()
	f.session.punct('0')
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

func (f *filter) skipNumber() bool {
	for f.pos < f.end && (isWord(f.buf[f.pos]) || f.buf[f.pos] == '.') {
		if f.buf[f.pos] == f.delimiter[0] {
			if whole, ok := f.delimits(); !whole || ok {
				return whole
			}
		}
		f.pos++
	}
	if f.pos < f.end {
		f.mode = inCode
	}
	return true
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
		f.punct(c)
	}
	return true
}

// skipVersion passes over the opening of a version comment, n bytes and a
// version. No server has the last version: what stands there is for clients.
func (f *filter) skipVersion(n int) {
	start := f.pos + n
	f.pos = start
	for f.pos < start+6 && f.pos < f.end && isDigit(f.buf[f.pos]) {
		f.pos++
	}
	if string(f.buf[start:f.pos]) == "999999" {
		f.mode = inBlockComment
	}
}

// word takes a bare word: a keyword or a name.
func (f *filter) word() bool {
	p := f.pos + 1
	for p < f.end && isWord(f.buf[p]) {
		p++
	}
	if p-f.pos > maxWord {
		f.other()
		f.mode = inNumber
		return true
	}
	if p == f.end && !f.eof || isWord(f.delimiter[0]) && f.end-p < lookahead && !f.eof {
		return false
	}
	if i := f.delimiterIn(f.pos, p); i > f.pos {
		p = i
	}
	w, start := f.buf[f.pos:p], f.pos
	if f.session.at == setNothing && bytes.EqualFold(w, []byte("DELIMITER")) {
		return f.setDelimiter(p)
	}
	ticked := f.ticked
	f.pos, f.ticked = p, false
	f.session.word(w)
	f.definition.word(w)
	if p < f.end && f.session.mode.StringQuote(f.buf[p]) {
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
