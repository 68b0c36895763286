package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// line is what a kill came to.
func (r *round) line() string {
	became := "continued: Ready"
	if !r.ready {
		became = "Failed, next run Ready: " + r.message
	}
	site := "old"
	if r.work == restore && r.served == savedVersion {
		site = "new"
	}
	text := fmt.Sprintf("%s = %5d ms  site %s, %3d of %3d requests failed, back after %4.1f s, over after %4.1f s  %s",
		r.kill, r.at.Milliseconds(), site, r.failed, r.asked, r.down.Seconds(), r.over.Seconds(), became)
	if r.missed > 0 {
		text += fmt.Sprintf("  (too late %d times before)", r.missed)
	}
	if len(r.breaches) > 0 {
		text += "\n    BREACH: " + strings.Join(r.breaches, "\n    BREACH: ")
	}
	return text
}

// report prints a table of what the kills came to, as Markdown.
func report(w io.Writer, rounds []*round) {
	fmt.Fprintln(w, "\n| killed | during | kills | went on, succeeded | failed, next run succeeded | site old / new | requests failed / made "+
		"| all back, median and longest (s) | breaches |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
	for _, v := range victims {
		for _, k := range works {
			some := slices.DeleteFunc(slices.Clone(rounds), func(r *round) bool { return r.victim != v || r.work != k })
			if len(some) > 0 {
				fmt.Fprintln(w, row(v, k, some))
			}
		}
	}
	fmt.Fprintln(w, row("all", "", rounds))
}

func row(victim, work string, rounds []*round) string {
	var ready, failed, renewed, lost, asked, breaches int
	var down []time.Duration
	for _, r := range rounds {
		if r.ready {
			ready++
		} else {
			failed++
		}
		if r.work == restore && r.served == savedVersion {
			renewed++
		}
		lost, asked, breaches = lost+r.failed, asked+r.asked, breaches+len(r.breaches)
		down = append(down, r.down)
	}
	if len(rounds) == 0 {
		return ""
	}
	slices.Sort(down)
	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d / %d | %d / %d | %.1f, %.1f | %d |", victim, work, len(rounds), ready, failed,
		len(rounds)-renewed, renewed, lost, asked, down[len(down)/2].Seconds(), down[len(down)-1].Seconds(), breaches)
}
