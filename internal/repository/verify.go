package repository

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"maps"

	"github.com/kopia/kopia/repo/blob"
	"golang.org/x/sync/errgroup"

	"github.com/sitewright/sitewright/internal/storage"
)

// VerifyOptions say how much to check.
type VerifyOptions struct {
	// Full reads and decrypts everything that the snapshot holds, past every cache. Without it, blobs of earlier sessions
	// are seen to exist with the size they must have, but are not read.
	Full bool
	// Parallel is the number of simultaneous reads; 0 means 2.
	Parallel int
	// Progress, unless nil, is called now and then, never concurrently; Files counts blobs, then objects.
	Progress func(Progress)
}

// defaultParallel is how many blobs or files are read at the same time where nothing else is asked for.
const defaultParallel = 2

// VerifyResult is what was checked.
type VerifyResult struct {
	// ReadBlobs and ReadBytes were read back from the store and compared with what was written.
	ReadBlobs int
	ReadBytes int64
	// SeenBlobs are all that the snapshot's contents lie in, each seen in a listing of the store.
	SeenBlobs int
	// Objects is the number of files, links and directories that were followed.
	Objects int
}

// Verify checks a snapshot against the store. Every blob that this Repository wrote since it was opened, or since the
// last Verify, is read back in full and compared with the digest of what was written. Then everything the snapshot
// refers to is followed, and the blobs it lies in are looked up in a fresh listing. What is wrong is ErrCorrupt; a store
// that fails to answer is its own error.
func (r *Repository) Verify(ctx context.Context, id string, o VerifyOptions) (VerifyResult, error) {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	var result VerifyResult
	fail := func(err error) (VerifyResult, error) {
		return result, fmt.Errorf("verify snapshot %s in %s: %w", id, r.options.Store, err)
	}
	if err := r.readBack(ctx, o, &result); err != nil {
		return fail(err)
	}
	m, err := r.loadFresh(ctx, id)
	if err != nil {
		return result, err
	}
	w := &walk{rep: r.direct, seen: map[blob.ID]bool{}, full: o.Full}
	if w.listed, err = r.listing(ctx); err != nil {
		return fail(err)
	}
	if o.Full {
		// A client of its own, without caches: what it reads comes from the store.
		fresh, err := open(ctx, r.options, &blobs{store: r.blobs.store, shards: r.blobs.shards, written: map[blob.ID]digest{}}, false)
		if err != nil {
			return fail(err)
		}
		defer fresh.Close(ctx)
		w.rep = fresh.direct
		if m, err = fresh.load(ctx, id); err != nil {
			return fail(err)
		}
	}
	w.report = &reporter{report: o.Progress}
	if summary := summaryOf(m); summary != nil {
		w.report.expect(summary.TotalFileCount+summary.TotalSymlinkCount+summary.TotalDirCount, summary.TotalFileSize)
	}
	err = w.run(ctx, m, o.Parallel)
	result.SeenBlobs, result.Objects = len(w.seen), w.objects
	w.report.done()
	if err != nil {
		return fail(err)
	}
	return result, nil
}

// listing returns the size of every blob in the store.
func (r *Repository) listing(ctx context.Context) (map[blob.ID]int64, error) {
	sizes := map[blob.ID]int64{}
	err := r.blobs.ListBlobs(ctx, "", func(m blob.Metadata) error {
		sizes[m.BlobID] = m.Length
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", r.options.Store, err)
	}
	return sizes, nil
}

// readBack checks what was written and forgets what was right.
func (r *Repository) readBack(ctx context.Context, o VerifyOptions, result *VerifyResult) error {
	r.blobs.mu.Lock()
	written := maps.Clone(r.blobs.written)
	r.blobs.mu.Unlock()
	report := &reporter{report: o.Progress}
	var total int64
	for _, d := range written {
		total += d.size
	}
	report.expect(int64(len(written)), total)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.Parallel)
	for id, want := range written {
		g.Go(func() error {
			if err := r.blobs.check(ctx, id, want); err != nil {
				return err
			}
			report.add(1, want.size)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	result.ReadBlobs, result.ReadBytes = len(written), total
	report.done()
	return nil
}

// check reads one blob and compares. A blob that this process replaced or deleted meanwhile is left to the next Verify.
func (b *blobs) check(ctx context.Context, id blob.ID, want digest) error {
	var sum hashOutput
	err := b.read(ctx, b.name(id), 0, -1, &sum)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("read back blob %s: %w", id, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written[id] != want {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: blob %s was written and is not there: %w", ErrCorrupt, id, err)
	}
	if got := sum.digest(); got != want {
		return fmt.Errorf("%w: blob %s is not what was written (%d bytes, %d written)", ErrCorrupt, id, got.size, want.size)
	}
	delete(b.written, id)
	return nil
}

// hashOutput digests what is written to it.
type hashOutput struct {
	hash hash.Hash
	size int64
}

// Reset begins anew.
func (h *hashOutput) Reset() { h.hash, h.size = sha256.New(), 0 }

// Write never fails.
func (h *hashOutput) Write(p []byte) (int, error) {
	h.size += int64(len(p))
	return h.hash.Write(p)
}

func (h *hashOutput) digest() digest {
	d := digest{size: h.size}
	h.hash.Sum(d.sum[:0])
	return d
}
