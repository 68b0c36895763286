package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/sitewright/sitewright/internal/plan"
)

const (
	// peakTarget is what the agent may have at most.
	peakTarget = 256 << 20
	// large is how many times the large site is as large as the other one.
	large = 10
)

// peak is the agent's most memory in one task, for the site and for the large one.
type peak struct {
	task         string
	small, large int64
}

// peaks measures backup, restore and clone of the site, then of one ten times as large.
func (b *bench) peaks(ctx context.Context) (list []peak, err error) {
	var self syscall.Rusage
	small, err := b.peaksOf(ctx)
	if err != nil {
		return nil, err
	}
	reference := b.site
	defer func() { b.site = reference }()
	if err := b.removeSite(ctx); err != nil {
		return nil, err
	}
	if b.site, err = b.makeSite(ctx, "site", b.scale*large); err != nil {
		return nil, err
	}
	big, err := b.peaksOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.removeSite(ctx); err != nil {
		return nil, err
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return nil, err
	}
	for i, task := range []string{"backup", "restore", "clone"} {
		if own := self.Maxrss << 10; own >= min(small[i], big[i]) {
			return nil, fmt.Errorf("this program had %d MiB itself, which hides what the agent had", own>>20)
		}
		list = append(list, peak{task, small[i], big[i]})
	}
	return list, nil
}

// peaksOf measures the three tasks, with the room that each needs given back before the next.
func (b *bench) peaksOf(ctx context.Context) (found []int64, err error) {
	tasks := []struct {
		name  string
		reset func(context.Context) error
		plan  func() *plan.Plan
		check func(context.Context) error
		after func(context.Context) error
	}{
		{"backup", b.newRepository, func() *plan.Plan { return b.backupPlan(b.site) }, nil, nil},
		{"restore", b.resetRestored, b.restorePlan, b.checkRestored, func(ctx context.Context) error {
			return errors.Join(b.resetRestored(ctx), b.server.drop(ctx, oursDB), os.RemoveAll(b.path("locations", "ours")))
		}},
		{"clone", b.resetCloned, b.clonePlan, b.checkCloned, func(ctx context.Context) error {
			return errors.Join(b.resetCloned(ctx), b.server.drop(ctx, oursDB))
		}},
	}
	for _, t := range tasks {
		what := fmt.Sprintf("%s of %.1f GB", t.name, b.site.scale*(uploadBytes+databaseBytes)/1e9)
		err := b.step(what, func() error {
			if err := t.reset(ctx); err != nil {
				return err
			}
			c, err := b.agent(ctx, t.plan())
			if err != nil {
				return err
			}
			found = append(found, c.peak)
			return errors.Join(call(ctx, t.check), call(ctx, t.after))
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (b *bench) removeSite(ctx context.Context) error {
	return errors.Join(os.RemoveAll(b.site.plan.Volume), b.server.drop(ctx, b.site.plan.Database.Name))
}
