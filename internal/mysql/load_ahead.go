package mysql

import "io"

const (
	// aheadPiece and aheadPieces are how much of a part is read before it is asked for.
	aheadPiece  = 64 << 10
	aheadPieces = 64
)

// ahead reads from a source before it is asked to, up to a bound.
type ahead struct {
	source io.ReadCloser
	pieces chan []byte
	err    error // of the source; set before pieces is closed
	piece  []byte
}

func readAhead(source io.ReadCloser) *ahead {
	a := &ahead{source: source, pieces: make(chan []byte, aheadPieces)}
	go func() {
		defer close(a.pieces)
		for a.err == nil {
			piece := make([]byte, aheadPiece)
			n, err := io.ReadFull(source, piece)
			if a.err = err; err == io.ErrUnexpectedEOF {
				a.err = io.EOF
			}
			a.pieces <- piece[:n]
		}
	}()
	return a
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.piece) == 0 {
		var more bool
		if a.piece, more = <-a.pieces; !more {
			return 0, a.err
		}
	}
	n := copy(p, a.piece)
	a.piece = a.piece[n:]
	return n, nil
}

// Close ends the reading and closes the source.
func (a *ahead) Close() error {
	err := a.source.Close()
	for range a.pieces { // lets the reader end
	}
	return err
}
