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

// Advance notes how far the agent is.
func Advance(t *api.TaskStatus, p plan.Progress) {
	if p.Message != "" {
		t.Progress = Progress(p)
	}
}

// Progress is what an agent printed, within the schema's bounds: a status beyond them could not be written at all.
func Progress(p plan.Progress) *api.Progress {
	const mostProgress = 256
	percent := func(n int) int32 { return int32(min(max(n, 0), 100)) }
	return &api.Progress{Percent: percent(p.Percent), Until: percent(p.Until), Rate: max(p.RateMillis, 0), Message: Bounded(p.Message, mostProgress)}
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
