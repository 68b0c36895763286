// Package step runs a reconcile as a visible list of steps, and turns how it ended into the conditions of kstatus.
//
// A step is done (nil, nil), waits (a Wait, which is a value and no error), or fails. Errors are of three classes: a plain one is
// retried with backoff, a dependency that is not ready is a Wait, and a Terminal one stalls the object until a person changes
// something.
package step

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// Wait says what a step waits for.
type Wait struct {
	// Reason is one of the API's reasons.
	Reason string
	// Message is a sentence for the user.
	Message string
	// After is when to look again, for what no watch tells; 0 means that a watch will.
	After time.Duration
}

// Progressing waits for work that goes on.
func Progressing(message string) *Wait {
	return &Wait{Reason: api.ReasonProgressing, Message: message}
}

// Dependency waits for an object that is missing or not ready; a watch on it wakes the reconciler.
func Dependency(message string) *Wait {
	return &Wait{Reason: api.ReasonDependencyNotReady, Message: message}
}

// Retry waits to try again what just failed.
func Retry(message string, after time.Duration) *Wait {
	return &Wait{Reason: api.ReasonRetrying, Message: message, After: after}
}

// Terminal is an error that trying again cannot mend.
type Terminal struct {
	// Reason is one of the API's reasons.
	Reason string
	// Message is a sentence for the user that says what to do.
	Message string
}

// Error implements error.
func (t *Terminal) Error() string { return t.Message }

// Invalid is a Terminal error about the spec.
func Invalid(message string) error { return &Terminal{api.ReasonInvalidSpec, message} }

// Failed is a Terminal error about work that failed.
func Failed(message string) error { return &Terminal{api.ReasonFailed, message} }

// NotImplemented is a Terminal error about what this version does not do.
func NotImplemented(message string) error { return &Terminal{api.ReasonNotImplemented, message} }

// Func is one step: a method of the memory of one reconcile.
type Func func(context.Context) (*Wait, error)

// Run takes the steps in order until one does not finish.
func Run(ctx context.Context, steps ...Func) Outcome {
	for _, f := range steps {
		if wait, err := f(ctx); wait != nil || err != nil {
			return Outcome{Wait: wait, Err: err}
		}
	}
	return Outcome{}
}

// Outcome is how the steps ended: all done when both fields are nil.
type Outcome struct {
	Wait *Wait
	Err  error
}

// Done says whether every step was done.
func (o Outcome) Done() bool { return o.Wait == nil && o.Err == nil }

// Stalled returns the terminal error, or nil.
func (o Outcome) Stalled() *Terminal {
	t, _ := errors.AsType[*Terminal](o.Err)
	return t
}

// RequeueAfter is when to look again without a watch's call.
func (o Outcome) RequeueAfter() time.Duration {
	if o.Wait == nil {
		return 0
	}
	return o.Wait.After
}

// Retryable is the error to give back to the work queue, which backs off: nil for terminal errors.
func (o Outcome) Retryable() error {
	if o.Stalled() != nil {
		return nil
	}
	return o.Err
}

// Conditions brings Ready, Reconciling and Stalled in line with the outcome. The message is Ready's when all is done.
func (o Outcome) Conditions(conditions *[]metav1.Condition, generation int64, now time.Time, message string) {
	set := func(kind string, status metav1.ConditionStatus, reason, text string) {
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: Bounded(text, mostMessage),
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now),
		})
	}
	remove := func(kind string) { meta.RemoveStatusCondition(conditions, kind) }
	switch t := o.Stalled(); {
	case t != nil:
		set(api.ConditionReady, metav1.ConditionFalse, t.Reason, t.Message)
		set(api.ConditionStalled, metav1.ConditionTrue, t.Reason, t.Message)
		remove(api.ConditionReconciling)
	case o.Err != nil:
		set(api.ConditionReady, metav1.ConditionFalse, api.ReasonRetrying, o.Err.Error())
		set(api.ConditionReconciling, metav1.ConditionTrue, api.ReasonRetrying, o.Err.Error())
		remove(api.ConditionStalled)
	case o.Wait != nil:
		ready := metav1.ConditionUnknown
		if o.Wait.Reason == api.ReasonRetrying {
			ready = metav1.ConditionFalse
		}
		set(api.ConditionReady, ready, o.Wait.Reason, o.Wait.Message)
		set(api.ConditionReconciling, metav1.ConditionTrue, o.Wait.Reason, o.Wait.Message)
		remove(api.ConditionStalled)
	default:
		set(api.ConditionReady, metav1.ConditionTrue, api.ReasonSucceeded, message)
		remove(api.ConditionReconciling)
		remove(api.ConditionStalled)
	}
}

// mostMessage is as much of a message as a person reads, far below the API server's limit of 32 KiB.
const mostMessage = 2048

// Bounded cuts a text to at most so many bytes. It is cut between runes, since what is not UTF-8 would be read back otherwise than it was written.
func Bounded(s string, most int) string {
	const ellipsis = "…"
	if len(s) <= most {
		return s
	}
	end := most - len(ellipsis)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
