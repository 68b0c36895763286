package access

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/cache"
)

const (
	// freeFailures is how often a source may fail before it has to wait.
	freeFailures = 3
	// firstWait is how long it waits then; each further failure doubles that, up to longestWait.
	firstWait   = 250 * time.Millisecond
	longestWait = 8 * time.Second
	// forgetAfter is how long after its last failure a source is treated like any other again.
	forgetAfter = 10 * time.Minute
)

// brake slows down who tries one credential after another.
type brake struct {
	mu       sync.Mutex
	failures *cache.LRUExpireCache
}

func newBrake(now func() time.Time) *brake {
	return &brake{failures: cache.NewLRUExpireCacheWithClock(mostKnown, clock(now))}
}

type clock func() time.Time

func (c clock) Now() time.Time { return c() }

// fail counts one more failure of a source, and tells how long to wait.
func (b *brake) fail(source string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	count := 1
	if before, ok := b.failures.Get(source); ok {
		count += before.(int)
	}
	b.failures.Add(source, count, forgetAfter)
	if count <= freeFailures {
		return 0
	}
	return min(firstWait<<min(count-freeFailures-1, 10), longestWait)
}

// wait counts a failure, and lets its source wait for it. A success in between changes nothing: whoever has one key would use it to try others at full speed.
func (b *brake) wait(ctx context.Context, source string) error {
	timer := time.NewTimer(b.fail(source))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
