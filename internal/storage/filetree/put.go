package filetree

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

const (
	// staleAfter is the age at which a temporary file belongs to a put that was killed. A day, since the server's clock may
	// be hours off.
	staleAfter = 24 * time.Hour
	// cleanTimeout bounds the removal of what a failed put left.
	cleanTimeout = 10 * time.Second
)

// Put implements storage.Store: the object is written beside the others, measured, and given its name.
func (s *Store) Put(ctx context.Context, name string, r io.Reader, size int64) error {
	if err := s.check(name); err != nil {
		return err
	}
	s.sweep(ctx)
	return storage.RetryPut(ctx, name, r, size, func(ctx context.Context, r io.Reader) error {
		temp := path.Join(tempDir, rand.Text())
		err := s.once(ctx, func(ctx context.Context, c Session) error {
			counted := &countingReader{r: r}
			if err := s.write(ctx, c, temp, counted, size); err != nil {
				return err
			}
			if err := measure(ctx, c, temp, counted.n); err != nil {
				return err
			}
			return s.publish(ctx, c, temp, name)
		})
		if err == nil {
			return nil
		}
		s.discard(ctx, temp)
		err = s.errorOf("put", name, err)
		if errors.Is(err, storage.ErrNotFound) {
			err = s.notFound(ctx, "put", name, err)
		}
		return err
	})
}

// write makes the temporary directory when it is missing, which shows before r was read: servers refuse a file in a
// directory that is not there when it is opened.
func (s *Store) write(ctx context.Context, c Session, temp string, r *countingReader, size int64) error {
	err := c.Write(ctx, temp, r, size)
	if r.n == 0 && s.ambiguous(err) {
		err = c.Write(ctx, temp, r, size)
	}
	if err == nil || r.n > 0 || !errors.Is(s.kindOf(err), storage.ErrNotFound) {
		return err
	}
	if _, err := c.Stat(ctx, "."); err != nil {
		return err // Only Make makes the location's own directory.
	}
	if err := c.Mkdir(ctx, tempDir); err != nil {
		return err
	}
	return c.Write(ctx, temp, r, size)
}

// measure looks whether all that was sent arrived: some servers end a transfer quietly when their disk is full.
func measure(ctx context.Context, c Session, temp string, sent int64) error {
	e, err := c.Stat(ctx, temp)
	if err != nil {
		return fmt.Errorf("look at what was sent: %w", err)
	}
	if e.Size < sent {
		return fmt.Errorf("%w: the server kept %d of %d bytes", storage.ErrFull, e.Size, sent)
	}
	if e.Size != sent {
		return fmt.Errorf("the server made %d bytes of the %d that were sent", e.Size, sent)
	}
	return nil
}

// ambiguous says whether a refusal is worth another try at once. An FTP server has one answer for a directory that is missing and for one that may not be
// written to; which of them it is shows by looking afterwards, and by then somebody else may have made the directory.
func (s *Store) ambiguous(err error) bool {
	return err != nil && errors.Is(s.kindOf(err), storage.ErrDenied)
}

// publish gives the object its name, in directories that are made when they are missing.
func (s *Store) publish(ctx context.Context, c Session, temp, name string) error {
	err := c.Rename(ctx, temp, name)
	if s.ambiguous(err) {
		err = c.Rename(ctx, temp, name)
	}
	if err == nil || !errors.Is(s.kindOf(err), storage.ErrNotFound) {
		return err
	}
	for _, dir := range parents(name) {
		if err := c.Mkdir(ctx, dir); err != nil {
			return err
		}
	}
	return c.Rename(ctx, temp, name)
}

// discard removes what a failed put left. It is best effort: a leftover costs room, not correctness, and is swept later.
func (s *Store) discard(ctx context.Context, temp string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	_ = s.once(ctx, func(ctx context.Context, c Session) error { return c.Remove(ctx, temp) })
}

// sweep removes, once in a store's life, what killed puts left long ago. It is best effort like discard.
func (s *Store) sweep(ctx context.Context) {
	if s.swept.Swap(true) {
		return
	}
	_ = s.once(ctx, func(ctx context.Context, c Session) error {
		entries, err := c.ReadDir(ctx, tempDir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Mode.IsRegular() && time.Since(e.ModTime) > staleAfter {
				if err := c.Remove(ctx, path.Join(tempDir, e.Name)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
