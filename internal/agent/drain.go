package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
)

const (
	// drainSettle is how long a request that began before visitors were kept out may take until it has logged in to the database: applications look for
	// their maintenance file first.
	drainSettle = 200 * time.Millisecond
	// drainTimeout is how long requests that had begun may take to end. The pause of the site is longer by no more than that.
	drainTimeout = 20 * time.Second
)

// drain waits for the requests that had begun when visitors were kept out: each has the database open until it has written what it writes. It says of
// those that take too long how many they are.
func (a *agent) drain(ctx context.Context, d *database) (warning string, err error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(drainSettle):
	}
	if d == nil {
		return "", nil
	}
	left, err := mysql.Drain(ctx, d.config, drainTimeout)
	if err != nil {
		return "", d.about(err)
	}
	if left > 0 {
		return fmt.Sprintf("%d sessions with the database were still open %v after visitors were kept out: what they wrote since may be there in part", left, drainTimeout), nil
	}
	return "", nil
}
