package agent

import (
	"context"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// verified has the snapshot of a Backup taken, or finds the one of a run that was killed, and brings it in sight once it was verified: until then nobody takes
// it for one to restore.
func (a *agent) verified(ctx context.Context, l *location, source *repository.Source, backupUID string,
	take func(context.Context) (*repository.Snapshot, error)) (*repository.Snapshot, error) {
	done, err := l.snapshotsOf(ctx, l.List, source, backupUID)
	if err != nil {
		return nil, err
	}
	if len(done) > 0 {
		return &done[len(done)-1], nil
	}
	pending, err := l.snapshotsOf(ctx, l.ListPending, source, backupUID)
	if err != nil {
		return nil, err
	}
	var snapshot *repository.Snapshot
	// What an earlier run wrote is not known to this one as such, so all of the snapshot is read.
	full := len(pending) > 0
	if full {
		snapshot = &pending[len(pending)-1]
	} else if snapshot, err = take(ctx); err != nil {
		return nil, err
	}
	verifying := a.progress.phase(80, 99, "verifying the snapshot")
	confirmed, err := snapshots.Confirm(ctx, l.Repository, *snapshot, repository.VerifyOptions{Full: full, Progress: verifying.ofBytes})
	if err != nil {
		return nil, l.about(err)
	}
	return &confirmed, nil
}
