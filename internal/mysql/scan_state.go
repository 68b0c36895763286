package mysql

import (
	"bytes"
	"fmt"
)

// maxLine bounds a DELIMITER line; comment lines may be of any length.
const maxLine = 1024

// skipToStatement moves to the first byte of the next statement: over white space, comments, empty statements and
// DELIMITER commands.
func (s *Scanner) skipToStatement() bool {
	for {
		s.start = s.pos
		s.need(maxLine)
		if s.err != nil || s.pos >= len(s.buf) {
			return false
		}
		rest := s.buf[s.pos:]
		switch {
		case rest[0] == '\n':
			s.lineStart = true
			s.pos++
		case isSpace(rest[0]):
			s.pos++
		case rest[0] == '#' || isDashComment(rest):
			s.complete = bytes.HasPrefix(rest, []byte(completeMark))
			s.skipLine(true)
		case s.plainComment():
			if !s.skipComment(true) {
				return false
			}
		case s.lineStart && isDelimiterCommand(rest):
			s.setDelimiter(rest)
		case bytes.HasPrefix(rest, s.delimiter):
			s.pos += len(s.delimiter)
			s.lineStart = false
		default:
			return s.err == nil
		}
	}
}

// plainComment reports whether /* begins a comment here which the server does not execute.
func (s *Scanner) plainComment() bool {
	rest := s.buf[s.pos:]
	head, _, _ := executable(rest)
	return head == 0 && bytes.HasPrefix(rest, []byte("/*")) && !bytes.HasPrefix(rest, []byte("/*+"))
}

// skipLine moves behind the end of a comment line. Between statements (idle) it holds no more than a chunk of it.
func (s *Scanner) skipLine(idle bool) {
	for s.need(1) {
		i := bytes.IndexByte(s.buf[s.pos:], '\n')
		if i >= 0 {
			s.pos += i // the newline is white space
			break
		}
		s.pos = len(s.buf)
		if idle {
			s.start = s.pos
		}
	}
}

// skipComment moves behind a plain comment; idle as in skipLine.
func (s *Scanner) skipComment(idle bool) bool {
	s.pos += 2
	for s.need(2) {
		i := bytes.Index(s.buf[s.pos:], []byte("*/"))
		if i >= 0 {
			s.pos += i + 2
			return true
		}
		s.pos = len(s.buf) - 1 // a star at the end may be half of the mark
		if idle {
			s.start = s.pos
		}
	}
	s.fail(fmt.Errorf("%w: a comment does not end", ErrTruncated))
	return false
}

func isDelimiterCommand(line []byte) bool {
	const command = "delimiter"
	return len(line) > len(command) && bytes.EqualFold(line[:len(command)], []byte(command)) && isSpace(line[len(command)])
}

func (s *Scanner) setDelimiter(rest []byte) {
	line := rest[:min(lineEnd(rest), maxLine)]
	fields := bytes.Fields(line)
	if len(fields) < 2 || bytes.ContainsAny(fields[1], "\\'\"`") {
		s.fail(fmt.Errorf("%w: DELIMITER without a usable delimiter", ErrRefused))
		return
	}
	s.delimiter = bytes.Clone(fields[1])
	s.pos += len(line)
	s.lineStart = true
}

// interesting marks the bytes which may change the scanner's state inside a statement, the delimiter's first apart.
var interesting = [256]bool{'\'': true, '"': true, '`': true, '#': true, '-': true, '/': true}

// findEnd moves pos to the delimiter which ends the statement, or to the end of the script; ended says which.
func (s *Scanner) findEnd() (ended, ok bool) {
	first := s.delimiter[0]
	for s.need(1) {
		for s.pos < len(s.buf) && !interesting[s.buf[s.pos]] && s.buf[s.pos] != first {
			s.pos++
		}
		if s.pos == len(s.buf) {
			continue
		}
		s.need(max(len(s.delimiter), len("/*M!")))
		rest := s.buf[s.pos:]
		switch {
		case bytes.HasPrefix(rest, s.delimiter):
			return true, s.withinLimit()
		case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`':
			if !s.skipQuoted(rest[0]) {
				return false, false
			}
		case rest[0] == '#' || isDashComment(rest):
			s.skipLine(false)
		case s.plainComment():
			if !s.skipComment(false) {
				return false, false
			}
		default:
			if head, _, _ := executable(rest); head > 0 {
				s.executable = true
			}
			s.pos++
		}
	}
	return false, s.err == nil && s.withinLimit()
}

// withinLimit checks the length of the whole statement; while it grows, need does.
func (s *Scanner) withinLimit() bool {
	if s.pos-s.start > s.max {
		s.fail(fmt.Errorf("%w: more than %d bytes", ErrTooLarge, s.max))
		return false
	}
	return true
}

// skipQuoted moves behind a quoted text. A doubled quote simply begins another one.
func (s *Scanner) skipQuoted(q byte) bool {
	escapable := s.mode.Escapable(q)
	s.pos++
	for s.need(1) {
		for s.pos < len(s.buf) && s.buf[s.pos] != q && (s.buf[s.pos] != '\\' || !escapable) {
			s.pos++
		}
		switch {
		case s.pos == len(s.buf):
		case s.buf[s.pos] == q:
			s.pos++
			return true
		case s.need(2):
			s.pos += 2
		default:
			s.pos++
		}
	}
	s.fail(fmt.Errorf("%w: a quoted text does not end", ErrTruncated))
	return false
}
