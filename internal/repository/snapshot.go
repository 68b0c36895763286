package repository

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/policy"
	"github.com/kopia/kopia/snapshot/upload"
)

// SnapshotRequest says what to take.
type SnapshotRequest struct {
	Source      Source
	Description string
	// Tags are kept with the snapshot. Keys beginning with "sitewright-" are reserved.
	Tags map[string]string
	// Pending stores it out of sight: List does not show it, nor does the stock program, until Confirm was called.
	Pending bool

	// First, unless empty, is read while the site works as usual. It makes the second pass short, and holds no streams.
	First Tree
	// Final is called after the first pass and returns what the snapshot will hold. Of its files only those are read that
	// changed since the first pass or the previous snapshot. Nil means that First is all.
	Final func(ctx context.Context) (Tree, error)
	// AfterRead, unless nil, is called as soon as everything was read, before the last of it is stored: the site may
	// change again.
	AfterRead func()

	// Progress, unless nil, is called now and then, never concurrently.
	Progress func(Progress)
	// Parallel is the number of files and streams read at the same time; 0 means 4: while one waits for the store others go on.
	Parallel int
}

// Snapshot stores what the request describes. On error the repository is as before, except for blobs that the next
// snapshot may reuse and maintenance would remove. A file or directory that cannot be read is an error; one that is
// removed meanwhile is not. The result is not verified: call Verify.
func (r *Repository) Snapshot(ctx context.Context, req SnapshotRequest) (Snapshot, error) {
	fail := func(err error) (Snapshot, error) {
		return Snapshot{}, fmt.Errorf("snapshot of %s/%s in %s: %w", req.Source.Namespace, req.Source.Name, r.options.Store, err)
	}
	if err := req.check(); err != nil {
		return fail(err)
	}
	before := r.blobs.sent()
	if err := r.refresh(ctx); err != nil {
		return fail(err)
	}
	ctx, w, err := r.direct.NewWriter(ctx, repo.WriteSessionOptions{Purpose: "snapshot"})
	if err != nil {
		return fail(err)
	}
	s := &session{Repository: r, req: req, w: w}
	m, err := s.run(ctx)
	if err = errors.Join(err, w.Close(ctx)); err != nil {
		return fail(err)
	}
	result := describe(m)
	after := r.blobs.sent()
	result.UploadedBytes, result.NewBlobs = after.bytes-before.bytes, after.blobs-before.blobs
	result.FinalPass = s.finalPass
	return result, nil
}

func (req SnapshotRequest) check() error {
	if req.Source.Namespace == "" || req.Source.Name == "" {
		return errors.New("the source needs a namespace and a name")
	}
	if req.First.empty() && req.Final == nil {
		return errors.New("there is nothing to store")
	}
	if req.Final != nil && len(req.First.Streams) > 0 {
		return errors.New("streams belong to the final pass: they can be read only once")
	}
	for key := range req.Tags {
		if strings.HasPrefix(key, ownTag) {
			return fmt.Errorf("tag %q is reserved", key)
		}
	}
	return nil
}

// session is one run of Snapshot.
type session struct {
	*Repository
	req       SnapshotRequest
	w         repo.RepositoryWriter
	finalPass time.Duration
}

// resumeWorth is how much a first pass must have sent for a resting place to be stored, where another attempt can go on
// after a kill. Storing one costs a few blobs.
const resumeWorth = 64 << 20

