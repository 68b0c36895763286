package repository_test

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

// timeShift is a store on a server whose clock is ahead, by as much as the test says and as it was at each put.
type timeShift struct {
	storage.FileTree
	ahead time.Duration
	puts  map[string]time.Duration
}

func (s *timeShift) Put(ctx context.Context, name string, r io.Reader, size int64) error {
	s.puts[name] = s.ahead
	return s.FileTree.Put(ctx, name, r, size)
}

func (s *timeShift) shift(i storage.Info) storage.Info {
	i.ModTime = i.ModTime.Add(s.puts[i.Name])
	return i
}

func (s *timeShift) Stat(ctx context.Context, name string) (storage.Info, error) {
	i, err := s.FileTree.Stat(ctx, name)
	return s.shift(i), err
}

func (s *timeShift) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		for i, err := range s.FileTree.List(ctx, prefix) {
			if !yield(s.shift(i), err) {
				return
			}
		}
	}
}

// TestMaintainFreesRoom: what only deleted snapshots needed is gone some days later, except where it shares a pack with
// what is needed, and nothing else.
func TestMaintainFreesRoom(t *testing.T) {
	s, o := shifted(t)
	www := makeSite(t, 1)
	take := func(data []byte) repository.Snapshot {
		if err := os.WriteFile(filepath.Join(www, "changing"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		return snapshot(t, open(t, o), request(www, string(data[:10])))
	}
	// A backup reads several files at a time: the first fills packs with contents of all of them.
	take(storagetest.Data(6, 1<<20))
	old := take(storagetest.Data(7, 30<<20))
	kept := take(storagetest.Data(8, 1<<20))
	before, err := open(t, o).Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, o).Delete(t.Context(), old.ID); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		s.ahead += 36 * time.Hour
		r := open(t, o)
		if err := r.Maintain(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		verify(t, r, kept.ID, true)
	}
	after, err := open(t, o).Stats(t.Context())
	if err != nil || before.StoredBytes-after.StoredBytes < 20<<20 {
		t.Errorf("%d bytes before, %d after, %v", before.StoredBytes, after.StoredBytes, err)
	}
}

// TestClocksDiffer: neither a backup nor maintenance minds a server whose clock is wrong.
func TestClocksDiffer(t *testing.T) {
	for _, ahead := range []time.Duration{-26 * time.Hour, 3 * time.Hour} {
		s := &timeShift{FileTree: onVolume(t).store.(storage.FileTree), puts: map[string]time.Duration{}, ahead: ahead}
		r := create(t, place{store: s})
		snap := snapshot(t, r, request(makeSite(t, 1), "data"))
		for _, full := range []bool{false, true} {
			if err := r.Maintain(t.Context(), full); err != nil {
				t.Errorf("server ahead by %v: %v", ahead, err)
			}
		}
		verify(t, r, snap.ID, true)
	}
}
