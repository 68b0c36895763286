package snapshots

import (
	"context"
	"errors"

	"github.com/sitewright/sitewright/internal/repository"
)

// Confirm verifies a pending snapshot and brings it in sight: until then nobody takes it for one to restore. One that is
// damaged is removed, since the next one must not build upon it.
func Confirm(ctx context.Context, r *repository.Repository, pending repository.Snapshot, o repository.VerifyOptions) (repository.Snapshot, error) {
	if _, err := r.Verify(ctx, pending.ID, o); err != nil {
		if errors.Is(err, repository.ErrCorrupt) {
			err = errors.Join(err, r.Delete(ctx, pending.ID))
		}
		return repository.Snapshot{}, err
	}
	confirmed, err := r.Confirm(ctx, pending.ID)
	confirmed.UploadedBytes = pending.UploadedBytes
	return confirmed, err
}
