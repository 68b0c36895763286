package backupschedule

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
)

// grace is how long after it was due a backup may take before it is late.
const grace = time.Hour

// judge says whether the last backup is as recent as it should be.
func (t *site) judge(context.Context) (*step.Wait, error) {
	var again time.Duration
	t.backedUp, again = t.judgement()
	if again > 0 {
		t.later(again)
	}
	return nil, nil
}

// judgement is the condition BackedUp, nil where nothing was arranged, and in what time it is to be looked at again.
func (t *site) judgement() (*metav1.Condition, time.Duration) {
	switch {
	case t.problem != "":
		return condition(t.in, metav1.ConditionFalse, api.ReasonDependencyNotReady, t.problem+"; "+t.lastGood()), 0
	case t.arrangement == nil:
		return nil, 0
	case t.arrangement.suspended:
		return condition(t.in, metav1.ConditionUnknown, api.ReasonSuspended,
			fmt.Sprintf("BackupSchedule %s is suspended; %s", t.arrangement.schedule, t.lastGood())), 0
	case t.in.Status.Generation == 0:
		return condition(t.in, metav1.ConditionUnknown, api.ReasonProgressing, "there is nothing to back up yet"), 0
	}
	newest := t.backups.newest
	at, why, over := t.missed()
	if at.IsZero() {
		if newest == nil {
			return condition(t.in, metav1.ConditionUnknown, api.ReasonProgressing,
				fmt.Sprintf("the first scheduled backup begins at %s", moment(t.next.Time))), 0
		}
		return condition(t.in, metav1.ConditionTrue, api.ReasonSucceeded, fmt.Sprintf("Backup %s is of %s", newest.Name, moment(taken(newest)))), 0
	}
	late := t.now.Sub(at)
	switch {
	case late >= grace || over:
		return condition(t.in, metav1.ConditionFalse, api.ReasonLate, fmt.Sprintf("the backup that was due at %s is %s late: %s; %s",
			moment(at), lateness(late), why, t.lastGood())), time.Hour - late%time.Hour
	case newest == nil:
		return condition(t.in, metav1.ConditionUnknown, api.ReasonProgressing, "the first scheduled backup is being made"), grace - late
	}
	return condition(t.in, metav1.ConditionTrue, api.ReasonProgressing,
		fmt.Sprintf("Backup %s is of %s, the next is being made", newest.Name, moment(taken(newest)))), grace - late
}

// missed is when the first backup was due for which there is no good one, zero where none is missing; what became of the last attempt, and whether that
// is over.
func (t *site) missed() (at time.Time, why string, over bool) {
	attempts := t.backups.sinceGood()
	if len(attempts) > 0 {
		at, why = due(attempts[len(attempts)-1]), fmt.Sprintf("Backup %s: %s", attempts[0].Name, step.Message(attempts[0].Status.Conditions))
		over = len(t.backups.failed) > 0 && slices.Contains(attempts, t.backups.failed[0])
	}
	if t.next != nil && !t.next.After(t.now) {
		if at.IsZero() {
			at = t.next.Time
		}
		why = "it waits for other backups to end"
	}
	return at, why, over
}

func (t *site) lastGood() string {
	newest := t.backups.newest
	if newest == nil {
		return "there is no good backup"
	}
	return fmt.Sprintf("the newest good one, Backup %s, is of %s", newest.Name, moment(taken(newest)))
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// lateness in words that change once an hour.
func lateness(d time.Duration) string {
	switch hours := int(d / time.Hour); {
	case hours < 1:
		return "less than an hour"
	case hours < 48:
		return fmt.Sprintf("%d h", hours)
	default:
		return fmt.Sprintf("%d days", hours/24)
	}
}
