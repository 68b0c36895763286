package mysql

import (
	"bytes"
	"fmt"
	"io"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

const (
	// DefaultMaxStatement is the largest statement a Scanner takes unless told otherwise: 1 GiB, the highest value of
	// max_allowed_packet. No server takes a longer one.
	DefaultMaxStatement = 1 << 30

	scanChunk = 256 << 10
	// completeMark begins the comment line with which mysqldump, mariadb-dump and this package end a dump.
	completeMark = "-- Dump completed"
)

// Scanner splits a SQL script into statements, as the stock client does: it knows strings, quoted names, comments,
// executable comments and the client's DELIMITER command. It holds one statement at a time, so its memory is bounded
// by the longest one. It does not judge what a statement does.
type Scanner struct {
	r   io.Reader
	max int
	err error

	buf       []byte
	start     int   // of the statement in buf
	pos       int   // next byte to look at
	base      int64 // offset of buf[0] in the script
	eof       bool
	delimiter []byte
	mode      sqlmode.Mode
	lineStart bool // the statement is the first thing on its line, so that DELIMITER may stand here

	statement  []byte
	offset     int64
	executable bool
	complete   bool
}

// NewScanner reads a script. A statement longer than max bytes is an error (ErrTooLarge); 0 means
// DefaultMaxStatement.
func NewScanner(r io.Reader, max int) *Scanner {
	if max <= 0 {
		max = DefaultMaxStatement
	}
	return &Scanner{r: r, max: max, delimiter: []byte{';'}, lineStart: true}
}

// SetSQLMode tells the scanner which of the session's sql_mode flags change where strings end, as the server's answer
// does the stock client. It takes effect with the next statement.
func (s *Scanner) SetSQLMode(noBackslashEscapes, ansiQuotes bool) {
	s.mode = sqlmode.Mode{NoBackslashEscapes: noBackslashEscapes, ANSIQuotes: ansiQuotes}
}

// Statement is the statement just read, without its delimiter and without comments before it. It is valid until the
// next Scan.
func (s *Scanner) Statement() []byte { return s.statement }

// Executable reports whether the statement holds an executable comment (/*! … */ or /*M! … */).
func (s *Scanner) Executable() bool { return s.executable }

// Offset is where in the script the statement begins, in bytes.
func (s *Scanner) Offset() int64 { return s.offset }

// Read is how many bytes of the script have been used so far.
func (s *Scanner) Read() int64 { return s.base + int64(s.pos) }

// Complete reports whether the last thing in what was read so far is the comment "-- Dump completed". A script that
// has been cut off between two statements can be told by its absence, if the program that wrote it writes one.
func (s *Scanner) Complete() bool { return s.complete }

// Err is the error which ended the scan, nil at the end of the script: the reader's error, ErrTooLarge, or
// ErrTruncated when the script ends inside a string, a quoted name or a comment.
func (s *Scanner) Err() error { return s.err }

// Scan reads the next statement and reports whether there is one.
func (s *Scanner) Scan() bool {
	s.statement, s.executable = nil, false
	if s.err != nil || !s.skipToStatement() {
		return false
	}
	s.offset = s.base + int64(s.start)
	s.complete = false
	ended, ok := s.findEnd()
	if !ok {
		return false
	}
	s.statement = bytes.TrimRight(s.buf[s.start:s.pos], " \t\r\n")
	if ended {
		s.pos += len(s.delimiter)
	}
	s.lineStart = false
	return true
}

// need makes sure that n bytes from pos are in the buffer, reading on as long as it must. It is false at the end of
// the script or on an error; what there is stays usable.
func (s *Scanner) need(n int) bool {
	for len(s.buf)-s.pos < n {
		if s.eof || s.err != nil {
			return false
		}
		if s.pos-s.start > s.max {
			s.fail(fmt.Errorf("%w: more than %d bytes", ErrTooLarge, s.max))
			return false
		}
		s.fill()
	}
	return true
}

func (s *Scanner) fill() {
	if s.start > 0 && cap(s.buf)-len(s.buf) < scanChunk {
		s.base += int64(s.start)
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.pos -= s.start
		s.start = 0
	}
	if cap(s.buf)-len(s.buf) < scanChunk {
		grown := make([]byte, len(s.buf), 2*cap(s.buf)+2*scanChunk)
		copy(grown, s.buf)
		s.buf = grown
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	switch {
	case err == io.EOF:
		s.eof = true
	case err != nil:
		s.fail(err)
	}
}

func (s *Scanner) fail(err error) {
	if s.err == nil {
		s.err = fmt.Errorf("read script at byte %d: %w", s.base+int64(s.pos), err)
	}
}
