package install

import (
	"context"
	"fmt"
	"slices"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/databaseserver"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// prune removes the generations that nobody wants any more: the previous one after its time, and what tasks left that failed. It keeps out
// of the way of an operation, and never keeps the site from being ready.
func (s *site) prune(ctx context.Context) (*step.Wait, error) {
	if until := s.status.PreviousUntil; until != nil {
		if s.now.Before(until.Time) {
			s.later(until.Time)
		} else {
			s.status.PreviousGeneration, s.status.PreviousUntil = 0, nil
		}
	}
	unwanted := slices.IndexFunc(s.status.Generations, func(g api.GenerationStatus) bool { return !s.keeps(g.Number) })
	if unwanted < 0 || s.in.Status.Operation != nil {
		return nil, nil
	}
	number := s.status.Generations[unwanted].Number
	if s.server != nil && s.existing() == nil && s.usesDatabase() {
		admin, err := databaseserver.Connect(ctx, s.Client, s.server)
		if err != nil {
			return nil, err
		}
		defer admin.Close()
		if err := admin.DropDatabase(ctx, names.Database(string(s.in.UID), number)); err != nil {
			return nil, fmt.Errorf("removing generation %d: %w", number, err)
		}
	}
	m := &job.Mounts{}
	m.Claim(names.Workload(s.in.Name), job.SiteVolume, false)
	keep := []int64{}
	for _, g := range s.status.Generations {
		if g.Number != number {
			keep = append(keep, g.Number)
		}
	}
	name := names.GenerationJob("prune", s.in.Name, number)
	state, wait, err := s.Jobs.Run(ctx, job.Spec{
		Name: name, Namespace: s.in.Namespace, Install: s.in.Name, Owner: *s.ownerReference(), Mounts: m, Beside: Beside(s.in),
		Plan: plan.Plan{Prune: &plan.Prune{Volume: job.SiteVolume, Keep: keep}},
	})
	if wait != nil || err != nil {
		return nil, err
	}
	if f := state.Result.Failure; f != nil {
		return nil, fmt.Errorf("removing generation %d: %s", number, f.Message)
	}
	if gone, err := s.Jobs.Remove(ctx, s.in.Namespace, name); err != nil || !gone {
		return nil, err
	}
	s.status.Generations = slices.Delete(s.status.Generations, unwanted, unwanted+1)
	return nil, nil
}

// keeps says whether a generation is wanted.
func (s *site) keeps(number int64) bool {
	return number == s.status.Generation || number == s.status.PreviousGeneration
}
