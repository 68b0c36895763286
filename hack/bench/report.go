package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// What is between these lines of the document is replaced; the rest is written by hand and stays.
const (
	beginMark = "<!-- measured: what is from here to the next mark is written by make bench -->"
	endMark   = "<!-- measured: end -->"
)

// report is what is printed and written.
type report struct {
	machine, site string
	rounds        int
	scale         float64
	lines         []line
	peaks         []peak
	took          time.Duration
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func (l line) ratio() float64 { return float64(median(l.ourTimes)) / float64(median(l.theirTimes)) }

// verdict says whether the target is reached.
func (l line) verdict() string {
	switch {
	case l.target == 0:
		return "none set"
	case l.ratio() <= l.target:
		return fmt.Sprintf("≤ %.1f: reached", l.target)
	}
	return fmt.Sprintf("≤ %.1f: missed", l.target)
}

func (r *report) header() {
	fmt.Printf("%-26s %10s %10s %7s   %s\n", "name", "ours", "peer", "ratio", "target")
}

// add prints a line and keeps it.
func (r *report) add(l line) {
	r.lines = append(r.lines, l)
	fmt.Printf("%-26s %9.2fs %9.2fs %7.2f   %s\n", l.name, median(l.ourTimes).Seconds(), median(l.theirTimes).Seconds(), l.ratio(), l.verdict())
}

// reached says of each task whether it stays within bounds for both sizes, and is about the same: a task that held a part
// of the site would need ten times as much.
func (p peak) verdict() string {
	switch {
	case max(p.small, p.large) > peakTarget:
		return "≤ 256 MiB: missed"
	case float64(p.large) > 1.25*float64(p.small):
		return "≤ 256 MiB: reached; the same for both: missed"
	}
	return "≤ 256 MiB, the same for both: reached"
}

func (r *report) sizes() (small, big string) {
	return fmt.Sprintf("%.2g GB", r.scale*0.6), fmt.Sprintf("%.2g GB", r.scale*0.6*large)
}

func (r *report) printPeaks() {
	small, big := r.sizes()
	fmt.Printf("\n%-26s %10s %10s %7s   %s\n", "peak memory", small, big, "ratio", "target")
	for _, p := range r.peaks {
		fmt.Printf("%-26s %6d MiB %6d MiB %7.2f   %s\n", p.task, p.small>>20, p.large>>20, float64(p.large)/float64(p.small), p.verdict())
	}
}

// markdown is the measured part of the document.
func (r *report) markdown(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s, in %d rounds, in %s.\n\n- machine: %s\n- site: %s\n\n", now.Format("2 January 2006"), r.rounds,
		r.took.Round(time.Minute), r.machine, r.site)
	b.WriteString("| work | ours | from–to | peer | from–to | ratio | target | the peer is |\n|---|---|---|---|---|---|---|---|\n")
	for _, l := range r.lines {
		fmt.Fprintf(&b, "| %s | %.2f s | %s | %.2f s | %s | **%.2f** | %s | %s |\n", l.name, median(l.ourTimes).Seconds(), spread(l.ourTimes),
			median(l.theirTimes).Seconds(), spread(l.theirTimes), l.ratio(), l.verdict(), l.peer)
	}
	if len(r.peaks) > 0 {
		small, big := r.sizes()
		fmt.Fprintf(&b, "\n| peak memory of the agent | site of %s | site of %s | ratio | target |\n|---|---|---|---|---|\n", small, big)
		for _, p := range r.peaks {
			fmt.Fprintf(&b, "| %s | %d MiB | %d MiB | **%.2f** | %s |\n", p.task, p.small>>20, p.large>>20, float64(p.large)/float64(p.small), p.verdict())
		}
	}
	return b.String()
}

func spread(times []time.Duration) string {
	return fmt.Sprintf("%.2f–%.2f", slices.Min(times).Seconds(), slices.Max(times).Seconds())
}

// write replaces the measured part of a document.
func (r *report) write(path string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := replaceMeasured(string(old), r.markdown(time.Now()))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	fmt.Printf("\nwritten to %s\n", path)
	return nil
}

// replaceMeasured puts the measured part between the marks, of which an empty document gets new ones.
func replaceMeasured(document, measured string) (string, error) {
	if document == "" {
		document = beginMark + "\n" + endMark + "\n"
	}
	before, rest, found := strings.Cut(document, beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !found || !ended {
		return "", errors.New("the two marks between which results belong are not there: restore them from its history")
	}
	return before + beginMark + "\n" + measured + endMark + after, nil
}
