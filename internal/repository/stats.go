package repository

import (
	"context"
	"fmt"

	"github.com/kopia/kopia/repo/content"
)

// Stats are figures of the whole repository.
type Stats struct {
	// Snapshots is the number of complete snapshots.
	Snapshots int
	// LogicalBytes is what they would take if each were a plain copy.
	LogicalBytes int64
	// UniqueBytes is what is left after deduplication, before compression.
	UniqueBytes int64
	// StoredBytes and Blobs are what the store holds, with indexes and what awaits maintenance.
	StoredBytes int64
	Blobs       int
}

// Stats reads the figures. It lists the store.
func (r *Repository) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	snapshots, err := r.List(ctx, nil)
	if err != nil {
		return s, err
	}
	for _, snap := range snapshots {
		s.Snapshots++
		s.LogicalBytes += snap.Bytes
	}
	err = r.direct.ContentReader().IterateContents(ctx, content.IterateOptions{}, func(c content.Info) error {
		s.UniqueBytes += int64(c.OriginalLength)
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("read the index of %s: %w", r.options.Store, err)
	}
	listed, err := r.listing(ctx)
	for _, size := range listed {
		s.StoredBytes += size
		s.Blobs++
	}
	return s, err
}
