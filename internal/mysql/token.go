package mysql

import (
	"bytes"
	"strings"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // keyword, unquoted name or number
	tokenName             // `quoted name` (or "…" under ANSI_QUOTES)
	tokenString           // '…' or "…"
	tokenPunct            // any other single byte
)

// token is src[start:end] of the statement it was read from.
type token struct {
	kind       tokenKind
	start, end int
}

// lexer reads the tokens of one statement, skipping white space and comments. It expects executable comments to have
// been resolved (see resolveComments).
type lexer struct {
	src  []byte
	pos  int
	mode sqlmode.Mode
}

func (l *lexer) next() token {
	l.skipBlank()
	if l.pos >= len(l.src) {
		return token{kind: tokenEnd, start: len(l.src), end: len(l.src)}
	}
	start := l.pos
	c := l.src[start]
	switch {
	case c == '`' || c == '"' && l.mode.ANSIQuotes:
		l.pos = quotedEnd(l.src, start, l.mode)
		return token{tokenName, start, l.pos}
	case c == '\'' || c == '"':
		l.pos = quotedEnd(l.src, start, l.mode)
		return token{tokenString, start, l.pos}
	case isWordByte(c):
		for l.pos < len(l.src) && isWordByte(l.src[l.pos]) {
			l.pos++
		}
		return token{tokenWord, start, l.pos}
	}
	l.pos++
	return token{tokenPunct, start, l.pos}
}

func (l *lexer) skipBlank() {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case isSpace(rest[0]):
			l.pos++
		case rest[0] == '#' || isDashComment(rest):
			l.pos += lineEnd(rest)
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				l.pos = len(l.src)
				return
			}
			l.pos += end + 4
		default:
			return
		}
	}
}

// all reads the statement to its end. For statements of bounded size only, never for rows.
func (l *lexer) all() []token {
	var tokens []token
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		tokens = append(tokens, t)
	}
	return tokens
}

// word is an unquoted word in upper case, or "" for any other token.
func (l *lexer) word(t token) string {
	if t.kind != tokenWord {
		return ""
	}
	return strings.ToUpper(string(l.src[t.start:t.end]))
}

// is reports whether the token is this punctuation mark.
func (l *lexer) is(t token, mark byte) bool { return t.kind == tokenPunct && l.src[t.start] == mark }

// name is the name a token stands for: unquoted for quoted names and strings, else as written.
func (l *lexer) name(t token) string {
	text := string(l.src[t.start:t.end])
	if t.kind != tokenName && t.kind != tokenString || len(text) < 2 {
		return text
	}
	q := text[:1]
	return strings.ReplaceAll(text[1:len(text)-1], q+q, q)
}

// quotedEnd is the position after the quoted text that begins at start, or the length of src if it does not end.
func quotedEnd(src []byte, start int, mode sqlmode.Mode) int {
	q := src[start]
	escapable := mode.Escapable(q)
	for i := start + 1; i < len(src); i++ {
		switch {
		case src[i] == '\\' && escapable:
			i++
		case src[i] == q:
			if i+1 < len(src) && src[i+1] == q {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(src)
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isDashComment reports whether a comment begins here: two dashes count only before white space, a control character
// or the end.
func isDashComment(s []byte) bool {
	return len(s) >= 2 && s[0] == '-' && s[1] == '-' && (len(s) == 2 || s[2] <= ' ')
}

// lineEnd is the length of the line, its newline included.
func lineEnd(s []byte) int {
	if i := bytes.IndexByte(s, '\n'); i >= 0 {
		return i + 1
	}
	return len(s)
}
