package version

import (
	"fmt"
	"strings"
)

// Range is a set of versions.
type Range struct {
	text  string
	spans []span
}

// span is an inclusive pair of bounds; an empty one is open. exact holds of a single version instead.
type span struct {
	from, to []part
	exact    bool
}

// ParseRange reads a comma-separated list of spans. A version is in the range when it is in any of them:
//
//	7.2.24-8.4.999  from 7.2.24 up to 8.4.999
//	5.5.5-          from 5.5.5 on
//	-8              up to 8, which includes 8.4.3: an upper bound holds all versions that begin with it
//	6.8             6.8 and every version that begins with it, such as 6.8.7
//
// The empty text, and "-", hold every version.
func ParseRange(text string) (Range, error) {
	r := Range{text: text}
	if strings.TrimSpace(text) == "" {
		return r, nil
	}
	for item := range strings.SplitSeq(text, ",") {
		s, err := parseSpan(strings.TrimSpace(item))
		if err != nil {
			return Range{}, fmt.Errorf("version range %q: %w", text, err)
		}
		r.spans = append(r.spans, s)
	}
	return r, nil
}

func parseSpan(item string) (span, error) {
	if item == "" {
		return span{}, fmt.Errorf("it has an empty part: take the comma out")
	}
	from, to, dash := strings.Cut(item, "-")
	for _, bound := range []string{from, to} {
		if bound != "" && !isDigit(bound[0]) || strings.Contains(bound, "-") || strings.Contains(bound, "..") {
			return span{}, fmt.Errorf("%q is not a version: write it like 8.4.3", bound)
		}
	}
	s := span{from: split(from), to: split(to), exact: !dash}
	if len(s.from) > 0 && len(s.to) > 0 && compare(s.from, s.to) > 0 && !begins(s.from, s.to) {
		return span{}, fmt.Errorf("%q is a range that holds nothing: its first bound is newer than its second", item)
	}
	return s, nil
}

// Contains reports whether v is in the range.
func (r Range) Contains(v string) bool {
	if len(r.spans) == 0 {
		return true
	}
	parts := split(v)
	for _, s := range r.spans {
		if s.contains(parts) {
			return true
		}
	}
	return false
}

func (s span) contains(v []part) bool {
	if s.exact {
		return begins(v, s.from)
	}
	if len(s.from) > 0 && compare(v, s.from) < 0 {
		return false
	}
	return len(s.to) == 0 || begins(v, s.to) || compare(v, s.to) <= 0
}

// begins reports whether v is bound or goes on from it. Missing components of v count as 0.
func begins(v, bound []part) bool {
	if len(v) > len(bound) {
		v = v[:len(bound)]
	}
	return compare(v, bound) == 0
}

// String is the text that the range was read from.
func (r Range) String() string { return r.text }

// Lowest is the lowest bound of a range; empty where it has none, or is none.
func Lowest(text string) string {
	lowest := ""
	for i, item := range strings.Split(text, ",") {
		from, _, _ := strings.Cut(strings.TrimSpace(item), "-")
		if from == "" {
			return ""
		}
		if i == 0 || Compare(from, lowest) < 0 {
			lowest = from
		}
	}
	return lowest
}
