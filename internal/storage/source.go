package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// RetryPut is Retry for a put of r under name; r must hold exactly size bytes unless size is -1. put gets a reader that hides
// everything but Read. Where r is an io.Seeker each try begins at r's position at the call; any other reader is put
// once. A failure of r itself is no fault of the store: it is returned as it is, and never tried again.
func RetryPut(ctx context.Context, name string, r io.Reader, size int64, put func(context.Context, io.Reader) error) error {
	start, seeker := rewindable(r)
	try := func(ctx context.Context) error {
		source := &sourceReader{r: ExactReader(r, size)}
		err := put(ctx, source)
		if sourceErr := source.end(); sourceErr != nil {
			return fmt.Errorf("put %q: read its source: %w", name, sourceErr)
		}
		return err
	}
	if seeker == nil {
		return try(ctx)
	}
	return Retry(ctx, func(ctx context.Context) error {
		if _, err := seeker.Seek(start, io.SeekStart); err != nil {
			return fmt.Errorf("put %q: rewind its source: %w", name, err)
		}
		return try(ctx)
	})
}

func rewindable(r io.Reader) (int64, io.Seeker) {
	seeker, ok := r.(io.Seeker)
	if !ok {
		return 0, nil
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, nil // A pipe dressed as a file: put once.
	}
	return start, seeker
}

// sourceReader hides Seek and Close from protocol libraries and remembers a failure of the source. Once the put has ended it
// lets nobody read the source any more: net/http may go on reading a request's body for a moment after its response has
// come, when the source belongs to the next try, or its memory to something else.
type sourceReader struct {
	mu    sync.Mutex
	r     io.Reader
	err   error
	ended bool
}

func (s *sourceReader) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, io.EOF
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// end waits for a read that is under way, ends the reading, and returns the source's failure.
func (s *sourceReader) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.err
}
