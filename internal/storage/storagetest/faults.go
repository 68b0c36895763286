package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

var errSource = errors.New("the source broke")

// brokenReader yields data and then fails.
func brokenReader(data []byte) io.Reader {
	return io.MultiReader(bytes.NewReader(data), readerFunc(func([]byte) (int, error) { return 0, errSource }))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// failingSource checks that a put whose source breaks, ends early or is too long leaves the old object or none.
func failingSource(t *testing.T, s storage.Store) {
	old := Data(1, 1000)
	put(t, s, "failing/old", old)
	half := Data(2, 20<<20)
	for _, name := range []string{"failing/old", "failing/new"} {
		for what, c := range map[string]struct {
			r    io.Reader
			size int64
		}{
			"broken":                  {brokenReader(half), int64(2 * len(half))},
			"broken, of unknown size": {brokenReader(half), -1},
			"too short":               {bytes.NewReader(half), int64(len(half) + 1)},
			"too long":                {bytes.NewReader(half), int64(len(half) - 1)},
			"not empty":               {bytes.NewReader(half), 0},
		} {
			start := time.Now()
			err := s.Put(t.Context(), name, c.r, c.size)
			if err == nil {
				t.Errorf("put of %s from a source that is %s succeeded", name, what)
			}
			if strings.HasPrefix(what, "broken") && !errors.Is(err, errSource) {
				t.Errorf("put from a source that is %s: %v does not name the source's error", what, err)
			}
			if time.Since(start) > 5*time.Second {
				t.Errorf("put from a source that is %s took %v: it must not be retried", what, time.Since(start))
			}
		}
	}
	if got := get(t, s, "failing/old", 0, -1); !bytes.Equal(got, old) {
		t.Errorf("the old object changed: %d bytes", len(got))
	}
	if found := listed(t, s, "failing/"); len(found) != 1 {
		t.Errorf("listed %v after failed puts, want only the old object", found)
	}
	ctx, cancel := context.WithCancel(t.Context())
	slow := io.MultiReader(bytes.NewReader(half), readerFunc(func([]byte) (int, error) {
		cancel()
		<-ctx.Done()
		return 0, ctx.Err()
	}))
	if err := s.Put(ctx, "failing/canceled", slow, int64(2*len(half))); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled put: %v", err)
	}
	if _, err := s.Stat(t.Context(), "failing/canceled"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after a canceled put: %v", err)
	}
}

// concurrent checks that readers of an object that several writers replace see one of their versions, whole.
func concurrent(t *testing.T, a, b storage.Store) {
	const size, rounds = 300_000, 8
	put(t, a, "concurrent", bytes.Repeat([]byte{0}, size))
	var wg sync.WaitGroup
	for i, s := range []storage.Store{a, b, a, b} {
		wg.Go(func() {
			for round := range rounds {
				data := bytes.Repeat([]byte{byte(1 + i*rounds + round)}, size)
				if err := s.Put(t.Context(), "concurrent", bytes.NewReader(data), size); err != nil {
					t.Error(err)
				}
				own := fmt.Sprintf("concurrent-%d-%d", i, round)
				if err := s.Put(t.Context(), own, bytes.NewReader(data), size); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	defer wg.Wait() // Writers use t until they end.
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		r, err := b.Get(t.Context(), "concurrent", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil || len(got) != size || bytes.Count(got, got[:1]) != size {
			t.Fatalf("a reader saw a mixture: %d bytes, %v", len(got), err)
		}
	}
	if found := listed(t, a, "concurrent-"); len(found) != 4*rounds {
		t.Errorf("%d of %d objects there", len(found), 4*rounds)
	}
}

// refuses checks that every operation fails with kind, in bounded time, in words without secrets.
func refuses(t *testing.T, s storage.Store, kind error, secrets []string) {
	defer s.Close()
	for op, run := range map[string]func() error{
		"put": func() error { return s.Put(t.Context(), "x", strings.NewReader("x"), 1) },
		"get": func() error {
			_, err := s.Get(t.Context(), "x", 0, -1)
			return err
		},
		"stat": func() error {
			_, err := s.Stat(t.Context(), "x")
			return err
		},
		"list": func() error {
			for _, err := range s.List(t.Context(), "") {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			err := run()
			if !errors.Is(err, kind) {
				t.Errorf("%v, want %v", err, kind)
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("took %v", took)
			}
			for _, secret := range secrets {
				if strings.Contains(fmt.Sprint(err, s), secret) {
					t.Errorf("%v tells a secret", err)
				}
			}
		})
	}
	t.Run("impatient caller", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := s.Put(ctx, "x", strings.NewReader("x"), 1); err == nil || time.Since(start) > 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// full checks that a store without room says so, keeps what it has and works again once there is room.
func full(t *testing.T, s storage.Store) {
	defer s.Close()
	put(t, s, "kept", []byte("kept"))
	data := Data(3, FullSize)
	err := s.Put(t.Context(), "big", bytes.NewReader(data), FullSize)
	if !errors.Is(err, storage.ErrFull) {
		t.Errorf("%v, want ErrFull", err)
	}
	if found := listed(t, s, ""); len(found) != 1 || string(get(t, s, "kept", 0, -1)) != "kept" {
		t.Errorf("after a put that did not fit: %v", found)
	}
	put(t, s, "small", []byte("fits"))
}
