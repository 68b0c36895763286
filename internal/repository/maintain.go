package repository

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
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
// any number of concurrent writers. Nothing is damaged when two processes run it at once, but one should: see Claim. What
// was never finished nor confirmed goes with it after a week.
func (r *Repository) Maintain(ctx context.Context, full bool) error {
	mode := maintenance.ModeQuick
	if full {
		mode = maintenance.ModeFull
	}
	if err := r.adoptServerClock(ctx); err != nil {
		return fmt.Errorf("maintain repository in %s: %w", r.options.Store, err)
	}
	if full {
		if err := r.dropAbandoned(ctx); err != nil {
			return fmt.Errorf("maintain repository in %s: %w", r.options.Store, err)
		}
	}
	err := repo.DirectWriteSession(ctx, r.direct, repo.WriteSessionOptions{Purpose: "maintain"}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		return snapshotmaintenance.Run(ctx, w, mode, true, maintenance.SafetyFull)
	})
	if errors.Is(err, blob.ErrBlobNotFound) || errors.Is(err, content.ErrContentNotFound) || errors.Is(err, object.ErrObjectNotFound) {
		err = damage(err)
	}
	if err != nil {
		return fmt.Errorf("maintain repository in %s: %w", r.options.Store, err)
	}
	return nil
}

// abandoned is how old what was never finished has to be for nobody to go on with it.
const abandoned = 7 * 24 * time.Hour

// dropAbandoned removes resting places and pending snapshots that a killed writer left and no later one took up, as when the site is gone.
func (r *Repository) dropAbandoned(ctx context.Context) error {
	if err := r.refresh(ctx); err != nil {
		return err
	}
	ids, err := snapshot.ListSnapshotManifests(ctx, r.direct, nil, nil)
	if err != nil {
		return fmt.Errorf("look for what was abandoned: %w", damage(err))
	}
	all, err := snapshot.LoadSnapshots(ctx, r.direct, ids)
	if err != nil {
		return fmt.Errorf("look for what was abandoned: %w", damage(err))
	}
	return repo.WriteSession(ctx, r.direct, repo.WriteSessionOptions{Purpose: "tidy"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		for _, m := range all {
			if m.IncompleteReason == "" || r.now().Sub(m.StartTime.ToTime()) < abandoned {
				continue
			}
			if err := w.DeleteManifest(ctx, m.ID); err != nil && !errors.Is(err, manifest.ErrNotFound) {
				return fmt.Errorf("remove abandoned snapshot %s: %w", m.ID, err)
			}
		}
		return nil
	})
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
