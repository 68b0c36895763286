package repository

import (
	"strings"
	"unicode/utf8"
)

// Kopia writes directories as JSON, which silently replaces bytes that are not UTF-8, and two names of an old site could
// become one. So such bytes are stored as the private characters U+EF80 to U+EFFF, the low byte being the original
// (the MirBSD "OPTU" range). The bytes of a name that holds such a character itself are stored the same way, which
// makes the mapping reversible for every name.
const (
	rawBase  = 0xEF00
	rawFirst = rawBase + 0x80
	rawLast  = rawBase + 0xFF
)

// encodeName returns the UTF-8 form under which a name from disk is stored. Nearly every name is its own.
func encodeName(name string) string {
	if utf8.ValidString(name) && !strings.ContainsFunc(name, isRaw) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r != utf8.RuneError && !isRaw(r) || r == utf8.RuneError && size > 1 {
			b.WriteString(name[i : i+size])
		} else {
			for _, raw := range []byte(name[i : i+size]) {
				b.WriteRune(rawBase + rune(raw))
			}
		}
		i += size
	}
	return b.String()
}

// decodeName undoes encodeName.
func decodeName(stored string) string {
	if !strings.ContainsFunc(stored, isRaw) {
		return stored
	}
	var b strings.Builder
	for _, r := range stored {
		if isRaw(r) {
			b.WriteByte(byte(r - rawBase))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isRaw(r rune) bool { return r >= rawFirst && r <= rawLast }
