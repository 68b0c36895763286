package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/snapshot"
)

// Source is the site that a snapshot is of.
type Source struct {
	// Namespace and Name are the Install's. They make Kopia's source, sitewright@<namespace>:/<name>, so that a site made
	// anew under its old name goes on deduplicating.
	Namespace, Name string
	// UID tells apart sites of one name, for example of two clusters.
	UID string
}

func (s Source) info() snapshot.SourceInfo {
	return snapshot.SourceInfo{Host: s.Namespace, UserName: owner, Path: "/" + s.Name}
}

// Tags of a manifest carry the prefix that the stock program gives to tags. Ours are reserved.
const (
	tagPrefix   = "tag:"
	ownTag      = "sitewright-"
	tagUID      = ownTag + "uid"
	tagDatabase = ownTag + "database-bytes"
	tagStreams  = ownTag + "streams"
	tagSkipped  = ownTag + "skipped"
)

// Snapshot describes a stored snapshot.
type Snapshot struct {
	// ID names the snapshot in its repository, also for the stock program.
	ID          string
	Source      Source
	Time        time.Time
	Description string
	Tags        map[string]string
	// Files is the number of files and links in its directories, Bytes the logical size of everything, streams included.
	Files, Bytes int64
	// DatabaseBytes is the logical size of the streams.
	DatabaseBytes int64
	// Skipped is the number of sockets, pipes and devices that were left out.
	Skipped int64
	// Pending says that it was not confirmed yet.
	Pending bool

	// The figures below are known only to the call that made the snapshot.

	// UploadedBytes and NewBlobs are what was sent to the store for it, compressed and encrypted. Snapshots that run at
	// the same time over one Repository count each other's.
	UploadedBytes int64
	NewBlobs      int
	// FinalPass is how long the second pass took: from Final's return until everything was read.
	FinalPass time.Duration
}

// describe reads a manifest.
func describe(m *snapshot.Manifest) Snapshot {
	number := func(tag string) int64 {
		n, _ := strconv.ParseInt(m.Tags[tagPrefix+tag], 10, 64) // Absent in snapshots of other clients.
		return n
	}
	s := Snapshot{
		ID:            string(m.ID),
		Source:        Source{Namespace: m.Source.Host, Name: strings.TrimPrefix(m.Source.Path, "/"), UID: m.Tags[tagPrefix+tagUID]},
		Time:          m.StartTime.ToTime().UTC(),
		Description:   m.Description,
		DatabaseBytes: number(tagDatabase),
		Skipped:       number(tagSkipped),
		Pending:       m.IncompleteReason == reasonPending,
	}
	if summary := summaryOf(m); summary != nil {
		s.Bytes = summary.TotalFileSize
		s.Files = summary.TotalFileCount + summary.TotalSymlinkCount - number(tagStreams)
	}
	for _, k := range slices.Sorted(maps.Keys(m.Tags)) {
		key, ok := strings.CutPrefix(k, tagPrefix)
		if !ok || strings.HasPrefix(key, ownTag) {
			continue
		}
		if s.Tags == nil {
			s.Tags = map[string]string{}
		}
		s.Tags[key] = m.Tags[k]
	}
	return s
}

func summaryOf(m *snapshot.Manifest) *fs.DirectorySummary {
	if m.RootEntry == nil {
		return nil
	}
	return m.RootEntry.DirSummary
}

// load reads a snapshot's manifest, complete or not.
func (r *Repository) load(ctx context.Context, id string) (*snapshot.Manifest, error) {
	m, err := snapshot.LoadSnapshot(ctx, r.direct, manifest.ID(id))
	if errors.Is(err, snapshot.ErrSnapshotNotFound) {
		return nil, fmt.Errorf("snapshot %q in %s: %w", id, r.options.Store, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read snapshot %q in %s: %w", id, r.options.Store, damage(err))
	}
	return m, nil
}

// loadFresh is load after what other processes did.
func (r *Repository) loadFresh(ctx context.Context, id string) (*snapshot.Manifest, error) {
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	return r.load(ctx, id)
}

// Get describes one snapshot, or returns ErrNotFound.
func (r *Repository) Get(ctx context.Context, id string) (Snapshot, error) {
	m, err := r.loadFresh(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	return describe(m), nil
}

// List describes the complete snapshots of a source, oldest first: of every source when it is nil, of whatever UID when
// it names none. Snapshots of other clients of the repository are among them.
func (r *Repository) List(ctx context.Context, source *Source) ([]Snapshot, error) {
	return r.list(ctx, source, "")
}

// list describes the snapshots that are incomplete for a reason, which is none for those that are complete.
func (r *Repository) list(ctx context.Context, source *Source, incomplete string) ([]Snapshot, error) {
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	var info *snapshot.SourceInfo
	if source != nil {
		info = new(source.info())
	}
	ids, err := snapshot.ListSnapshotManifests(ctx, r.direct, info, nil)
	if err != nil {
		return nil, fmt.Errorf("list snapshots in %s: %w", r.options.Store, damage(err))
	}
	var found []Snapshot
	for _, id := range ids {
		m, err := r.load(ctx, string(id))
		if err != nil {
			return nil, err
		}
		s := describe(m)
		if m.IncompleteReason == incomplete && (source == nil || source.UID == "" || source.UID == s.Source.UID) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b Snapshot) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}
