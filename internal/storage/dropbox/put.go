package dropbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/contenthash"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"github.com/sitewright/sitewright/internal/storage"
)

// chunkSize is the memory that a put takes: whatever is sent can be sent again, even of a source that cannot be read
// twice. Dropbox wants multiples of 4 MiB and at most 150 MiB.
const chunkSize = 16 << 20

// Put implements storage.Store: an object of one chunk in one request, a larger one in an upload session, of which nothing
// is seen before its end. Dropbox is told the hash of the whole, and refuses what arrived otherwise. The sessions of
// killed puts end by themselves after a week.
func (s *Store) Put(ctx context.Context, name string, r io.Reader, size int64) error {
	if err := s.check(name); err != nil {
		return err
	}
	// The source is shown as one that is read once: what is retried is each chunk.
	return storage.RetryPut(ctx, name, struct{ io.Reader }{r}, size, func(ctx context.Context, r io.Reader) error {
		p := &upload{store: s, name: name, hash: contenthash.New(), source: r}
		return p.run(ctx)
	})
}

// upload is one put.
type upload struct {
	store   *Store
	name    string
	source  io.Reader
	hash    *contenthash.Hasher
	session string
	offset  uint64
}

func (u *upload) run(ctx context.Context) error {
	var chunk bytes.Buffer
	for {
		chunk.Reset()
		n, err := io.CopyN(&chunk, u.source, chunkSize)
		if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if _, err := u.hash.Write(chunk.Bytes()); err != nil {
			return fmt.Errorf("hash what is put: %w", err)
		}
		last := n < chunkSize
		switch {
		case last && u.session == "":
			return u.whole(ctx, chunk.Bytes())
		case u.session == "":
			err = u.start(ctx, chunk.Bytes())
		default:
			err = u.append(ctx, chunk.Bytes())
		}
		if err != nil {
			return err
		}
		if u.offset += uint64(n); last {
			return u.finish(ctx)
		}
	}
}

func (u *upload) commit() files.CommitInfo {
	c := files.NewCommitInfo(u.store.path(u.name))
	c.Mode = &files.WriteMode{Tagged: sdk.Tagged{Tag: files.WriteModeOverwrite}}
	c.Mute = true // The owner's devices need not announce every blob.
	return *c
}

func (u *upload) do(ctx context.Context, call func(context.Context) error) error {
	return u.store.do(ctx, "put", u.name, call)
}

func (u *upload) whole(ctx context.Context, data []byte) error {
	arg := &files.UploadArg{CommitInfo: u.commit(), ContentHash: u.hash.HexDigest()}
	return u.do(ctx, func(ctx context.Context) error {
		done, err := u.store.client.UploadContext(ctx, arg, bytes.NewReader(data))
		return u.verify(done, err)
	})
}

func (u *upload) start(ctx context.Context, data []byte) error {
	return u.do(ctx, func(ctx context.Context) error {
		started, err := u.store.client.UploadSessionStartContext(ctx, files.NewUploadSessionStartArg(), bytes.NewReader(data))
		if err == nil {
			u.session = started.SessionId
		}
		return err
	})
}

func (u *upload) append(ctx context.Context, data []byte) error {
	arg := files.NewUploadSessionAppendArg(files.NewUploadSessionCursor(u.session, u.offset))
	return u.do(ctx, func(ctx context.Context) error {
		err := u.store.client.UploadSessionAppendV2Context(ctx, arg, bytes.NewReader(data))
		// The chunk may have arrived when its acknowledgement did not.
		if e, ok := errors.AsType[*apiError](err); ok && slices.Contains(e.tags, files.UploadSessionLookupErrorIncorrectOffset) &&
			e.offset == u.offset+uint64(len(data)) {
			return nil
		}
		return err
	})
}

func (u *upload) finish(ctx context.Context) error {
	commit := u.commit()
	arg := files.NewUploadSessionFinishArg(files.NewUploadSessionCursor(u.session, u.offset), &commit)
	arg.ContentHash = u.hash.HexDigest()
	return u.do(ctx, func(ctx context.Context) error {
		done, err := u.store.client.UploadSessionFinishContext(ctx, arg, nil)
		// So may the end of the session.
		if e, ok := errors.AsType[*apiError](err); ok && slices.Contains(e.tags, files.UploadSessionFinishErrorLookupFailed) {
			if there, statErr := u.store.stat(ctx, "put", u.name); statErr == nil && u.verify(there, nil) == nil {
				return nil
			}
		}
		return u.verify(done, err)
	})
}

// verify compares what Dropbox says it keeps with what was read.
func (u *upload) verify(done *files.FileMetadata, err error) error {
	if err == nil && done.ContentHash != u.hash.HexDigest() {
		return fmt.Errorf("dropbox keeps other bytes than were sent: content hash %s, want %s", done.ContentHash, u.hash.HexDigest())
	}
	return err
}
