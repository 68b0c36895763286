package step

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

// Ended says whether a task's work is over, well or not.
func Ended(t *api.TaskStatus) bool { return t.CompletionTime != nil }

// Begin notes when a task got hold of its Install.
func Begin(t *api.TaskStatus, now time.Time) {
	if t.StartTime == nil {
		t.StartTime = new(metav1.NewTime(now.Truncate(time.Second)))
	}
}

// Advance notes how far an agent is whose work is the whole task.
func Advance(t *api.TaskStatus, p plan.Progress) {
	if p.Message != "" {
		t.Progress = progress(p, 100)
	}
}

// beforeSwitch is how much of a task is done when the agent has made a new generation, which is yet to serve.
const beforeSwitch = 95

// Making is how far a task is whose agent makes a generation; nil where the agent has not said anything.
func Making(p plan.Progress) *api.Progress {
	if p.Message == "" {
		return nil
	}
	return progress(p, beforeSwitch)
}

// Switching is how far a task is whose generation was made and is about to serve.
func Switching(message string) *api.Progress {
	return &api.Progress{Percent: beforeSwitch, Message: message}
}

// progress is what an agent printed whose work is so many percent of the task, within the schema's bounds: a status beyond them could not be written at all.
func progress(p plan.Progress, share int) *api.Progress {
	const most = 256
	percent := func(n int) int32 { return int32(min(max(n, 0), 100) * share / 100) }
	return &api.Progress{Percent: percent(p.Percent), Until: percent(p.Until), Rate: max(p.RateMillis, 0), Message: Bounded(p.Message, most)}
}

// Finish notes that a task is over, when its outcome is final, and settles its conditions. A task that could not begin because of its
// spec or of what it refers to has not ended: it begins when that is mended. One that had begun has.
func Finish(t *api.TaskStatus, o Outcome, generation int64, now time.Time, message string) {
	t.ObservedGeneration = generation
	o.Conditions(&t.Conditions, generation, now, message)
	if t.CompletionTime != nil {
		return
	}
	stalled := o.Stalled()
	if o.Done() || (stalled != nil && t.StartTime != nil) {
		t.CompletionTime = new(metav1.NewTime(now.Truncate(time.Second)))
	}
	if o.Done() {
		t.Progress = &api.Progress{Percent: 100, Message: "done"}
	}
}
