package agent

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
)

func TestProgressNeverFallsAndIsSeldom(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := newProgress(&out, func() time.Time { return now })
	for i, from := range []int{0, 40, 70} {
		ph := p.phase(from, from+30, "phase")
		for done := range int64(1000) {
			now = now.Add(10 * time.Millisecond)
			ph.report(done, 900-int64(i))
		}
		ph.report(1, 1000) // As when a total was too small.
	}
	p.note("said at once")
	p.finish("done")
	last, lines := 0, strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines {
		got, ok := plan.ParseProgress(line)
		if !ok || got.Percent < last || got.Percent > 100 {
			t.Fatalf("%s after %d", line, last)
		}
		last = got.Percent
	}
	if last != 100 || len(lines) < 50 || len(lines) > 64 || !strings.Contains(lines[len(lines)-2], "said at once") {
		t.Errorf("%d lines in 30 seconds, the last at %d%%", len(lines), last)
	}
}

func TestProgressOfWorksAtTheSameTime(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := newProgress(&out, func() time.Time { now = now.Add(time.Second); return now })
	ph := p.phase(10, 90, "both")
	one, two := ph.share(), ph.share()
	for _, step := range []struct {
		report      func(done, total int64)
		done, total int64
		percent     int
	}{{one, 0, 300, 10}, {two, 0, 100, 10}, {one, 100, 300, 30}, {two, 100, 100, 50}, {one, 400, 300, 90}} {
		step.report(step.done, step.total)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if got, ok := plan.ParseProgress(lines[len(lines)-1]); !ok || got.Percent != step.percent {
			t.Errorf("after %d of %d: %s, want %d%%", step.done, step.total, lines[len(lines)-1], step.percent)
		}
	}
}
