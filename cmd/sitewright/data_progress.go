package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/recipe"
)

// meterEvery is the shortest time between two lines of progress.
const meterEvery = time.Second

// meter prints on standard error how far a verb is: nothing for what is done within a second, then a line a second.
type meter struct {
	mu      sync.Mutex
	w       io.Writer // nil when quiet
	began   time.Time
	printed time.Time
}

func newMeter(command *cobra.Command) *meter {
	m := &meter{began: time.Now()}
	m.printed = m.began
	if quiet, err := command.Flags().GetBool("quiet"); err == nil && !quiet {
		m.w = command.ErrOrStderr()
	}
	return m
}

// report says how many bytes are done, of how many; 0 when that is not known. It may be called as often as one likes.
func (m *meter) report(what string, done, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.w == nil || now.Sub(m.printed) < meterEvery {
		return
	}
	m.printed = now
	line := fmt.Sprintf("%s: %.1f MB", what, float64(done)/1e6)
	if total > 0 && done <= total {
		line += fmt.Sprintf(" of %.1f MB (%d %%)", float64(total)/1e6, 100*done/total)
	}
	// Who does not listen to progress does not stop the work.
	_, _ = fmt.Fprintf(m.w, "%s, %.1f MB/s\n", line, float64(done)/1e6/now.Sub(m.began).Seconds())
}

// writer counts what is written to w.
func (m *meter) writer(w io.Writer, what string) io.Writer {
	return &countingWriter{w: w, m: m, what: what}
}

type countingWriter struct {
	w    io.Writer
	m    *meter
	what string
	n    int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.m.report(c.what, c.n, 0)
	return n, err
}

// warn prints what the user should know although the work was done.
func (t *task) warn(format string, args ...any) {
	t.PrintErrf("warning: %s\n", recipe.Scrub(fmt.Sprintf(format, args...), t.secrets))
}

// answer prints a result as one line of JSON.
func answer(w io.Writer, result any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(result); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	return nil
}
