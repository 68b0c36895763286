package storage

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"p0123": true, "a/b c/ü": true, ".hidden": true, "a..b": true,
		"": false, "/a": false, "a/": false, "a//b": false, "../a": false, "a/../b": false, ".": false,
		"a\x00b": false, "a\nb": false, `a\b`: false, "\xff": false,
		strings.Repeat("a", 241): false, strings.Repeat("a/", 451) + "b": false,
	} {
		err := CheckName(name)
		if ok != (err == nil) {
			t.Errorf("CheckName(%q) = %v, want ok %v", name, err, ok)
		}
		if err != nil && !errors.Is(err, ErrInvalidName) {
			t.Errorf("CheckName(%q) = %v, does not match ErrInvalidName", name, err)
		}
	}
}

func TestCheckRange(t *testing.T) {
	for _, c := range []struct{ offset, length, size, want int64 }{
		{0, -1, 0, 0}, {0, 0, 0, 0}, {0, -1, 5, 5}, {4, -1, 5, 1}, {0, 5, 5, 5}, {5, 0, 5, 0}, {2, 2, 5, 2},
		{5, -1, 5, -1}, {6, -1, 5, -1}, {6, 0, 5, -1}, {0, 6, 5, -1}, {4, 2, 5, -1}, {-1, 1, 5, -1}, {0, -2, 5, -1},
		{1, 1 << 62, 5, -1},
	} {
		got, err := CheckRange(c.offset, c.length, c.size)
		if (err != nil) != (c.want < 0) || err == nil && got != c.want || err != nil && !errors.Is(err, ErrInvalidRange) {
			t.Errorf("CheckRange(%d, %d, %d) = %d, %v; want %d", c.offset, c.length, c.size, got, err, c.want)
		}
	}
}

func TestExactReader(t *testing.T) {
	for size, ok := range map[int64]bool{-1: true, 4: true, 3: false, 5: false, 0: false} {
		_, err := io.Copy(io.Discard, ExactReader(strings.NewReader("four"), size))
		if ok != (err == nil) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

func TestRetry(t *testing.T) {
	passing := &Error{Op: "get", Store: "test", Kind: ErrUnreachable}
	calls := 0
	err := Retry(t.Context(), func(context.Context) error {
		if calls++; calls < 3 {
			return passing
		}
		return nil
	})
	if err != nil || calls != 3 {
		t.Errorf("passing failure: %v after %d calls", err, calls)
	}

	calls = 0
	err = Retry(t.Context(), func(context.Context) error { calls++; return &Error{Kind: ErrDenied} })
	if !errors.Is(err, ErrDenied) || calls != 1 {
		t.Errorf("lasting failure: %v after %d calls, want one", err, calls)
	}

	start := time.Now()
	err = retry(t.Context(), 300*time.Millisecond, func(context.Context) error { return passing })
	if !errors.Is(err, ErrUnreachable) || time.Since(start) > 2*time.Second {
		t.Errorf("budget: %v after %v", err, time.Since(start))
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = Retry(ctx, func(context.Context) error { return passing })
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrUnreachable) {
		t.Errorf("context: %v", err)
	}
}

func TestErrorWords(t *testing.T) {
	err := &Error{Op: "put", Store: "volume /backups", Name: "p1", Kind: ErrFull, Hint: "make room"}
	if got, want := err.Error(), `put "p1" (volume /backups): storage is full; make room`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRetryPutKeepsItsSource: a protocol's library that goes on reading after a put, as net/http does for a moment, reads
// nothing of the next try, and nothing when the source belongs to somebody else again.
func TestRetryPutKeepsItsSource(t *testing.T) {
	var first, second io.Reader
	got := ""
	err := RetryPut(t.Context(), "a", strings.NewReader("content"), 7, func(_ context.Context, r io.Reader) error {
		if first == nil {
			first = r
			_, err := io.ReadFull(r, make([]byte, 3))
			return errors.Join(err, &Error{Op: "put", Kind: ErrUnreachable})
		}
		second = r
		if n, err := first.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("the first try reads %d bytes of the second: %v", n, err)
		}
		b, err := io.ReadAll(r)
		got = string(b)
		return err
	})
	if err != nil || got != "content" {
		t.Errorf("put %q: %v", got, err)
	}
	if n, err := second.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the put it reads %d bytes: %v", n, err)
	}
}
