// Package storagetest holds the suite that every storage.Store passes, and the real servers it runs against.
package storagetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

// Target is a store under test and the ways to break it. A nil function means that the fault does not exist for the
// protocol; the caller says why in a comment.
type Target struct {
	// Open returns a new handle on one and the same store, which holds nothing that the suite did not put there.
	Open func(t *testing.T) storage.Store
	// Full returns a store with room for less than FullSize bytes.
	Full func(t *testing.T) storage.Store
	// Denied returns a store that is reached with wrong credentials.
	Denied func(t *testing.T) storage.Store
	// NoContainer returns a store whose bucket or directory does not exist.
	NoContainer func(t *testing.T) storage.Store
	// Unreachable returns a store at an address where nobody answers.
	Unreachable func(t *testing.T) storage.Store
	// Untrusted returns a store whose server cannot prove its identity.
	Untrusted func(t *testing.T) storage.Store
	// Mortal returns a store whose server can be killed and started again.
	Mortal func(t *testing.T) (s storage.Store, kill, revive func())
	// Cut returns a store and what resets every connection that its server has right now.
	Cut func(t *testing.T) (s storage.Store, cut func())
	// Secrets must not appear in any error or name.
	Secrets []string
}

// FullSize is the number of bytes that a full store must refuse.
const FullSize = 32 << 20

// Conformance runs the suite.
func Conformance(t *testing.T, target Target) {
	s := target.Open(t)
	t.Run("objects", func(t *testing.T) { objects(t, s, target.Open(t)) })
	t.Run("ranges", func(t *testing.T) { ranges(t, s) })
	t.Run("absent", func(t *testing.T) { absent(t, s) })
	t.Run("names", func(t *testing.T) { names(t, s) })
	t.Run("list", func(t *testing.T) { list(t, s) })
	t.Run("failing source", func(t *testing.T) { failingSource(t, s) })
	t.Run("concurrent writers", func(t *testing.T) { concurrent(t, s, target.Open(t)) })
	for _, fault := range []struct {
		name string
		open func(*testing.T) storage.Store
		kind error
	}{
		{"wrong credentials", target.Denied, storage.ErrDenied},
		{"missing container", target.NoContainer, storage.ErrNoContainer},
		{"unreachable", target.Unreachable, storage.ErrUnreachable},
		{"untrusted", target.Untrusted, storage.ErrUntrusted},
	} {
		if fault.open != nil {
			t.Run(fault.name, func(t *testing.T) {
				t.Parallel()
				refuses(t, fault.open(t), fault.kind, target.Secrets)
			})
		}
	}
	if target.Cut != nil {
		t.Run("cut connection", func(t *testing.T) { cutConnection(t, target.Cut) })
	}
	if target.Mortal != nil {
		t.Run("dying server", func(t *testing.T) { dyingServer(t, target.Mortal) })
	}
	if target.Full != nil {
		t.Run("full disk", func(t *testing.T) { full(t, target.Full(t)) })
	}
}

// Data returns size bytes that do not compress and are the same for the same seed.
func Data(seed uint64, size int) []byte {
	b := make([]byte, size)
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

func put(t *testing.T, s storage.Store, name string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), name, bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s storage.Store, name string, offset, length int64) []byte {
	t.Helper()
	r, err := s.Get(t.Context(), name, offset, length)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func listed(t *testing.T, s storage.Store, prefix string) []string {
	t.Helper()
	var found []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, info.Name)
	}
	slices.Sort(found)
	return found
}

func objects(t *testing.T, s, other storage.Store) {
	const name = "objects/one"
	for i, size := range []int{0, 1, 64 << 20, 100} { // Each overwrites the one before.
		data := Data(uint64(i), size)
		before := time.Now().Add(-time.Minute)
		put(t, s, name, data)
		if got := get(t, other, name, 0, -1); !bytes.Equal(got, data) {
			t.Fatalf("%d bytes put, %d other bytes read", size, len(got))
		}
		info, err := other.Stat(t.Context(), name)
		if err != nil || info.Name != name || info.Size != int64(size) || info.ModTime.Before(before) {
			t.Errorf("stat after %d bytes: %+v, %v", size, info, err)
		}
	}
	data := Data(9, 17<<20+1)
	if err := s.Put(t.Context(), name, io.MultiReader(bytes.NewReader(data)), -1); err != nil {
		t.Fatalf("put of unknown size: %v", err)
	}
	if sha256.Sum256(get(t, s, name, 0, -1)) != sha256.Sum256(data) {
		t.Error("put of unknown size: other bytes read")
	}
	if err := s.Put(t.Context(), name, strings.NewReader(""), -1); err != nil || len(get(t, s, name, 0, -1)) != 0 {
		t.Errorf("empty put of unknown size: %v", err)
	}
	seekable := bytes.NewReader([]byte("skipped, kept"))
	if _, err := seekable.Seek(9, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), name, seekable, 4); err != nil || string(get(t, s, name, 0, -1)) != "kept" {
		t.Errorf("put from the middle of a seekable source: %v", err)
	}
}

