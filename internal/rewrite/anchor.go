package rewrite

import (
	"bytes"
	"strings"
)

// anchor is a string to search for, with the place of the byte in it that
// text holds least often: looking for that one first is several times faster
// than looking for the first byte.
type anchor struct {
	text []byte
	rare int
}

func newAnchor(s string) anchor {
	// Bytes from common to rare in prose, markup and serialized values.
	const common = " etaoinsrlhcdpum\"fg/<>:;=.w,yb0v-1k2_3x45678j9zq"
	a := anchor{text: []byte(s)}
	best := -1
	for i := range len(s) {
		rank := strings.IndexByte(common, s[i])
		if rank < 0 {
			rank = len(common)
		}
		if rank > best {
			best, a.rare = rank, i
		}
	}
	return a
}

// index returns where a first comes in v at or after pos, len(v) when it does
// not.
func (a *anchor) index(v []byte, pos int) int {
	misses := 0
	for p := pos + a.rare; p < len(v); {
		i := bytes.IndexByte(v[p:], a.text[a.rare])
		if i < 0 {
			return len(v)
		}
		p += i
		if start := p - a.rare; bytes.HasPrefix(v[start:], a.text) {
			return start
		}
		p++
		if misses++; misses > 64+(p-pos)/16 { // not rare in this text
			if i := bytes.Index(v[p-a.rare:], a.text); i >= 0 {
				return p - a.rare + i
			}
			return len(v)
		}
	}
	return len(v)
}
