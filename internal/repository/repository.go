// Package repository keeps snapshots of sites in a Kopia repository over any storage.Store: deduplicated, compressed and
// encrypted on the client. The stock kopia program opens what this package writes.
//
// Several processes may use one repository at the same time. A process that is killed at any moment leaves at most blobs
// that nothing refers to, which maintenance removes.
package repository

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/snapshot/policy"

	"github.com/sitewright/sitewright/internal/storage"
)

// Errors of this package, for errors.Is. Errors of the store (storage.ErrDenied, …) pass through.
var (
	// ErrExists is returned by Create when the store already holds a repository, whatever its password.
	ErrExists = errors.New("a repository already exists in this location")
	// ErrNotInitialized is returned by Open when the store holds no repository.
	ErrNotInitialized = errors.New("no repository exists in this location yet")
	// ErrWrongPassword is returned by Open.
	ErrWrongPassword = errors.New("the repository has another password")
	// ErrNotFound means that no snapshot, or no such entry in it, exists.
	ErrNotFound = errors.New("not found in the repository")
	// ErrCorrupt means that the repository's data is missing, altered or malicious, as opposed to unreachable.
	ErrCorrupt = errors.New("the repository is damaged")
)

// DefaultCacheBytes bounds each of the two local caches, contents and metadata.
const DefaultCacheBytes = 256 << 20

// owner is the user and the host of every client. Pods come and go; snapshots and the duty of maintenance stay with one.
const owner = "sitewright"