func ranges(t *testing.T, s storage.Store) {
	const name = "ranges"
	data := Data(1, 100_000)
	put(t, s, name, data)
	for _, c := range []struct{ offset, length, end int }{
		{0, 1, 1}, {0, 100_000, 100_000}, {99_999, 1, 100_000}, {50_000, 25_000, 75_000}, {1, -1, 100_000}, {99_999, -1, 100_000},
		{10, 0, 10}, {100_000, 0, 100_000},
	} {
		if got := get(t, s, name, int64(c.offset), int64(c.length)); !bytes.Equal(got, data[c.offset:c.end]) {
			t.Errorf("range %d+%d: %d other bytes", c.offset, c.length, len(got))
		}
	}
	for _, c := range [][2]int64{{100_000, -1}, {100_001, -1}, {100_001, 0}, {99_999, 2}, {0, 100_001}, {-1, 5}, {200_000, 5}} {
		r, err := s.Get(t.Context(), name, c[0], c[1])
		if !errors.Is(err, storage.ErrInvalidRange) {
			t.Errorf("range %d+%d: %v, want ErrInvalidRange", c[0], c[1], err)
		}
		if err == nil {
			r.Close()
		}
	}
}

func absent(t *testing.T, s storage.Store) {
	for _, name := range []string{"absent", "absent/deeper/still", "ranges/is-no-directory"} {
		if _, err := s.Stat(t.Context(), name); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("stat %s: %v, want ErrNotFound", name, err)
		}
		for _, length := range []int64{-1, 0, 1} {
			if _, err := s.Get(t.Context(), name, 0, length); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("get %s: %v, want ErrNotFound", name, err)
			}
		}
		if err := s.Delete(t.Context(), name); err != nil {
			t.Errorf("delete %s: %v, want success", name, err)
		}
	}
	if found := listed(t, s, "absent"); len(found) != 0 {
		t.Errorf("list of nothing: %v", found)
	}
}

func names(t *testing.T, s storage.Store) {
	good := []string{
		"names/with space", "names/ümläut/日本語/🦊", "names/plus+percent%20&amp;=?#", "names/'quotes\"", "names/.hidden", "names/a..b",
		"names/" + strings.Repeat("x", 240), "names/trailing.f", "names/~tilde-_.!*()",
	}
	for _, name := range good {
		put(t, s, name, []byte(name))
	}
	slices.Sort(good)
	if found := listed(t, s, "names/"); !slices.Equal(found, good) {
		t.Errorf("listed\n%q, want\n%q", found, good)
	}
	for _, name := range good {
		if got := get(t, s, name, 0, -1); string(got) != name {
			t.Errorf("%q holds %q", name, got)
		}
		if err := s.Delete(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if found := listed(t, s, "names/"); len(found) != 0 {
		t.Errorf("left after deletion: %q", found)
	}
	for _, name := range []string{"", "../escape", "a/../../escape", "/etc/passwd", "a//b", "a\x00b"} {
		if err := s.Put(t.Context(), name, strings.NewReader("x"), 1); !errors.Is(err, storage.ErrInvalidName) {
			t.Errorf("put %q: %v, want ErrInvalidName", name, err)
		}
		if _, err := s.Get(t.Context(), name, 0, -1); !errors.Is(err, storage.ErrInvalidName) {
			t.Errorf("get %q: %v, want ErrInvalidName", name, err)
		}
	}
}

// listCount is more than a page of any protocol.
const listCount = 5000

func list(t *testing.T, s storage.Store) {
	var wg sync.WaitGroup
	failures := make(chan error, listCount)
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < listCount; i += 8 {
				if err := s.Put(t.Context(), fmt.Sprintf("list/%02d-%04d", i%50, i), strings.NewReader("x"), 1); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failures:
		t.Fatal(err)
	default:
	}
	if found := listed(t, s, "list/"); len(found) != listCount || len(slices.Compact(found)) != listCount {
		t.Errorf("%d names listed, want %d", len(found), listCount)
	}
	if found := listed(t, s, "list/07-"); len(found) != listCount/50 {
		t.Errorf("%d names under a prefix, want %d", len(found), listCount/50)
	}
	if found := listed(t, s, "lis"); len(found) != listCount {
		t.Errorf("%d names under a prefix that ends within a directory, want %d", len(found), listCount)
	}
	count := 0
	for _, err := range s.List(t.Context(), "list/") {
		if count++; err != nil || count == 3 {
			break
		}
	}
	if count != 3 {
		t.Errorf("stopped after %d names, want 3", count)
	}
}
