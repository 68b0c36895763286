// Package version compares the version numbers of applications, PHP and database servers, and tells whether one lies
// within the ranges that a catalogue entry names.
package version

import (
	"cmp"
	"strings"
)

// word orders what may stand in place of a number, in the manner of PHP's version_compare. A number counts as 0, so
// what is negative comes before the release and what is positive after it.
func word(s string) int {
	switch s {
	case "dev":
		return -5
	case "a", "alpha":
		return -4
	case "b", "beta":
		return -3
	case "pre":
		return -2
	case "rc", "c":
		return -1
	case "p", "pl", "patch":
		return 1
	}
	return -6
}

// part is one component: a number, or a word such as rc.
type part struct {
	digits string // without leading zeros; empty for 0 and for words
	rank   int    // 0 for numbers
}

// Compare returns -1, 0 or +1 as a is older than, as old as, or newer than b. Components are compared as numbers; a
// missing one counts as 0, so 6.8 equals 6.8.0; 6.9-rc1 and 6.9RC1 are older than 6.9.
func Compare(a, b string) int {
	return compare(split(a), split(b))
}

func compare(a, b []part) int {
	for i := range max(len(a), len(b)) {
		var x, y part
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Compare(x.rank, y.rank); c != 0 {
			return c
		}
		if c := cmp.Compare(len(x.digits), len(y.digits)); c != 0 {
			return c
		}
		if c := cmp.Compare(x.digits, y.digits); c != 0 {
			return c
		}
	}
	return 0
}

// split cuts a version at its separators and wherever digits and letters meet.
func split(s string) []part {
	var parts []part
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "v")
	for s != "" {
		if !isDigit(s[0]) && !isLetter(s[0]) {
			s = s[1:]
			continue
		}
		class := isLetter
		if isDigit(s[0]) {
			class = isDigit
		}
		n := 1
		for n < len(s) && class(s[n]) {
			n++
		}
		if isDigit(s[0]) {
			parts = append(parts, part{digits: strings.TrimLeft(s[:n], "0")})
		} else {
			parts = append(parts, part{rank: word(s[:n])})
		}
		s = s[n:]
	}
	return parts
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }

// Server cuts what packagers and servers add to the number of their version: "10.11.6-MariaDB-0+deb12u1" and
// "5.5.5-10.11.6-MariaDB" (the form in which MariaDB greets old clients) are 10.11.6. The answer is empty when the text
// does not begin with a number.
func Server(text string) string {
	if rest, found := strings.CutPrefix(text, "5.5.5-"); found && rest != "" && isDigit(rest[0]) && strings.Contains(strings.ToLower(rest), "mariadb") {
		text = rest
	}
	n := 0
	for n < len(text) && (isDigit(text[n]) || text[n] == '.') {
		n++
	}
	return strings.Trim(text[:n], ".")
}
