package rewrite

import (
	"bytes"
	"math"
	"strconv"
)

// serialized rewrites v, which is one well-formed serialized value.
func (j *job) serialized(v []byte, level int) []byte {
	e := phpEditor{j: j, v: v, level: level}
	p := phpReader{v: v, steps: math.MaxInt, edit: &e}
	if !p.value() {
		return v // cannot happen: it was read once before
	}
	if e.out == nil {
		return v
	}
	return append(e.out, v[e.copied:]...)
}

// phpEditor copies a serialized value and replaces strings in it, with their
// lengths, while a phpReader passes over them.
type phpEditor struct {
	j      *job
	v      []byte
	level  int
	out    []byte
	copied int
	ends   map[int]int // lets nested arrays be passed over a second time at once
}

// value rewrites the string s:…; at v[start:end].
func (e *phpEditor) value(start, end int, content []byte) {
	if now := e.j.value(content, e.level+1); !bytes.Equal(now, content) {
		e.replace(start, end, now)
	}
}

// box is an array or object being read, so that a new key can be compared
// with the others.
type box struct {
	start, count int
	keys         map[string]struct{}
}

// key rewrites a key, unless that would make it equal to another key of the
// same array: PHP would then drop one of the two values.
func (e *phpEditor) key(start, end int, key []byte, b *box) {
	if bytes.IndexByte(key, 0) >= 0 {
		return
	}
	trial := job{r: e.j.r}
	now := trial.value(key, e.level+1)
	e.j.malformed += trial.malformed
	if bytes.Equal(now, key) {
		return
	}
	if b.keys == nil {
		b.keys = e.stringKeys(b)
	}
	if _, taken := b.keys[string(now)]; taken {
		return
	}
	b.keys[string(now)] = struct{}{}
	e.j.occurrences += trial.occurrences
	e.replace(start, end, now)
}

// stringKeys collects the string keys of b.
func (e *phpEditor) stringKeys(b *box) map[string]struct{} {
	keys := make(map[string]struct{})
	if e.ends == nil {
		e.ends = make(map[int]int)
	}
	p := phpReader{v: e.v, pos: b.start, steps: math.MaxInt, ends: e.ends}
	for range b.count {
		if e.v[p.pos] == 's' {
			key, _ := p.str()
			keys[string(key)] = struct{}{}
		} else {
			p.integer()
		}
		p.value()
	}
	return keys
}

// custom rewrites the serialized values inside the payload of an object that
// serialized itself, as PHP's own collection classes do. v[start:end] is
// 12:{payload}. The rest of the payload is in a format only its class knows
// and is left alone.
func (e *phpEditor) custom(start, end int, payload []byte) {
	if e.level >= maxLevel || !e.j.r.mentions(payload) {
		return
	}
	var out []byte
	copied := 0
	segs := segmenter{v: payload, steps: stepsFor(payload)}
	found := newFinder(e.j.r, payload)
	pos := 0
	for {
		m, ok := found.find(pos)
		if !ok || !segs.seek(m.start) {
			break
		}
		pos = m.end
		s := segs.cur
		if m.start < s.start || m.start >= s.end {
			continue
		}
		pos = s.end
		if s.levels == 0 && !s.malformed {
			out = append(append(out, payload[copied:s.start]...), e.j.serialized(payload[s.start:s.end], e.level+1)...)
			copied = s.end
		}
	}
	if copied == 0 {
		return
	}
	out = append(out, payload[copied:]...)
	if bytes.Equal(out, payload) {
		return
	}
	e.splice(start, end, append(append(append(strconv.AppendInt(nil, int64(len(out)), 10), ":{"...), out...), '}'))
}

// replace puts the string s in place of the token at v[start:end].
func (e *phpEditor) replace(start, end int, s []byte) {
	e.copy(start)
	e.out = append(e.out, "s:"...)
	e.out = strconv.AppendInt(e.out, int64(len(s)), 10)
	e.out = append(e.out, `:"`...)
	e.out = append(e.out, s...)
	e.out = append(e.out, `";`...)
	e.copied = end
}

// splice puts s in place of v[start:end].
func (e *phpEditor) splice(start, end int, s []byte) {
	e.copy(start)
	e.out = append(e.out, s...)
	e.copied = end
}

// copy takes over what comes before v[end].
func (e *phpEditor) copy(end int) {
	if e.out == nil {
		e.out = make([]byte, 0, roomy(e.v))
	}
	e.out = append(e.out, e.v[e.copied:end]...)
}
