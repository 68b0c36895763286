// Package storage defines where backups are kept: a flat namespace of immutable-looking objects that every supported
// protocol can offer. One package per protocol implements Store; internal/repository adapts a Store to a Kopia
// repository, so that every protocol serves every feature.
//
// All implementations pass the suite in storagetest.
package storage

import (
	"context"
	"io"
	"iter"
	"time"
)

// Info describes one stored object.
type Info struct {
	// Name is the object's name relative to the store, with '/' between its parts and without a leading '/'.
	Name string
	// Size is the object's length in bytes.
	Size int64
	// ModTime is when the object was last put, by the clock of the server that keeps it.
	ModTime time.Time
}

// Store keeps objects by name. It is safe for concurrent use, also by several processes at once.
//
// Names are valid by CheckName. Errors match the sentinels of this package with errors.Is where one applies, name the
// store they come from and never contain a secret. Operations retry what is worth retrying and give up on a store that
// cannot be reached within RetryBudget; they honour the context at all times.
type Store interface {
	// Put stores size bytes of r under name, replacing what was there. size -1 means "until EOF", which costs some
	// protocols memory or a spool file. Put is atomic: after an error, or a kill at any time, readers see the old
	// object or none, never a part. A reader that ends before size bytes is an error. When r is an io.Seeker a put
	// that failed for a passing reason is tried again from r's position at the call.
	Put(ctx context.Context, name string, r io.Reader, size int64) error

	// Get reads length bytes of an object from offset; length -1 means "to the end". The range must lie inside the
	// object, else the error is ErrInvalidRange (the whole of an empty object is offset 0, length -1 or 0). The caller
	// closes the reader; a read that ends early returns an error other than io.EOF.
	Get(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error)

	// Stat describes an object, or returns ErrNotFound.
	Stat(ctx context.Context, name string) (Info, error)

	// List yields every object whose name begins with prefix, in no promised order. prefix is plain text and need not
	// end at a '/'. The sequence ends after the first error.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]

	// Delete removes an object. Removing an absent object is success.
	Delete(ctx context.Context, name string) error

	// Close releases connections. The store must not be used afterwards.
	Close() error

	// String names the store for people, without secrets: "s3 http://s3.example:7070, bucket backups, prefix acme/".
	String() string
}

// FileTree is implemented by stores whose objects are files in directories (volume, ftp, sftp, webdav) as opposed to
// keys in a bucket. The repository lays out its blobs on such a store the way the stock kopia program does for them.
type FileTree interface {
	Store
	// FileTree does nothing; it marks the type.
	FileTree()
}
