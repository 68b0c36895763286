package repository

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/snapshotfs"

	"github.com/sitewright/sitewright/internal/storage/volume"
)

// forge stores a snapshot whose root directory holds exactly these entries, as someone with the password could.
func forge(t *testing.T, r *Repository, entries func(put func(string) object.ID, dir func(...*snapshot.DirEntry) object.ID) []*snapshot.DirEntry) string {
	t.Helper()
	var id string
	err := repo.WriteSession(t.Context(), r.direct, repo.WriteSessionOptions{}, func(ctx context.Context, w repo.RepositoryWriter) error {
		put := func(data string) object.ID {
			o := w.NewObjectWriter(ctx, object.WriterOptions{})
			defer o.Close()
			_, err := o.Write([]byte(data))
			result, resultErr := o.Result()
			if err = errors.Join(err, resultErr); err != nil {
				t.Fatal(err)
			}
			return result
		}
		dir := func(entries ...*snapshot.DirEntry) object.ID {
			result, err := snapshotfs.WriteDirManifest(ctx, w, "", &snapshot.DirManifest{StreamType: directoryStream, Entries: entries}, "")
			if err != nil {
				t.Fatal(err)
			}
			return result
		}
		m := &snapshot.Manifest{Source: Source{Namespace: "evil", Name: "site"}.info(), RootEntry: &snapshot.DirEntry{
			Name: "/", Type: snapshot.EntryTypeDirectory, Permissions: 0o755, ObjectID: dir(entries(put, dir)...),
		}}
		saved, err := snapshot.SaveSnapshot(ctx, w, m)
		id = string(saved)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

type (
	putFunc   = func(string) object.ID
	mkdirFunc = func(...*snapshot.DirEntry) object.ID
)

func fileEntry(name string, put putFunc) *snapshot.DirEntry {
	return &snapshot.DirEntry{Name: name, Type: snapshot.EntryTypeFile, Permissions: 0o644, FileSize: 4, ObjectID: put("evil")}
}

func linkEntry(name, target string, put putFunc) *snapshot.DirEntry {
	return &snapshot.DirEntry{Name: name, Type: snapshot.EntryTypeSymlink, Permissions: 0o777, FileSize: int64(len(target)), ObjectID: put(target)}
}

func dirEntry(name string, id object.ID) *snapshot.DirEntry {
	return &snapshot.DirEntry{Name: name, Type: snapshot.EntryTypeDirectory, Permissions: 0o755, ObjectID: id}
}

// attacks are the entries of root directories that try to reach outside, or lie.
func attacks(outside string) map[string]func(putFunc, mkdirFunc) []*snapshot.DirEntry {
	return map[string]func(putFunc, mkdirFunc) []*snapshot.DirEntry{
		"link, then directory through it": func(p putFunc, d mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{linkEntry("x", outside, p), dirEntry("x", d(fileEntry("passwd", p)))}
		},
		"directory, then link over it": func(p putFunc, d mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{dirEntry("x", d(fileEntry("passwd", p))), linkEntry("x", outside, p)}
		},
		"link, then file through it": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{linkEntry("x", outside+"/passwd", p), fileEntry("x", p)}
		},
		"name with slashes": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{fileEntry("../outside/passwd", p)}
		},
		"absolute name": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{fileEntry(outside+"/passwd", p)}
		},
		"parent": func(p putFunc, d mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{dirEntry("..", d(fileEntry("outside", p)))}
		},
		"parent as a link": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{linkEntry("..", outside, p)}
		},
		"itself": func(p putFunc, d mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{dirEntry(".", d(fileEntry("passwd", p)))}
		},
		"no name": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry { return []*snapshot.DirEntry{fileEntry("", p)} },
		"unknown type": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			e := fileEntry("x", p)
			e.Type = "z"
			return []*snapshot.DirEntry{e}
		},
		"shorter than said": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			e := fileEntry("x", p)
			e.FileSize = 5
			return []*snapshot.DirEntry{e}
		},
		"longer than said": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			e := fileEntry("x", p)
			e.FileSize = 3
			return []*snapshot.DirEntry{e}
		},
		"endless link": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{linkEntry("x", strings.Repeat("x", 5000), p)}
		},
		"file as directory": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{dirEntry("x", p("evil"))}
		},
		"two of one name": func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
			return []*snapshot.DirEntry{fileEntry("x", p), fileEntry("x", p)}
		}}
}

// TestHostileSnapshots: no snapshot makes Restore write outside its destination.
func TestHostileSnapshots(t *testing.T) {
	dir := t.TempDir()
	store, err := volume.New(volume.Config{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	o := Options{Store: store, Password: "p", StateDir: t.TempDir()}
	if err := Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	arena := t.TempDir()
	outside := filepath.Join(arena, "outside")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, entries := range attacks(outside) {
		id := forge(t, r, entries)
		dest := filepath.Join(arena, "dest "+name)
		if err := r.Restore(t.Context(), id, "", dest, RestoreOptions{}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
		if left, err := os.ReadDir(outside); err != nil || len(left) != 0 {
			t.Fatalf("%s wrote outside: %v, %v", name, left, err)
		}
	}
	// A link that leads out is kept as what it is, and setuid is not.
	id := forge(t, r, func(p putFunc, _ mkdirFunc) []*snapshot.DirEntry {
		e := fileEntry("suid", p)
		e.Permissions |= snapshot.Permissions(os.ModeSetuid | os.ModeSetgid)
		return []*snapshot.DirEntry{linkEntry("x", outside, p), e}
	})
	dest := filepath.Join(arena, "good")
	if err := r.Restore(t.Context(), id, "", dest, RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(dest, "x")); target != outside || err != nil {
		t.Errorf("link: %s, %v", target, err)
	}
	if info, err := os.Stat(filepath.Join(dest, "suid")); err != nil || info.Mode() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	// A destination that is a link is the caller's choice; one that holds anything is refused before the first write.
	if err := r.Restore(t.Context(), id, "", arena, RestoreOptions{}); err == nil {
		t.Error("restored into a directory that is not empty")
	}
}
