package repository

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/compression"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/snapshot/policy"
)

// Kopia opens a repository only through a configuration file, which names a storage type that is looked up in a
// registry of its own. registerStorage enters one type there, once per process and before the first use, because the
// registry is a plain map. The entry holds no state: it takes the storage from the context of the very call that opens.
var registerStorage = sync.OnceFunc(func() {
	blob.AddSupportedStorage(storageType, connection{}, func(ctx context.Context, _ *connection, _ bool) (blob.Storage, error) {
		if b, ok := ctx.Value(blobsKey{}).(*blobs); ok {
			return b, nil
		}
		return nil, errors.New("this repository is opened by its store, not by its configuration file")
	})
})

const storageType = "sitewright"

type (
	connection struct{}
	blobsKey   struct{}
)

// compressor is the fastest zstd: on text it halves s2's output for little more time.
const compressor = compression.Name("zstd-fastest")

var metadataCompression = policy.MetadataCompressionPolicy{CompressorName: compressor}

// compressionPolicy leaves alone what is compressed already. Kopia searches the list as sorted.
func compressionPolicy() policy.CompressionPolicy {
	never := []string{".7z", ".avi", ".avif", ".br", ".bz2", ".docx", ".gif", ".gz", ".heic", ".jpeg", ".jpg", ".JPG", ".m4a",
		".m4v", ".mkv", ".mov", ".mp3", ".mp4", ".ogg", ".ogv", ".png", ".PNG", ".rar", ".tgz", ".webm", ".webp", ".woff",
		".woff2", ".xlsx", ".xz", ".zip", ".zst"}
	slices.Sort(never)
	return policy.CompressionPolicy{CompressorName: compressor, NeverCompress: never}
}

// connect writes the configuration file and opens it.
func connect(ctx context.Context, o Options, b *blobs, now func() time.Time, cache bool) (repo.DirectRepository, error) {
	registerStorage()
	info := b.ConnectionInfo()
	config := repo.LocalConfig{
		Storage: &info,
		Caching: &content.CachingOptions{},
		ClientOptions: repo.ClientOptions{
			Hostname: owner, Username: owner, Description: b.DisplayName(), FormatBlobCacheDuration: 15 * time.Minute,
		},
	}
	state, err := filepath.Abs(o.StateDir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	// A directory per store: caches are only right for the repository that filled them.
	digest := sha256.Sum256([]byte(o.Store.String()))
	dir := filepath.Join(state, "repository-"+hex.EncodeToString(digest[:8]))
	if cache {
		if config.Caching, err = cachingOptions(filepath.Join(dir, "cache"), o.CacheBytes); err != nil {
			return nil, fmt.Errorf("state directory: %w", err)
		}
	}
	file := filepath.Join(dir, map[bool]string{true: "cached.config", false: "uncached.config"}[cache])
	if err := writeConfig(file, config); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	opened, err := repo.Open(context.WithValue(ctx, blobsKey{}, b), file, o.Password, &repo.Options{
		TimeNowFunc:          now,
		DisableRepositoryLog: true,
		DoNotWaitForUpgrade:  true,
		OnFatalError:         func(error) {}, // The operation that met it fails with the same error; never exit the process.
	})
	if err != nil {
		return nil, err
	}
	direct, ok := opened.(repo.DirectRepository)
	if !ok {
		return nil, errors.Join(fmt.Errorf("unexpected kind of repository %T", opened), opened.Close(ctx))
	}
	return direct, nil
}

// cachingOptions prepares a cache directory. The cached format of the repository is dropped, so that a location that
// was emptied and made anew, or got another password, is seen as it is.
func cachingOptions(dir string, limit int64) (*content.CachingOptions, error) {
	if limit <= 0 {
		limit = DefaultCacheBytes
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"kopia.repository", "kopia.blobcfg"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return &content.CachingOptions{
		CacheDirectory:              dir,
		ContentCacheSizeBytes:       limit / 2,
		ContentCacheSizeLimitBytes:  limit,
		MetadataCacheSizeBytes:      limit / 2,
		MetadataCacheSizeLimitBytes: limit,
	}, nil
}

// writeConfig replaces the file whole: another task may be reading it.
func writeConfig(file string, config repo.LocalConfig) error {
	data, err := json.Marshal(config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "config-")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
