package stream_test

import (
	"errors"
	"io"
	"testing"

	"github.com/sitewright/sitewright/internal/stream"
)

func TestOf(t *testing.T) {
	broken := errors.New("broken")
	r := stream.Of(func(w io.Writer) error {
		_, err := io.WriteString(w, "begun")
		return errors.Join(err, broken)
	})
	got, err := io.ReadAll(r)
	if string(got) != "begun" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseWaitsForTheWriter(t *testing.T) {
	var failed error // Only the writer touches it until Close returns.
	r := stream.Of(func(w io.Writer) error {
		for failed == nil {
			_, failed = io.WriteString(w, "on and on")
		}
		return failed
	})
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if !errors.Is(failed, io.ErrClosedPipe) {
		t.Errorf("the writer ended with %v", failed)
	}
}
