package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// counts are of leaf tests: one with subtests is the sum of those.
type counts struct{ passed, failed, skipped int }

func (c *counts) add(other counts) {
	c.passed += other.passed
	c.failed += other.failed
	c.skipped += other.skipped
}

func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}

// report makes sense of the events of go test -json. Output is kept per test and shown only of those that did not pass.
type report struct {
	to     io.Writer
	total  counts
	counts map[string]counts   // per package
	output map[string][]string // per package and test; builds by import path
	parent map[string]bool     // tests that have subtests
	silent map[string]bool     // tests of which a subtest failed already
}

func newReport(to io.Writer) *report {
	return &report{to: to, counts: map[string]counts{}, output: map[string][]string{}, parent: map[string]bool{}, silent: map[string]bool{}}
}

func (r *report) handle(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "run":
		for name := e.Test; strings.Contains(name, "/"); {
			name = name[:strings.LastIndex(name, "/")]
			r.parent[e.Package+" "+name] = true
		}
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		r.output[e.ImportPath] = append(r.output[e.ImportPath], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageEnds(e)
		} else {
			r.testEnds(key, e)
		}
		delete(r.output, key)
	}
}

func (r *report) testEnds(key string, e event) {
	c := r.counts[e.Package]
	leaf := !r.parent[key]
	switch {
	case e.Action == "pass" && leaf:
		c.passed++
	case e.Action == "skip":
		c.skipped++
		r.show("SKIPPED", e, r.output[key])
	case e.Action == "fail":
		// A parent fails with its subtests; it counts itself only where none of them did.
		if leaf || !r.silent[key] {
			c.failed++
			r.show("FAILED", e, r.output[key])
		}
		for name := e.Test; strings.Contains(name, "/"); {
			name = name[:strings.LastIndex(name, "/")]
			r.silent[e.Package+" "+name] = true
		}
	}
	r.counts[e.Package] = c
}

// packageEnds says how a package did. One that fails without a failing test (it does not compile, panics outside of one,
// or runs out of time) counts as one failure, with all that it said.
func (r *report) packageEnds(e event) {
	c := r.counts[e.Package]
	if e.Action == "fail" && c.failed == 0 {
		c.failed++
		lines := r.output[e.FailedBuild]
		if e.FailedBuild == "" {
			lines = nil
		}
		for key, more := range r.output {
			if strings.HasPrefix(key, e.Package+" ") {
				lines = append(lines, more...)
			}
		}
		r.show("FAILED", e, lines)
	}
	r.total.add(c)
	if c == (counts{}) {
		return // no tests
	}
	word := "ok"
	if c.failed+c.skipped > 0 {
		word = "not ok"
	}
	elapsed := time.Duration(e.Elapsed * float64(time.Second)).Round(100 * time.Millisecond)
	fmt.Fprintf(r.to, "%-6s %s: %s in %s\n", word, short(e.Package), c, elapsed)
}

func (r *report) show(word string, e event, lines []string) {
	fmt.Fprintf(r.to, "--- %s %s %s\n", word, short(e.Package), e.Test)
	for _, line := range lines {
		line = strings.TrimRight(line, "\n")
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "=== ") || strings.HasPrefix(trimmed, "--- ") {
			continue // go test's own headings
		}
		fmt.Fprintln(r.to, "    "+line)
	}
}

// short is a package's path within the module.
func short(path string) string {
	return strings.TrimPrefix(path, "github.com/sitewright/sitewright/")
}
