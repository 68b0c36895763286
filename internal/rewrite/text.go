package rewrite

import (
	"bytes"
	"slices"
)

// maxLevel bounds how many strings inside strings are followed. What lies
// deeper is left untouched.
const maxLevel = 32

// job is the work on one value: what was replaced and what was refused.
type job struct {
	r           *Rewriter
	occurrences int
	malformed   int
	lengths     bool   // something that depends on lengths was changed
	room        []byte // what the result of level 0 may be put in
}

// segment is a part of a text that is a serialized value. In text inside JSON
// strings, levels says how many times it has been escaped there; malformed
// that it announces itself as serialized and is not.
type segment struct {
	start, end int
	levels     int
	malformed  bool
}

// value rewrites a whole value.
func (j *job) value(v []byte, level int) []byte {
	if !j.r.mentions(v) {
		return v
	}
	return j.suspect(v, level)
}

// suspect rewrites a value that probably holds an occurrence. One that
// announces itself as serialized and does not parse is left alone: no lengths
// can be put right in it.
func (j *job) suspect(v []byte, level int) []byte {
	start := len(v) - len(bytes.TrimLeft(v, " \t\r\n"))
	if !looksSerialized(v[start:], false) {
		return j.text(v, level, segment{})
	}
	end, ok := skipSerialized(v, start, new(stepsFor(v)))
	if !ok {
		j.refuse(v)
		return v
	}
	return j.text(v, level, segment{start: start, end: end})
}

// refuse counts v as malformed if it holds an occurrence.
func (j *job) refuse(v []byte) {
	f := newFinder(j.r, v)
	if _, ok := f.find(0); ok {
		j.malformed++
	}
}

// text rewrites text that may have serialized values embedded in it. seg is
// the first of them, when it is known.
func (j *job) text(v []byte, level int, seg segment) []byte {
	if level > maxLevel {
		j.refuse(v)
		return v
	}
	var out []byte
	copied, pos, binary, checked := 0, 0, false, false
	segs := segmenter{v: v, cur: seg, pos: seg.end, steps: stepsFor(v)}
	found := newFinder(j.r, v)
	for {
		m, ok := found.find(pos)
		if !ok {
			break
		}
		if !segs.seek(m.start) {
			// Hostile nesting: where strings end is unknown from here on.
			j.malformed++
			break
		}
		if s := segs.cur; s.start <= m.start && m.start < s.end {
			pos = s.end
			if s.malformed {
				j.malformed++
				continue
			}
			old := v[s.start:s.end]
			if rewritten := j.segment(old, s.levels, level); !bytes.Equal(rewritten, old) {
				j.lengths = true
				if len(old) == len(v) {
					return rewritten
				}
				if out == nil {
					out = j.roomFor(v, level)
				}
				out = append(append(out, v[copied:s.start]...), rewritten...)
				copied = s.end
			}
			continue
		}
		pos = m.end
		segs.pos = max(segs.pos, m.end+1) // no segment begins inside an occurrence
		if !checked {
			binary, checked = bytes.IndexByte(v, 0) >= 0, true
		}
		if binary {
			continue // whose own lengths and checksums are unknown
		}
		if out == nil {
			out = j.roomFor(v, level)
		}
		out = append(append(out, v[copied:m.start]...), m.with...)
		copied = m.end
		j.occurrences++
	}
	if out == nil {
		return v
	}
	return append(out, v[copied:]...)
}

// roomFor is an empty slice that v, rewritten, probably fits in.
func (j *job) roomFor(v []byte, level int) []byte {
	if level > 0 {
		return make([]byte, 0, roomy(v))
	}
	j.room = slices.Grow(j.room[:0], roomy(v))
	return j.room
}

func roomy(v []byte) int { return len(v) + len(v)/8 + 64 }

// segment rewrites one serialized value, through its escaping if it has any.
func (j *job) segment(v []byte, levels, level int) []byte {
	if levels == 0 {
		return j.serialized(v, level)
	}
	plain, styles, ok := decodeJSON(v, levels)
	if !ok {
		return v
	}
	rewritten := j.serialized(plain, level+1)
	if bytes.Equal(rewritten, plain) {
		return v
	}
	return encodeJSON(rewritten, styles)
}

// segmenter finds the serialized values in a text, from left to right.
type segmenter struct {
	v     []byte
	cur   segment // the last one found
	pos   int     // everything before is dealt with
	steps int     // what may still be spent on looking
}

// stepsFor is the work that looking for serialized values in v may cost, so
// that hostile nesting of things that almost parse stays linear.
func stepsFor(v []byte) int { return 16*len(v) + 4096 }

// seek goes on until a segment covers at or all segments before it have been
// passed. It reports false when it ran out of steps.
func (s *segmenter) seek(at int) bool {
	for s.pos <= at {
		i := bytes.IndexByte(s.v[s.pos:at], ':')
		if i < 0 {
			s.pos = at
			return true
		}
		start := s.pos + i - 1
		s.pos += i + 1
		if start < 0 || !looksSerialized(s.v[start:], true) || start > 0 && isAlnum(s.v[start-1]) {
			continue
		}
		end, ok := skipSerialized(s.v, start, &s.steps)
		found := segment{start: start, end: end}
		if !ok && s.steps >= 0 {
			found, ok = s.escaped(start)
		}
		if s.steps < 0 {
			return false
		}
		if ok {
			s.cur = found
			s.pos = found.end
		}
	}
	return true
}

// escaped tries the value at v[start] as the content of a JSON string that
// the quote in front of it opens.
func (s *segmenter) escaped(start int) (segment, bool) {
	end, levels := jsonString(s.v, start)
	if levels == 0 {
		return segment{}, false
	}
	s.steps -= (end - start) * (levels + 1)
	if s.steps < 0 {
		return segment{}, false
	}
	plain, _, ok := decodeJSON(s.v[start:end], levels)
	if !ok || !looksSerialized(plain, false) {
		return segment{}, false
	}
	n, ok := skipSerialized(plain, 0, &s.steps)
	return segment{start: start, end: end, levels: levels, malformed: !ok || n != len(plain)}, true
}