func (s *session) run(ctx context.Context) (*snapshot.Manifest, error) {
	previous, err := snapshot.FindPreviousManifests(ctx, s.w, s.req.Source.info(), nil)
	if err != nil {
		return nil, fmt.Errorf("find the previous snapshot: %w", err)
	}
	tree := s.req.First
	if s.req.Final != nil {
		if !tree.empty() {
			m, err := s.firstPass(ctx, tree, previous)
			if err != nil {
				return nil, err
			}
			previous = append([]*snapshot.Manifest{m}, previous...)
		}
		if tree, err = s.req.Final(ctx); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	m, scan, err := s.upload(ctx, tree, previous, false)
	if err != nil {
		return nil, err
	}
	s.finalPass = time.Since(start)
	if s.req.AfterRead != nil {
		s.req.AfterRead()
	}
	s.label(m, tree, scan)
	if s.req.Pending {
		m.IncompleteReason = reasonPending
	}
	if _, err := snapshot.SaveSnapshot(ctx, s.w, m); err != nil {
		return nil, fmt.Errorf("store the manifest: %w", err)
	}
	if err := s.dropResting(ctx, m); err != nil {
		return nil, err
	}
	if err := s.w.Flush(ctx); err != nil {
		return nil, fmt.Errorf("store the rest: %w", err)
	}
	return m, nil
}

func (s *session) firstPass(ctx context.Context, tree Tree, previous []*snapshot.Manifest) (*snapshot.Manifest, error) {
	before := s.blobs.sent().bytes
	m, _, err := s.upload(ctx, tree, previous, true)
	if err != nil || s.blobs.sent().bytes-before < resumeWorth {
		return m, err
	}
	resting := m.Clone()
	resting.IncompleteReason = upload.IncompleteReasonCheckpoint
	if _, err := snapshot.SaveSnapshot(ctx, s.w, resting); err != nil {
		return nil, fmt.Errorf("store the first pass: %w", err)
	}
	if err := s.w.Flush(ctx); err != nil {
		return nil, fmt.Errorf("store the first pass: %w", err)
	}
	return m, nil
}

// upload reads a tree once.
func (s *session) upload(ctx context.Context, tree Tree, previous []*snapshot.Manifest, first bool) (*snapshot.Manifest, *scan, error) {
	scan := &scan{first: first, started: s.now()}
	defer scan.close()
	root, err := scan.build(tree)
	if err != nil {
		return nil, nil, err
	}
	u := upload.NewUploader(s.w)
	p := &uploadProgress{cancel: u.Cancel, estimate: s.req.Progress != nil && (first || s.req.First.empty() || s.req.Final == nil)}
	p.report = s.req.Progress
	u.Progress = p
	u.ParallelUploads = s.req.Parallel
	if u.ParallelUploads <= 0 {
		u.ParallelUploads = 4
	}
	u.DisableIgnoreRules = true // Files of a site must not decide what is backed up.
	u.EnableActions = false     // Nor run commands.
	defer context.AfterFunc(ctx, u.Cancel)()
	m, err := u.Upload(ctx, root, uploadPolicy(), s.req.Source.info(), previous...)
	if err == nil {
		err = ctx.Err()
	}
	if err = errors.Join(p.failure(), err); err != nil {
		return nil, nil, err
	}
	if m.IncompleteReason != "" {
		return nil, nil, fmt.Errorf("stopped: %s", m.IncompleteReason)
	}
	p.done()
	return m, scan, nil
}

func uploadPolicy() *policy.Tree {
	ignore := policy.OptionalBool(true) // uploadProgress.Error decides.
	return policy.BuildTree(nil, &policy.Policy{
		CompressionPolicy:         compressionPolicy(),
		MetadataCompressionPolicy: metadataCompression,
		ErrorHandlingPolicy: policy.ErrorHandlingPolicy{
			IgnoreFileErrors: &ignore, IgnoreDirectoryErrors: &ignore, IgnoreUnknownTypes: &ignore,
		},
	})
}

func (s *session) label(m *snapshot.Manifest, tree Tree, scan *scan) {
	m.Description = s.req.Description
	m.Tags = map[string]string{
		tagPrefix + tagUID:      s.req.Source.UID,
		tagPrefix + tagDatabase: strconv.FormatInt(scan.streamed.Load(), 10),
		tagPrefix + tagStreams:  strconv.Itoa(len(tree.Streams) + len(tree.Blobs)),
		tagPrefix + tagSkipped:  strconv.Itoa(len(scan.skipped)),
	}
	for k, v := range s.req.Tags {
		m.Tags[tagPrefix+k] = v
	}
	// The uploader applies a retention policy at its checkpoints, and a stock client may too. A pin keeps what only the
	// owner of the Backup may delete.
	m.Pins = []string{owner}
}

// dropResting removes resting places of this source that m made useless.
func (s *session) dropResting(ctx context.Context, m *snapshot.Manifest) error {
	all, err := snapshot.ListSnapshots(ctx, s.w, m.Source)
	if err != nil {
		return fmt.Errorf("find resting places: %w", err)
	}
	for _, old := range all {
		if old.IncompleteReason == "" || old.ID == m.ID || old.StartTime.After(m.EndTime) {
			continue
		}
		if old.IncompleteReason == reasonPending && old.Tags[tagPrefix+tagUID] != s.req.Source.UID {
			continue // Of a site of the same name in another cluster, which may be about to confirm it.
		}
		if err := s.w.DeleteManifest(ctx, old.ID); err != nil && !errors.Is(err, manifest.ErrNotFound) {
			return fmt.Errorf("remove resting place %s: %w", old.ID, err)
		}
	}
	return nil
}
