package main

import (
	"strings"
	"testing"
)

// events are what go test -json says, shortened.
func TestReportCountsLeaves(t *testing.T) {
	for name, test := range map[string]struct {
		events string
		want   counts
		says   string // part of what is shown
	}{
		"a passing test": {
			`{"Action":"run","Package":"p","Test":"A"}
			{"Action":"output","Package":"p","Test":"A","Output":"chatter\n"}
			{"Action":"pass","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p"}`, counts{passed: 1}, "ok     p: 1 passed"},
		"subtests count, their parent does not": {
			`{"Action":"run","Package":"p","Test":"A"}
			{"Action":"run","Package":"p","Test":"A/x"}
			{"Action":"run","Package":"p","Test":"A/x/y"}
			{"Action":"pass","Package":"p","Test":"A/x/y"}
			{"Action":"pass","Package":"p","Test":"A/x"}
			{"Action":"run","Package":"p","Test":"A/z"}
			{"Action":"output","Package":"p","Test":"A/z","Output":"z_test.go:1: wrong\n"}
			{"Action":"fail","Package":"p","Test":"A/z"}
			{"Action":"fail","Package":"p","Test":"A"}
			{"Action":"fail","Package":"p"}`, counts{passed: 1, failed: 1}, "z_test.go:1: wrong"},
		"a parent that fails by itself counts": {
			`{"Action":"run","Package":"p","Test":"A"}
			{"Action":"run","Package":"p","Test":"A/x"}
			{"Action":"pass","Package":"p","Test":"A/x"}
			{"Action":"fail","Package":"p","Test":"A"}
			{"Action":"fail","Package":"p"}`, counts{passed: 1, failed: 1}, "FAILED p A"},
		"skipped": {
			`{"Action":"run","Package":"p","Test":"A"}
			{"Action":"skip","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p"}`, counts{skipped: 1}, "SKIPPED p A"},
		"a package that does not compile": {
			`{"Action":"build-output","ImportPath":"p [p.test]","Output":"x.go:1: undefined: y\n"}
			{"Action":"build-fail","ImportPath":"p [p.test]"}
			{"Action":"start","Package":"p"}
			{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`, counts{failed: 1}, "undefined: y"},
		"a package that ends in the middle of a test": {
			`{"Action":"run","Package":"p","Test":"A"}
			{"Action":"output","Package":"p","Test":"A","Output":"panic: test timed out\n"}
			{"Action":"fail","Package":"p"}`, counts{failed: 1}, "timed out"},
		"a package without tests": {
			`{"Action":"skip","Package":"p"}`, counts{}, ""},
		"what is not an event": {"FATAL: out of memory", counts{}, "FATAL"},
	} {
		t.Run(name, func(t *testing.T) {
			var shown strings.Builder
			r := newReport(&shown)
			if err := r.read(strings.NewReader(test.events)); err != nil {
				t.Fatal(err)
			}
			if r.total != test.want {
				t.Errorf("counted %s, not %s", r.total, test.want)
			}
			if !strings.Contains(shown.String(), test.says) {
				t.Errorf("showed %q, without %q", shown.String(), test.says)
			}
			if strings.Contains(shown.String(), "chatter") {
				t.Error("showed what a passing test said")
			}
		})
	}
}
