package repository_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage"
)

// TestPendingUntilConfirmed: a pending snapshot is out of everybody's sight, and confirmed it is the one that it was.
func TestPendingUntilConfirmed(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		r := create(t, p)
		www := makeSite(t, 1)
		req := request(www, "data")
		req.Pending = true
		pending := snapshot(t, r, req)
		verify(t, r, pending.ID, false)
		other := open(t, options(t, p))
		if found, err := other.List(t.Context(), nil); err != nil || len(found) != 0 {
			t.Errorf("a pending snapshot is listed: %v, %v", found, err)
		}
		waiting, err := other.ListPending(t.Context(), &site)
		if err != nil || len(waiting) != 1 || !waiting[0].Pending || waiting[0].ID != pending.ID || waiting[0].Tags["backup"] != "blog-1" {
			t.Fatalf("%+v, %v", waiting, err)
		}
		confirmed, err := other.Confirm(t.Context(), pending.ID)
		if err != nil {
			t.Fatal(err)
		}
		if confirmed.Pending || confirmed.Files != pending.Files || confirmed.Bytes != pending.Bytes || confirmed.Time != pending.Time {
			t.Errorf("%+v became %+v", pending, confirmed)
		}
		if again, err := other.Confirm(t.Context(), confirmed.ID); err != nil || again.ID != confirmed.ID {
			t.Errorf("confirmed twice: %+v, %v", again, err)
		}
		found, err := r.List(t.Context(), &site)
		if err != nil || len(found) != 1 || found[0].ID != confirmed.ID {
			t.Errorf("%+v, %v", found, err)
		}
		if _, err := r.Confirm(t.Context(), pending.ID); !errors.Is(err, repository.ErrNotFound) {
			t.Errorf("what it was before: %v", err)
		}
		dest := filepath.Join(t.TempDir(), "restored")
		if err := r.Restore(t.Context(), confirmed.ID, "files/www", dest, repository.RestoreOptions{}); err != nil {
			t.Fatal(err)
		}
		equalTrees(t, describeTree(t, www, leftOut...), describeTree(t, dest))
	})
}

// TestPendingOfOthers: a snapshot takes away what an earlier try left pending, but not what another cluster's site of that name has.
func TestPendingOfOthers(t *testing.T) {
	r := create(t, onVolume(t))
	req := request(makeSite(t, 1), "data")
	req.Pending = true
	snapshot(t, r, req)
	req.Source.UID = "of another cluster"
	theirs := snapshot(t, r, req)
	ours := snapshot(t, r, request(makeSite(t, 1), "data"))
	waiting, err := r.ListPending(t.Context(), nil)
	if err != nil || len(waiting) != 1 || waiting[0].ID != theirs.ID {
		t.Errorf("%+v, %v", waiting, err)
	}
	if found, err := r.List(t.Context(), nil); err != nil || len(found) != 1 || found[0].ID != ours.ID {
		t.Errorf("%+v, %v", found, err)
	}
}

// shifted is a repository on a store whose clock the test moves, together with everybody else's.
func shifted(t *testing.T) (*timeShift, repository.Options) {
	t.Helper()
	s := &timeShift{FileTree: onVolume(t).store.(storage.FileTree), puts: map[string]time.Duration{}}
	o := repository.Options{Store: s, Password: password, StateDir: t.TempDir(), Now: func() time.Time { return time.Now().Add(s.ahead) }}
	if err := repository.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return s, o
}

// TestAbandonedGoes: what nobody confirmed is there while somebody may go on with it, and gives its room back when nobody did.
func TestAbandonedGoes(t *testing.T) {
	s, o := shifted(t)
	www := makeSite(t, 1)
	kept := snapshot(t, open(t, o), request(www, "data"))
	if err := os.WriteFile(filepath.Join(www, "more"), make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	req := request(www, "other data")
	req.Pending = true
	snapshot(t, open(t, o), req)
	s.ahead = 6 * 24 * time.Hour
	pendingAfterMaintenance(t, o, 1)
	s.ahead = 8 * 24 * time.Hour
	pendingAfterMaintenance(t, o, 0)
	verify(t, open(t, o), kept.ID, true)
}

func pendingAfterMaintenance(t *testing.T, o repository.Options, want int) {
	t.Helper()
	r := open(t, o)
	if err := r.Maintain(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if waiting, err := r.ListPending(t.Context(), nil); err != nil || len(waiting) != want {
		t.Errorf("%d pending, want %d, %v", len(waiting), want, err)
	}
}

// TestClaim: one of those who share a repository maintains it, and another one only when that one has been silent for long.
func TestClaim(t *testing.T) {
	s, o := shifted(t)
	const patience = 7 * 24 * time.Hour
	claim := func(who, want string) repository.Maintenance {
		t.Helper()
		m, err := open(t, o).Claim(t.Context(), who, patience)
		if err != nil || m.Owner != want {
			t.Fatalf("%s claims it, and the owner is %q, not %q: %v", who, m.Owner, want, err)
		}
		return m
	}
	if m, err := open(t, o).Maintenance(t.Context()); err != nil || m.Owner != "" || !m.LastFull.IsZero() || !m.LastQuick.IsZero() {
		t.Errorf("of a new repository: %+v, %v", m, err)
	}
	claim("sitewright@one", "sitewright@one")
	claim("sitewright@two", "sitewright@one")
	claim("sitewright@one", "sitewright@one")

	s.ahead = patience - time.Hour
	claim("sitewright@two", "sitewright@one")
	for _, full := range []bool{false, true} {
		if err := open(t, o).Maintain(t.Context(), full); err != nil {
			t.Fatal(err)
		}
		m := claim("sitewright@two", "sitewright@one")
		if m.LastQuick.IsZero() || m.LastFull.IsZero() == full || time.Until(m.LastQuick) > patience {
			t.Errorf("after maintenance (full: %t): %+v", full, m)
		}
	}
	s.ahead += patience - time.Hour
	claim("sitewright@two", "sitewright@one")
	s.ahead += 2 * time.Hour
	claim("sitewright@two", "sitewright@two")
	claim("sitewright@one", "sitewright@two")
}
