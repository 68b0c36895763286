package repository

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/sharded"

	"github.com/sitewright/sitewright/internal/storage"
)

// blobs is the one adapter from a storage.Store to Kopia's blob.Storage. It remembers what it wrote, so that Verify can
// read it back.
type blobs struct {
	blob.DefaultProviderImplementation
	store storage.Store
	// shards is how the stock program spreads blobs over directories; nil on stores that are no file tree, where a blob
	// is stored under its id.
	shards *sharded.Parameters

	mu      sync.Mutex
	written map[blob.ID]digest // not yet read back
	total   traffic
}

type digest struct {
	sum  [sha256.Size]byte
	size int64
}

// traffic counts what was sent to the store.
type traffic struct {
	bytes int64
	blobs int
}

const shardsFile = sharded.ParametersFile

// newBlobs learns the layout of a store.
func newBlobs(ctx context.Context, s storage.Store) (*blobs, error) {
	b := &blobs{store: s, written: map[blob.ID]digest{}}
	if _, tree := s.(storage.FileTree); !tree {
		return b, nil
	}
	var data bytes.Buffer
	err := b.read(ctx, shardsFile, 0, -1, &data)
	if errors.Is(err, storage.ErrNotFound) {
		// What the stock program assumes for a file system without the file.
		b.shards = sharded.DefaultParameters([]int{3, 3})
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	b.shards = &sharded.Parameters{}
	if err := b.shards.Load(&data); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, shardsFile, err)
	}
	return b, nil
}

// initialize prepares a store for a new repository: it removes what a killed initialization left, which is the one blob
// Kopia writes before the repository's own, and on a file tree chooses to keep all blobs in one directory.
func (b *blobs) initialize(ctx context.Context) error {
	var found []blob.ID
	err := b.ListBlobs(ctx, "", func(m blob.Metadata) error {
		found = append(found, m.BlobID)
		return nil
	})
	if err != nil {
		return err
	}
	if len(found) == 1 && found[0] == "kopia.blobcfg" {
		if err := b.DeleteBlob(ctx, found[0]); err != nil {
			return err
		}
		found = nil
	}
	if b.shards == nil || len(found) > 0 {
		return nil
	}
	b.shards = sharded.DefaultParameters([]int{})
	var data bytes.Buffer
	if err := b.shards.Save(&data); err != nil {
		return err
	}
	return b.store.Put(ctx, shardsFile, bytes.NewReader(data.Bytes()), int64(data.Len()))
}

func (b *blobs) name(id blob.ID) string {
	if b.shards == nil {
		return string(id)
	}
	dir, rest := b.shards.GetShardDirectoryAndBlob("", id)
	if dir != "" {
		dir += "/"
	}
	return dir + string(rest) + sharded.CompleteBlobSuffix
}

func (b *blobs) id(name string) (blob.ID, bool) {
	if b.shards == nil {
		return blob.ID(name), !strings.Contains(name, "/")
	}
	name, ok := strings.CutSuffix(name, sharded.CompleteBlobSuffix)
	return blob.ID(strings.ReplaceAll(name, "/", "")), ok
}

// read copies a range to output, from the start again when the connection broke.
func (b *blobs) read(ctx context.Context, name string, offset, length int64, output interface {
	io.Writer
	Reset()
}) error {
	return storage.Retry(ctx, func(ctx context.Context) error {
		output.Reset()
		r, err := b.store.Get(ctx, name, offset, length)
		if err != nil {
			return err
		}
		_, err = io.Copy(output, r)
		return errors.Join(err, r.Close())
	})
}

// GetBlob implements blob.Reader.
func (b *blobs) GetBlob(ctx context.Context, id blob.ID, offset, length int64, output blob.OutputBuffer) error {
	if length < 0 {
		offset, length = 0, -1
	}
	return translate(b.read(ctx, b.name(id), offset, length, output))
}

// GetMetadata implements blob.Reader.
func (b *blobs) GetMetadata(ctx context.Context, id blob.ID) (blob.Metadata, error) {
	info, err := b.store.Stat(ctx, b.name(id))
	return blob.Metadata{BlobID: id, Length: info.Size, Timestamp: info.ModTime}, translate(err)
}

// ListBlobs implements blob.Lister.
func (b *blobs) ListBlobs(ctx context.Context, prefix blob.ID, found func(blob.Metadata) error) error {
	namePrefix := string(prefix)
	if b.shards != nil && (len(b.shards.DefaultShards) > 0 || len(b.shards.Overrides) > 0) {
		namePrefix = "" // The slashes of shards may fall anywhere into it.
	}
	for info, err := range b.store.List(ctx, namePrefix) {
		if err != nil {
			return translate(err)
		}
		id, ok := b.id(info.Name)
		if !ok || !strings.HasPrefix(string(id), string(prefix)) {
			continue
		}
		if err := found(blob.Metadata{BlobID: id, Length: info.Size, Timestamp: info.ModTime}); err != nil {
			return err
		}
	}
	return nil
}

// PutBlob implements blob.Storage.
func (b *blobs) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, opts blob.PutOptions) error {
	switch {
	case opts.HasRetentionOptions(), opts.DoNotRecreate:
		return blob.ErrUnsupportedPutBlobOption
	case !opts.SetModTime.IsZero():
		return blob.ErrSetTimeUnsupported
	}
	d := digest{size: int64(data.Length())}
	h := sha256.New()
	if _, err := data.WriteTo(h); err != nil {
		return fmt.Errorf("digest blob %s: %w", id, err)
	}
	h.Sum(d.sum[:0])
	r := data.Reader()
	err := b.store.Put(ctx, b.name(id), r, d.size)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	b.mu.Lock()
	b.written[id] = d
	b.total.bytes += d.size
	b.total.blobs++
	b.mu.Unlock()
	if opts.GetModTime == nil {
		return nil
	}
	info, err := b.store.Stat(ctx, b.name(id))
	*opts.GetModTime = info.ModTime
	return err
}

// DeleteBlob implements blob.Storage.
func (b *blobs) DeleteBlob(ctx context.Context, id blob.ID) error {
	b.mu.Lock()
	delete(b.written, id)
	b.mu.Unlock()
	return b.store.Delete(ctx, b.name(id))
}

// ConnectionInfo implements blob.Reader. It holds nothing: the store is not opened from it.
func (b *blobs) ConnectionInfo() blob.ConnectionInfo {
	return blob.ConnectionInfo{Type: storageType, Config: &connection{}}
}

// DisplayName implements blob.Reader.
func (b *blobs) DisplayName() string { return b.store.String() }

// sent returns what was sent so far.
func (b *blobs) sent() traffic {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total
}

// translate adds Kopia's sentinels, which steer it, to those of the store.
func translate(err error) error {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return fmt.Errorf("%w: %w", blob.ErrBlobNotFound, err)
	case errors.Is(err, storage.ErrInvalidRange):
		return fmt.Errorf("%w: %w", blob.ErrInvalidRange, err)
	}
	return err
}
