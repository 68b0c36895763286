package repository_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/s3"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/volume"
)

const password = "correct horse"

var site = repository.Source{Namespace: "acme", Name: "blog", UID: "1234-abcd"}

// place is an empty store, with a way to reach the files behind it.
type place struct {
	store storage.Store
	// file is where a blob of the repository lies.
	file func(blob string) string
	// kopia are the stock program's arguments to connect.
	kopia []string
}

// places runs a test on every protocol that has a package of its own here.
func places(t *testing.T, test func(t *testing.T, p place)) {
	t.Run("volume", func(t *testing.T) { t.Parallel(); test(t, onVolume(t)) })
	t.Run("s3", func(t *testing.T) { t.Parallel(); test(t, onS3(t)) })
}

// storeSize is room for what any test stores. Stores lie in memory: they sync every blob, which would measure the disk.
const storeSize = 512 << 20

func onVolume(t *testing.T) place {
	t.Helper()
	dir := storagetest.SmallDisk(t, storeSize)
	s, err := volume.New(volume.Config{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return place{
		store: s,
		file:  func(blob string) string { return filepath.Join(dir, blob+".f") },
		kopia: []string{"filesystem", "--path", dir},
	}
}

func onS3(t *testing.T) place {
	t.Helper()
	server := storagetest.StartS3(t, storagetest.SmallDisk(t, storeSize))
	server.Bucket(t, "backups")
	s, err := s3.New(s3.Config{Endpoint: server.Endpoint, Bucket: "backups", Prefix: "acme", AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return place{
		store: s,
		file:  func(blob string) string { return filepath.Join(server.Dir, "backups", "acme", blob) },
		kopia: []string{"s3", "--endpoint", strings.TrimPrefix(server.Endpoint, "http://"), "--disable-tls", "--bucket", "backups",
			"--prefix", "acme/", "--access-key", server.AccessKey, "--secret-access-key", server.SecretKey},
	}
}

func options(t *testing.T, p place) repository.Options {
	t.Helper()
	return repository.Options{Store: p.store, Password: password, StateDir: t.TempDir()}
}

func create(t *testing.T, p place) *repository.Repository {
	t.Helper()
	o := options(t, p)
	if err := repository.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return open(t, o)
}

func open(t *testing.T, o repository.Options) *repository.Repository {
	t.Helper()
	r, err := repository.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func text(s string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
}

// request is a backup as the agent makes it: files in two passes, then the dump.
func request(www, dump string) repository.SnapshotRequest {
	files := []repository.Dir{{Name: "files/www", Path: www, Exclude: []string{"wp-content/cache", "*.tmp"}}}
	return repository.SnapshotRequest{
		Source: site, Description: "nightly", Tags: map[string]string{"backup": "blog-1"},
		First: repository.Tree{Dirs: files},
		Final: func(context.Context) (repository.Tree, error) {
			return repository.Tree{
				Dirs: files,
				Streams: []repository.Stream{
					{Name: "database/001-data.sql", Open: text(dump)},
					{Name: "database/000-schema.sql", Open: text("CREATE TABLE t (a int);")},
				},
				Blobs: map[string][]byte{"manifest.json": []byte(`{"version":1}`)},
			}, nil
		},
	}
}

func snapshot(t *testing.T, r *repository.Repository, req repository.SnapshotRequest) repository.Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func verify(t *testing.T, r *repository.Repository, id string, full bool) repository.VerifyResult {
	t.Helper()
	v, err := r.Verify(t.Context(), id, repository.VerifyOptions{Full: full})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCreateAndOpen(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		o := options(t, p)
		if _, err := repository.Open(t.Context(), o); !errors.Is(err, repository.ErrNotInitialized) {
			t.Errorf("open before create: %v", err)
		}
		if err := repository.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		r := open(t, o)
		other := o
		other.Password = "tr0ub4dor"
		for _, again := range []repository.Options{o, other} {
			if err := repository.Create(t.Context(), again); !errors.Is(err, repository.ErrExists) {
				t.Errorf("create again: %v", err)
			}
		}
		// The same state directory, whose caches must not answer for the password.
		if _, err := repository.Open(t.Context(), other); !errors.Is(err, repository.ErrWrongPassword) {
			t.Errorf("wrong password: %v", err)
		} else if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), other.Password) {
			t.Errorf("%v tells a password", err)
		}
		if found, err := r.List(t.Context(), nil); err != nil || len(found) != 0 {
			t.Errorf("%v, %v", found, err)
		}
		if err := r.Delete(t.Context(), "0123456789abcdef0123456789abcdef"); err != nil {
			t.Errorf("delete of an absent snapshot: %v", err)
		}
		if _, err := r.Get(t.Context(), "nonsense"); !errors.Is(err, repository.ErrNotFound) {
			t.Errorf("get of an absent snapshot: %v", err)
		}
	})
}

// TestCreateAfterKill: a Create that was killed between its blobs does not stand in the way of the next.
func TestCreateAfterKill(t *testing.T) {
	p := onVolume(t)
	if err := repository.Create(t.Context(), options(t, p)); err != nil {
		t.Fatal(err)
	}
	for info, err := range p.store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Name != ".shards" && info.Name != "kopia.blobcfg.f" {
			if err := p.store.Delete(t.Context(), info.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := create(t, p)
	if found, err := r.List(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestStoreErrorsPass: what is wrong with the store is not blamed on the repository.
func TestStoreErrorsPass(t *testing.T) {
	server := storagetest.StartS3(t, t.TempDir())
	server.Bucket(t, "backups")
	for kind, c := range map[error]s3.Config{
		storage.ErrDenied:      {Bucket: "backups", AccessKey: server.AccessKey, SecretKey: "wrong"},
		storage.ErrNoContainer: {Bucket: "missing", AccessKey: server.AccessKey, SecretKey: server.SecretKey},
	} {
		c.Endpoint = server.Endpoint
		s, err := s3.New(c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		o := repository.Options{Store: s, Password: password, StateDir: t.TempDir()}
		if err := repository.Create(t.Context(), o); !errors.Is(err, kind) {
			t.Errorf("create: %v, want %v", err, kind)
		}
		if _, err := repository.Open(t.Context(), o); !errors.Is(err, kind) || errors.Is(err, repository.ErrNotInitialized) {
			t.Errorf("open: %v, want %v", err, kind)
		}
	}
}

// TestStateStaysInside: nothing is written outside the state directory, and no secret into it.
func TestStateStaysInside(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	t.Setenv("TMPDIR", filepath.Join(home, "absent"))
	p := onVolume(t)
	o := repository.Options{Store: p.store, Password: password, StateDir: filepath.Join(t.TempDir(), "state")}
	if err := repository.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r := open(t, o)
	www := makeSite(t, 1)
	verify(t, r, snapshot(t, r, request(www, "data")).ID, true)
	if left, err := os.ReadDir(home); err != nil || len(left) != 0 {
		t.Errorf("written to the home directory: %v, %v", left, err)
	}
	err := filepath.WalkDir(o.StateDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(password)) {
			t.Errorf("%s holds the password", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
