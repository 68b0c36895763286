package storage

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Figures of Retry. Together they bound what an unreachable store costs.
const (
	// RetryBudget is how long an operation keeps trying after its first failure.
	RetryBudget = 20 * time.Second
	// DialTimeout bounds one attempt to connect, so that RetryBudget plus one attempt stays within 30 seconds.
	DialTimeout = 8 * time.Second

	firstDelay = 200 * time.Millisecond
	maxDelay   = 4 * time.Second
)

// Retry runs op until it succeeds, fails for a lasting reason, the budget is spent or ctx ends. Only ErrUnreachable is
// a passing reason. Delays double up to four seconds, each with full jitter so that many Jobs which lost one server do
// not return in step. The last error of op is returned; when ctx ended meanwhile it also matches ctx's error.
func Retry(ctx context.Context, op func(context.Context) error) error {
	return retry(ctx, RetryBudget, op)
}

func retry(ctx context.Context, budget time.Duration, op func(context.Context) error) error {
	deadline := time.Time{}
	for delay := firstDelay; ; delay = min(2*delay, maxDelay) {
		err := op(ctx)
		if err == nil || !errors.Is(err, ErrUnreachable) || ctx.Err() != nil {
			return err
		}
		now := time.Now()
		if deadline.IsZero() {
			deadline = now.Add(budget)
		}
		wait := delay/2 + rand.N(delay/2)
		if now.Add(wait).After(deadline) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, ctx.Err())
		case <-timer.C:
		}
	}
}
