package rewrite

import "bytes"

// maxDelimiterLine is how long the client's DELIMITER command can be.
const maxDelimiterLine = 1024

// delimits takes the delimiter if it stands at pos. It is not whole when the window ends before that is known.
func (f *filter) delimits() (whole, ok bool) {
	b := f.buf[f.pos:f.end]
	if len(b) < len(f.delimiter) && !f.eof {
		return false, false
	}
	if !bytes.HasPrefix(b, f.delimiter) {
		return true, false
	}
	f.pos += len(f.delimiter)
	f.mode, f.ticked = inCode, false
	f.parser.punct(';')
	f.endStatement()
	return true, true
}

// endStatement takes the end of a statement.
func (f *filter) endStatement() {
	f.session.end()
	f.definition.end()
}

// delimiterIn is where in the word buf[start:end] the delimiter begins, as in END$$; -1 when it does not.
func (f *filter) delimiterIn(start, end int) int {
	if !isWord(f.delimiter[0]) {
		return -1
	}
	if i := bytes.Index(f.buf[start:min(end+len(f.delimiter)-1, f.end)], f.delimiter); i >= 0 {
		return start + i
	}
	return -1
}

// setDelimiter takes the client's command DELIMITER, whose first word ends at buf[p], with the rest of its line. One that
// no client takes changes nothing.
func (f *filter) setDelimiter(p int) bool {
	line := f.buf[p:f.end]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	} else if !f.eof && len(line) < maxDelimiterLine {
		return false
	}
	line = line[:min(len(line), maxDelimiterLine)]
	f.pos, f.ticked = p+len(line), false
	fields := bytes.Fields(line)
	if len(fields) > 0 && len(fields[0]) <= lookahead && !bytes.ContainsAny(fields[0], "\\'\"`") {
		f.delimiter = bytes.Clone(fields[0])
	}
	return true
}