// Options say which repository, and where this process may keep its own files.
type Options struct {
	// Store holds the repository. It stays open when the Repository is closed.
	Store storage.Store
	// Password encrypts the repository's keys. It cannot be recovered.
	Password string
	// StateDir is a private directory for configuration and caches; nothing is written elsewhere. It holds no secrets and
	// may be lost at any time.
	StateDir string
	// CacheBytes bounds each of two caches; 0 means DefaultCacheBytes.
	CacheBytes int64
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Repository is an open repository, safe for concurrent use.
type Repository struct {
	options Options
	blobs   *blobs
	direct  repo.DirectRepository
	now     func() time.Time
	// bulk is a second client, opened when first needed; see forBulk.
	bulkMu sync.Mutex
	bulk   repo.DirectRepository
	// skew is added to the clock, in nanoseconds; see Maintain.
	skew *atomic.Int64
}

// Create makes an empty repository, or returns ErrExists. What a Create that was killed left behind does not hinder the
// next. Two concurrent Creates may both succeed only when they use the same password; then one repository remains.
func Create(ctx context.Context, o Options) error {
	b, err := newBlobs(ctx, o.Store)
	if err != nil {
		return fmt.Errorf("create repository in %s: %w", o.Store, err)
	}
	if err := b.initialize(ctx); err != nil {
		return fmt.Errorf("create repository in %s: %w", o.Store, err)
	}
	// Kopia's defaults (format 3, AES256-GCM-HMAC-SHA256, packs of 20 MiB) but for the hash: BLAKE3 takes a quarter of the time of Kopia's
	// default, BLAKE2B, which was a tenth of a first backup's.
	err = repo.Initialize(ctx, b, &repo.NewRepositoryOptions{BlockFormat: format.ContentFormat{Hash: "BLAKE3-256-128"}}, o.Password)
	if errors.Is(err, repo.ErrAlreadyInitialized) {
		return fmt.Errorf("%s: %w", o.Store, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("create repository in %s: %w", o.Store, err)
	}
	r, err := Open(ctx, o)
	if errors.Is(err, ErrWrongPassword) {
		return fmt.Errorf("%s: %w: another client was faster", o.Store, ErrExists)
	}
	if err != nil {
		return err
	}
	return errors.Join(r.setDefaults(ctx), r.Close(ctx))
}

// setDefaults stores what clients other than this package need to know: how to compress, to keep every snapshot until
// it is deleted, and who runs maintenance. This package does not depend on it.
func (r *Repository) setDefaults(ctx context.Context) error {
	err := repo.WriteSession(ctx, r.direct, repo.WriteSessionOptions{Purpose: "create"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		p := *policy.DefaultPolicy
		p.CompressionPolicy, p.MetadataCompressionPolicy = compressionPolicy(), metadataCompression
		keep := policy.OptionalInt(1 << 30)
		p.RetentionPolicy = policy.RetentionPolicy{KeepLatest: &keep}
		if err := policy.SetPolicy(ctx, w, policy.GlobalPolicySourceInfo, &p); err != nil {
			return fmt.Errorf("store the global policy: %w", err)
		}
		params := maintenance.DefaultParams()
		params.Owner = w.ClientOptions().UsernameAtHost()
		if err := maintenance.SetParams(ctx, w, &params); err != nil {
			return fmt.Errorf("store the maintenance parameters: %w", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("create repository in %s: %w", r.options.Store, err)
	}
	return nil
}

// Open connects to an existing repository. Errors: ErrNotInitialized, ErrWrongPassword and those of the store.
func Open(ctx context.Context, o Options) (*Repository, error) {
	b, err := newBlobs(ctx, o.Store)
	if err != nil {
		return nil, fmt.Errorf("open repository in %s: %w", o.Store, err)
	}
	return open(ctx, o, b, true)
}

func open(ctx context.Context, o Options, b *blobs, cache bool) (*Repository, error) {
	r := &Repository{options: o, blobs: b, skew: new(atomic.Int64)}
	clock := o.Now
	if clock == nil {
		clock = time.Now
	}
	r.now = func() time.Time { return clock().Add(time.Duration(r.skew.Load())) }
	var err error
	r.direct, err = connect(ctx, o, b, r.now, cache)
	switch {
	case err == nil:
		return r, nil
	case errors.Is(err, repo.ErrInvalidPassword):
		return nil, fmt.Errorf("%s: %w: give the location the password that it was created with", o.Store, ErrWrongPassword)
	case errors.Is(err, blob.ErrBlobNotFound):
		return nil, fmt.Errorf("%s: %w", o.Store, ErrNotInitialized)
	default:
		return nil, fmt.Errorf("open repository in %s: %w", o.Store, err)
	}
}

// Close releases caches and connections of the repository, not the store.
func (r *Repository) Close(ctx context.Context) error {
	err := r.direct.Close(ctx)
	r.bulkMu.Lock()
	defer r.bulkMu.Unlock()
	if r.bulk != nil {
		err = errors.Join(err, r.bulk.Close(ctx))
		r.bulk = nil
	}
	if err != nil {
		return fmt.Errorf("close repository in %s: %w", r.options.Store, err)
	}
	return nil
}

// bulkAbove is the number of bytes from which reading past the cache is worth opening a second client.
const bulkAbove = 32 << 20

// forBulk returns the client to read size bytes of file contents with. Much data is read once and past the cache, which
// would only write it to disk a second time. Directories are always read through the cache, which fetches many at once.
func (r *Repository) forBulk(ctx context.Context, size int64) (repo.DirectRepository, error) {
	if size < bulkAbove {
		return r.direct, nil
	}
	r.bulkMu.Lock()
	defer r.bulkMu.Unlock()
	var err error
	if r.bulk == nil {
		r.bulk, err = connect(ctx, r.options, r.blobs, r.now, false)
	} else {
		err = r.bulk.Refresh(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open repository in %s to read much of it: %w", r.options.Store, err)
	}
	return r.bulk, nil
}

// refresh makes snapshots of other processes visible.
func (r *Repository) refresh(ctx context.Context) error {
	if err := r.direct.Refresh(ctx); err != nil {
		return fmt.Errorf("read the index of %s: %w", r.options.Store, err)
	}
	return nil
}

// damage turns an error of reading into ErrCorrupt unless the store or the caller is the cause.
func damage(err error) error {
	if err == nil || errors.Is(err, ErrCorrupt) {
		return err
	}
	for _, cause := range []error{storage.ErrUnreachable, storage.ErrDenied, storage.ErrUntrusted, storage.ErrNoContainer,
		context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
