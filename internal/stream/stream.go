// Package stream turns what is written into what is read.
package stream

import "io"

// Of is what a function writes, to be read. When the reader closes early the function's writes fail, and Close waits
// for it to return: what it uses may be closed then.
func Of(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	s := &reader{PipeReader: r, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		w.CloseWithError(write(w))
	}()
	return s
}

type reader struct {
	*io.PipeReader
	done chan struct{}
}

// Close ends the writing and waits until it has ended.
func (s *reader) Close() error {
	err := s.PipeReader.Close()
	<-s.done
	return err
}
