package repository

import (
	"context"
	"errors"
	"fmt"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/snapshot"
)

// reasonPending marks a snapshot that waits to be confirmed. To Kopia it is incomplete: its contents are kept, and the
// next snapshot of the source builds upon it, but nobody takes it for one to restore.
const reasonPending = "not verified yet"

// Confirm brings a pending snapshot in sight, once it was verified, under another id, and reads back what it wrote for
// that. One that is not pending is left as it is.
func (r *Repository) Confirm(ctx context.Context, id string) (Snapshot, error) {
	fail := func(err error) (Snapshot, error) {
		return Snapshot{}, fmt.Errorf("confirm snapshot %s in %s: %w", id, r.options.Store, err)
	}
	m, err := r.loadFresh(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	switch m.IncompleteReason {
	case "":
		return describe(m), nil
	case reasonPending:
	default:
		return fail(fmt.Errorf("it was never finished: %w", ErrNotFound))
	}
	confirmed := m.Clone()
	confirmed.IncompleteReason = ""
	// Both in one session, so that there is the one or the other.
	err = repo.WriteSession(ctx, r.direct, repo.WriteSessionOptions{Purpose: "confirm"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		if _, err := snapshot.SaveSnapshot(ctx, w, confirmed); err != nil {
			return fmt.Errorf("store the manifest: %w", err)
		}
		if err := w.DeleteManifest(ctx, manifest.ID(id)); err != nil && !errors.Is(err, manifest.ErrNotFound) {
			return fmt.Errorf("remove the pending one: %w", err)
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	if err := r.readBack(ctx, VerifyOptions{Parallel: defaultParallel}, &VerifyResult{}); err != nil {
		return fail(err)
	}
	return describe(confirmed), nil
}

// ListPending describes the snapshots of a source that wait to be confirmed, oldest first, as List does.
func (r *Repository) ListPending(ctx context.Context, source *Source) ([]Snapshot, error) {
	return r.list(ctx, source, reasonPending)
}
