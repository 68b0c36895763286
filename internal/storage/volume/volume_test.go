package volume_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/volume"
)

func open(t *testing.T, dir, prefix string) *volume.Store {
	t.Helper()
	s, err := volume.New(volume.Config{Path: dir, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	// On memory: the suite syncs thousands of files, which would measure the disk and not this package.
	dir := storagetest.SmallDisk(t, 512<<20)
	storagetest.Conformance(t, storagetest.Target{
		Open: func(t *testing.T) storage.Store { return open(t, dir, "shop/") },
		Full: func(t *testing.T) storage.Store { return open(t, storagetest.SmallDisk(t, 8<<20), "") },
		// Gone after it was opened; before that New refuses, see TestNew. There are no credentials, no network.
		NoContainer: nil, Denied: nil, Unreachable: nil, Untrusted: nil,
	})
}

func TestNew(t *testing.T) {
	dir := t.TempDir()
	if _, err := volume.New(volume.Config{Path: filepath.Join(dir, "absent")}); !errors.Is(err, storage.ErrNoContainer) {
		t.Errorf("absent directory: %v", err)
	}
	for _, prefix := range []string{"../out", "a/../../out", "a//b"} {
		if _, err := volume.New(volume.Config{Path: dir, Prefix: prefix}); !errors.Is(err, storage.ErrInvalidName) {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := volume.New(volume.Config{Path: dir, Prefix: "link"}); err == nil {
		t.Error("a prefix that is a link out of the volume was accepted")
	}
}

func TestLinksDoNotLeadOut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "")
	for name, target := range map[string]string{"etc": "/etc", "up": "..", "file": "/etc/hostname"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"etc/hostname", "up/x", "file"} {
		if _, err := s.Get(t.Context(), name, 0, -1); err == nil {
			t.Errorf("%s was read", name)
		}
		if _, err := s.Stat(t.Context(), name); err == nil {
			t.Errorf("%s was described", name)
		}
	}
	if err := s.Put(t.Context(), "etc/sitewright-escaped", strings.NewReader("x"), 1); err == nil {
		t.Error("a put left the directory")
	}
	for info := range s.List(t.Context(), "") {
		t.Errorf("listed %s", info.Name)
	}
}

// TestLeftovers: what a killed put left is neither listed nor kept for ever, while a put in progress is not disturbed.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "")
	if err := s.Put(t.Context(), "a", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(dir, ".sitewright-tmp")
	for _, name := range []string{"old", "young"} {
		if err := os.WriteFile(filepath.Join(temp, name), []byte("part"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(temp, "old"), past, past); err != nil {
		t.Fatal(err)
	}
	for info := range s.List(t.Context(), "") {
		if info.Name != "a" {
			t.Errorf("listed %s", info.Name)
		}
	}
	if err := s.Put(t.Context(), ".sitewright-tmp/x", strings.NewReader("x"), 1); !errors.Is(err, storage.ErrInvalidName) {
		t.Errorf("put among the temporary files: %v", err)
	}
	open(t, dir, "")
	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 1 || left[0].Name() != "young" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestDenied(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("run this test as root: it mounts a read-only file system")
	}
	dir := storagetest.SmallDisk(t, 1<<20)
	s := open(t, dir, "")
	storagetest.Remount(t, dir, true)
	if err := s.Put(t.Context(), "a", strings.NewReader("x"), 1); !errors.Is(err, storage.ErrDenied) {
		t.Errorf("put on a read-only volume: %v", err)
	}
}

func TestContainerGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mount")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, "")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "a", strings.NewReader("x"), 1); !errors.Is(err, storage.ErrNoContainer) {
		t.Errorf("put: %v", err)
	}
}
