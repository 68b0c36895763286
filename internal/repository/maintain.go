package repository

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/snapshot/snapshotmaintenance"
)

// Delete removes a snapshot. An absent one is success. The room it took is returned by full maintenance, a day or two
// later: other writers may be reusing its contents right now.
func (r *Repository) Delete(ctx context.Context, id string) error {
	if err := r.refresh(ctx); err != nil {
		return err
	}
	if _, err := r.load(ctx, id); errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	err := repo.WriteSession(ctx, r.direct, repo.WriteSessionOptions{Purpose: "delete"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		return w.DeleteManifest(ctx, manifest.ID(id))
	})
	if err != nil {
		return fmt.Errorf("delete snapshot %s in %s: %w", id, r.options.Store, err)
	}
	return nil
}

// tolerableSkew is what differences between clocks Kopia's maintenance accepts, less a margin.
const tolerableSkew = time.Minute

// Maintain compacts indexes and, when full, drops contents that no snapshot needs, with delays that make it safe beside
// any number of concurrent writers. Nothing is damaged when two processes run it at once, but one should.
func (r *Repository) Maintain(ctx context.Context, full bool) error {
	mode := maintenance.ModeQuick
	if full {
		mode = maintenance.ModeFull
	}
	if err := r.adoptServerClock(ctx); err != nil {
		return fmt.Errorf("maintain repository in %s: %w", r.options.Store, err)
	}
	err := repo.DirectWriteSession(ctx, r.direct, repo.WriteSessionOptions{Purpose: "maintain"}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		return snapshotmaintenance.Run(ctx, w, mode, true, maintenance.SafetyFull)
	})
	if err != nil {
		return fmt.Errorf("maintain repository in %s: %w", r.options.Store, err)
	}
	return nil
}

// clockBlob is put and removed to read the store's clock. Kopia reserves no name that begins like it.
const clockBlob = "sitewright.clock"

// adoptServerClock makes the ages of blobs right where this machine's clock and the store's differ. Kopia would refuse
// to run, since with wrong ages it might remove blobs that a concurrent backup just wrote.
func (r *Repository) adoptServerClock(ctx context.Context) error {
	name := r.blobs.name(clockBlob)
	if err := r.blobs.store.Put(ctx, name, strings.NewReader("x"), 1); err != nil {
		return err
	}
	info, err := r.blobs.store.Stat(ctx, name)
	if err = errors.Join(err, r.blobs.store.Delete(ctx, name)); err != nil {
		return err
	}
	if skew := info.ModTime.Sub(r.now()); skew.Abs() > tolerableSkew {
		r.skew.Add(int64(skew))
	}
	return nil
}

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
