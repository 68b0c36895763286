package backupschedule

import (
	"context"
	"time"

	"github.com/sitewright/sitewright/controllers/step"
)

// failedKept is how many failed scheduled Backups stay to be looked at, beside the first that failed since the last good one.
const failedKept = 3

// prune removes the scheduled Backups that are not kept. Those that a person made are never touched, and nothing is removed while it is not known what
// was arranged.
func (t *site) prune(ctx context.Context) (*step.Wait, error) {
	if t.arrangement == nil {
		return nil, nil
	}
	good := t.backups.good
	times := make([]time.Time, len(good))
	for i, b := range good {
		times[i] = taken(b)
	}
	for i, kept := range t.arrangement.keep.Kept(times, t.arrangement.times.Zone) {
		if kept || good[i] == t.backups.newest {
			continue
		}
		if err := t.remove(ctx, good[i]); err != nil {
			return nil, err
		}
	}
	attempts := t.backups.sinceGood()
	for _, b := range t.backups.failed[min(failedKept, len(t.backups.failed)):] {
		if len(attempts) > 0 && b == attempts[len(attempts)-1] {
			continue
		}
		if err := t.remove(ctx, b); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
