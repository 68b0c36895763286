package repository

import (
	"context"
	"fmt"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/repo/manifest"
)

// Maintenance is who maintains a repository and when it was done last, as the repository itself knows it.
type Maintenance struct {
	// Owner is who runs it, as user@host; empty while nobody has claimed it.
	Owner string
	// LastQuick and LastFull are when it last succeeded; zero when it never did. A full one is a quick one too.
	LastQuick, LastFull time.Time
	// claimed is when the owner was written down.
	claimed time.Time
}

// unclaimed is the owner that Create writes: every client goes by this name.
const unclaimed = owner + "@" + owner

// Maintenance reads who maintains the repository.
func (r *Repository) Maintenance(ctx context.Context) (Maintenance, error) {
	fail := func(err error) (Maintenance, error) {
		return Maintenance{}, fmt.Errorf("read who maintains %s: %w", r.options.Store, err)
	}
	if err := r.refresh(ctx); err != nil {
		return Maintenance{}, err
	}
	params, err := maintenance.GetParams(ctx, r.direct)
	if err != nil {
		return fail(err)
	}
	found, err := r.direct.FindManifests(ctx, map[string]string{manifest.TypeLabelKey: "maintenance"})
	if err != nil {
		return fail(err)
	}
	schedule, err := maintenance.GetSchedule(ctx, r.direct)
	if err != nil {
		return fail(err)
	}
	m := Maintenance{
		Owner: params.Owner,
		// The tasks that come last.
		LastQuick: lastSuccess(schedule, maintenance.TaskEpochAdvance),
		LastFull:  lastSuccess(schedule, maintenance.TaskCleanupLogs),
	}
	if m.Owner == unclaimed {
		m.Owner = ""
	}
	for _, f := range found {
		if f.ModTime.After(m.claimed) {
			m.claimed = f.ModTime
		}
	}
	return m, nil
}

func lastSuccess(s *maintenance.Schedule, task maintenance.TaskType) time.Time {
	var last time.Time
	for _, run := range s.Runs[task] {
		if run.Success && run.End.After(last) {
			last = run.End
		}
	}
	return last.UTC()
}

// Claim makes claimant, a user@host, the one who maintains the repository, unless somebody else does: an owner who has
// neither maintained it successfully nor claimed it within the given time is replaced. Whoever it says then is the owner.
func (r *Repository) Claim(ctx context.Context, claimant string, patience time.Duration) (Maintenance, error) {
	m, err := r.Maintenance(ctx)
	if err != nil || m.Owner == claimant || (m.Owner != "" && r.now().Sub(m.lastSign()) < patience) {
		return m, err
	}
	err = repo.WriteSession(ctx, r.direct, repo.WriteSessionOptions{Purpose: "claim"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		params, err := maintenance.GetParams(ctx, w)
		if err != nil {
			return err
		}
		params.Owner = claimant
		return maintenance.SetParams(ctx, w, params)
	})
	if err != nil {
		return Maintenance{}, fmt.Errorf("claim the maintenance of %s: %w", r.options.Store, err)
	}
	// Of two that claim it at once the later one is the owner, which the other one sees here or the next time.
	return r.Maintenance(ctx)
}

// lastSign is when the owner last gave a sign of life.
func (m Maintenance) lastSign() time.Time {
	last := m.claimed
	for _, t := range []time.Time{m.LastQuick, m.LastFull} {
		if t.After(last) {
			last = t
		}
	}
	return last
}
