package rewrite

import (
	"bytes"
	"math"
)

// maxDepth bounds how deeply arrays and objects nest, as PHP's own
// unserialize_max_depth does by default.
const maxDepth = 4096

// looksSerialized reports whether v begins like a serialized value that can
// hold text: a string, an array, an object or an enum case. With escaped, the
// quote may have backslashes in front of it.
func looksSerialized(v []byte, escaped bool) bool {
	if len(v) < 4 || v[1] != ':' || !isDigit(v[2]) {
		return false
	}
	i := 3
	for i < len(v) && isDigit(v[i]) {
		i++
	}
	if i+1 >= len(v) || v[i] != ':' {
		return false
	}
	switch v[0] {
	case 'a':
		return v[i+1] == '{'
	case 's', 'O', 'C', 'E':
		return v[i+1] == '"' || escaped && v[i+1] == '\\'
	}
	return false
}

// skipSerialized reports where the serialized value at v[start] ends. Each
// value passed costs one step.
func skipSerialized(v []byte, start int, steps *int) (end int, ok bool) {
	p := phpReader{v: v, pos: start, steps: *steps}
	ok = p.value()
	*steps = p.steps
	return p.pos, ok
}

// phpReader reads PHP's serialize format. On failure it stops where it is;
// nothing it has told its editor so far may then be used.
type phpReader struct {
	v     []byte
	pos   int
	depth int
	steps int
	edit  *phpEditor  // nil: only look
	ends  map[int]int // where the entries that start somewhere end; nil: not kept
}

// value reads one value.
func (p *phpReader) value() bool {
	p.steps--
	if p.steps < 0 || p.pos+1 >= len(p.v) {
		return false
	}
	switch p.v[p.pos] {
	case 'N':
		return p.lit("N;")
	case 'b':
		return p.lit("b:") && (p.lit("0") || p.lit("1")) && p.lit(";")
	case 'i', 'r', 'R':
		return p.integer()
	case 'd':
		return p.double()
	case 's':
		start := p.pos
		content, ok := p.str()
		if ok && p.edit != nil {
			p.edit.value(start, p.pos, content)
		}
		return ok
	case 'a':
		p.pos++
		n, ok := p.count()
		return ok && p.lit(":{") && p.entries(n, true)
	case 'O':
		p.pos++
		class, ok := p.quoted()
		if !ok || !p.lit(":") {
			return false
		}
		n, ok := p.number()
		return ok && p.lit(":{") && p.entries(n, bytes.EqualFold(class, []byte("stdClass")))
	case 'E':
		p.pos++
		_, ok := p.quoted()
		return ok && p.lit(";")
	case 'C':
		return p.custom()
	}
	return false
}

// entries reads n keys with their values and the closing brace. The keys of
// arrays and of stdClass objects are data; those of other objects are names
// in the application's code.
func (p *phpReader) entries(n int, keysAreData bool) bool {
	p.depth++
	if p.depth > maxDepth {
		return false
	}
	b := box{start: p.pos, count: n}
	if end, ok := p.ends[b.start]; ok {
		p.pos, n = end, 0
	}
	for range n {
		if p.pos >= len(p.v) {
			return false
		}
		start := p.pos
		switch p.v[start] {
		case 'i':
			if !p.integer() {
				return false
			}
		case 's':
			key, ok := p.str()
			if !ok {
				return false
			}
			if p.edit != nil && keysAreData {
				p.edit.key(start, p.pos, key, &b)
			}
		default:
			return false
		}
		if !p.value() {
			return false
		}
	}
	if p.ends != nil {
		p.ends[b.start] = p.pos
	}
	p.depth--
	return p.lit("}")
}

// custom reads an object that serialized itself in a format of its own.
func (p *phpReader) custom() bool {
	p.pos++
	if _, ok := p.quoted(); !ok || !p.lit(":") {
		return false
	}
	start := p.pos
	n, ok := p.number()
	if !ok || !p.lit(":{") || n > len(p.v)-p.pos {
		return false
	}
	payload := p.v[p.pos : p.pos+n]
	p.pos += n
	if !p.lit("}") {
		return false
	}
	if p.edit != nil {
		p.edit.custom(start, p.pos, payload)
	}
	return true
}

// str reads s:5:"hello"; and returns what is between the quotes.
func (p *phpReader) str() ([]byte, bool) {
	p.pos++
	content, ok := p.quoted()
	return content, ok && p.lit(";")
}

// quoted reads :5:"hello".
func (p *phpReader) quoted() ([]byte, bool) {
	n, ok := p.count()
	if !ok || !p.lit(`:"`) || n > len(p.v)-p.pos {
		return nil, false
	}
	content := p.v[p.pos : p.pos+n]
	p.pos += n
	return content, p.lit(`"`)
}

// count reads a colon and a number.
func (p *phpReader) count() (int, bool) {
	if !p.lit(":") {
		return 0, false
	}
	return p.number()
}

func (p *phpReader) number() (int, bool) {
	n, start := 0, p.pos
	for p.pos < len(p.v) && isDigit(p.v[p.pos]) {
		if n > math.MaxInt32 {
			return 0, false
		}
		n = n*10 + int(p.v[p.pos]-'0')
		p.pos++
	}
	return n, p.pos > start
}

// integer reads i:-5; and the references R:5; and r:5;.
func (p *phpReader) integer() bool {
	p.pos++
	if !p.lit(":") {
		return false
	}
	if !p.lit("-") {
		p.lit("+")
	}
	start := p.pos
	for p.pos < len(p.v) && isDigit(p.v[p.pos]) {
		p.pos++
	}
	return p.pos > start && p.lit(";")
}

// double reads d:0.5;, d:1.0E+25;, d:-INF; and d:NAN;.
func (p *phpReader) double() bool {
	p.pos++
	if !p.lit(":") {
		return false
	}
	start := p.pos
	for p.pos < len(p.v) && bytes.IndexByte([]byte("0123456789+-.eEINFA"), p.v[p.pos]) >= 0 {
		p.pos++
	}
	return p.pos > start && p.lit(";")
}

func (p *phpReader) lit(s string) bool {
	if len(p.v)-p.pos < len(s) || string(p.v[p.pos:p.pos+len(s)]) != s {
		return false
	}
	p.pos += len(s)
	return true
}
