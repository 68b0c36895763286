package agent

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
)

// progressEvery is the shortest time between two lines.
const progressEvery = 500 * time.Millisecond

// progress prints how far a task is: never falling, and seldom enough for a log.
type progress struct {
	mu      sync.Mutex
	w       io.Writer
	now     func() time.Time
	printed time.Time
	percent int
	// low and high are the part of the whole that the percentages of phases are of.
	low, high int
}

func newProgress(w io.Writer, now func() time.Time) *progress {
	if w == nil {
		w = io.Discard
	}
	return &progress{w: w, now: now, high: 100}
}

// phase is a part of a task, from one percentage to another.
type phase struct {
	*progress
	from, to int
	message  string
	began    time.Time
	shares   [][2]int64 // done and total
}

// within makes the percentages of the phases to come those of a part of the task.
func (p *progress) within(low, high int) { p.low, p.high = low, high }

// phase begins a part of the task.
func (p *progress) phase(from, to int, message string) *phase {
	scale := func(percent int) int { return p.low + percent*(p.high-p.low)/100 }
	ph := &phase{progress: p, from: scale(from), to: scale(to), message: message, began: p.now()}
	ph.report(0, 0)
	return ph
}

// report says how much of the phase is done, in whatever unit. It may be called as often as one likes.
func (p *phase) report(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(done, total)
}

// share is report for one of several works which are done at the same time, and measured alike: the phase is as far as they
// are together.
func (p *phase) share() func(done, total int64) {
	i := len(p.shares)
	p.shares = append(p.shares, [2]int64{})
	return func(done, total int64) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.shares[i] = [2]int64{min(done, total), total}
		done, total = 0, 0
		for _, s := range p.shares {
			done, total = done+s[0], total+s[1]
		}
		p.tell(done, total)
	}
}

func (p *phase) tell(done, total int64) {
	line := plan.Progress{Percent: p.from, Until: p.to, Message: p.message}
	if total > 0 && done > 0 {
		done = min(done, total)
		line.Percent += int(float64(p.to-p.from) * float64(done) / float64(total))
	}
	if total > 0 && done > total/50 { // Before that, an estimate is a guess.
		line.RateMillis = int64(float64(p.now().Sub(p.began).Milliseconds()) * float64(total) / float64(done))
	}
	p.print(line, false)
}

// note prints what was found out on the way, for who reads the log.
func (p *progress) note(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(plan.Progress{Message: message}, true)
}

// finish prints the last line.
func (p *progress) finish(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(plan.Progress{Percent: 100, Message: message}, true)
}

func (p *progress) print(line plan.Progress, always bool) {
	p.percent = max(p.percent, line.Percent)
	now := p.now()
	if !always && now.Sub(p.printed) < progressEvery {
		return
	}
	p.printed = now
	line.Percent = p.percent
	b, err := json.Marshal(line)
	if err != nil {
		return // Numbers and a text always marshal.
	}
	_, _ = p.w.Write(append(b, '\n')) // Who does not listen to progress does not stop the task.
}
