package repository_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/repository"
)

// blobsOf names the blobs of a kind: p holds data, q metadata, x indexes.
func blobsOf(t *testing.T, p place, kind string) []string {
	t.Helper()
	var found []string
	for info, err := range p.store.List(t.Context(), kind) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, strings.TrimSuffix(info.Name, ".f"))
	}
	if len(found) == 0 {
		t.Fatalf("no blob begins with %q", kind)
	}
	return found
}

// damages are done to a file behind the store.
var damages = map[string]func(file string) error{
	"truncated": func(file string) error {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		return os.Truncate(file, info.Size()/2)
	},
	// Every byte: a pack also holds a copy of its index, which a reader does not need.
	"altered": func(file string) error {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for i := range data {
			data[i] ^= 1
		}
		return os.WriteFile(file, data, 0o600)
	},
	"deleted": os.Remove,
}

// TestVerifyOwn: whatever happens to a blob between being written and being verified is found by the client that wrote
// it.
func TestVerifyOwn(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		r := create(t, p)
		www := makeSite(t, 1)
		verify(t, r, snapshot(t, r, request(www, "data")).ID, false)
		for what, damage := range damages {
			for _, kind := range []string{"p", "q", "xn"} {
				before := blobsOf(t, p, kind)
				if err := os.WriteFile(filepath.Join(www, "changing"), []byte(what+kind), 0o644); err != nil {
					t.Fatal(err)
				}
				s := snapshot(t, r, request(www, what+kind))
				for _, name := range blobsOf(t, p, kind) {
					if strings.Contains(strings.Join(before, " "), name) {
						continue
					}
					good, err := os.ReadFile(p.file(name))
					if err == nil {
						err = damage(p.file(name))
					}
					if err != nil {
						t.Fatal(err)
					}
					if _, err := r.Verify(t.Context(), s.ID, repository.VerifyOptions{}); !errors.Is(err, repository.ErrCorrupt) {
						t.Errorf("%s %s: %v", what, name, err)
					}
					if err := os.WriteFile(p.file(name), good, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				verify(t, r, s.ID, false)
			}
		}
	})
}

// TestVerifyOlder: a client that wrote nothing itself sees what is gone or short, and with Full what is altered.
func TestVerifyOlder(t *testing.T) {
	p := onVolume(t)
	first := create(t, p)
	s := snapshot(t, first, request(makeSite(t, 1), "data"))
	verdict := func(full bool) error {
		_, err := open(t, options(t, p)).Verify(t.Context(), s.ID, repository.VerifyOptions{Full: full})
		return err
	}
	for what, damage := range damages {
		for _, kind := range []string{"p", "q"} {
			good := map[string][]byte{}
			for _, name := range blobsOf(t, p, kind) {
				data, err := os.ReadFile(p.file(name))
				if err == nil {
					err = damage(p.file(name))
				}
				if err != nil {
					t.Fatal(err)
				}
				good[name] = data
			}
			if err := verdict(true); !errors.Is(err, repository.ErrCorrupt) {
				t.Errorf("%s %s, full: %v", what, kind, err)
			}
			if err := verdict(false); !errors.Is(err, repository.ErrCorrupt) && (what != "altered" || kind == "q") {
				t.Errorf("%s %s: %v", what, kind, err)
			}
			for name, data := range good {
				if err := os.WriteFile(p.file(name), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := verdict(true); err != nil {
		t.Error(err)
	}
}
