package agent

import "io"

// stream is what a function writes, to be read. When the reader closes early the function's writes fail, and Close waits
// for it to return: what it uses may be closed then.
func stream(write func(io.Writer) error) io.ReadCloser {
	r, w := io.Pipe()
	s := &streamReader{PipeReader: r, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		w.CloseWithError(write(w))
	}()
	return s
}

type streamReader struct {
	*io.PipeReader
	done chan struct{}
}

func (s *streamReader) Close() error {
	err := s.PipeReader.Close()
	<-s.done
	return err
}
