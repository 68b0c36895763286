package generation

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
)

func open(t *testing.T, path string) *Volume {
	t.Helper()
	v, err := Open(t.Context(), path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func write(t *testing.T, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func exists(path ...string) bool {
	_, err := os.Lstat(filepath.Join(path...))
	return err == nil
}

func TestLife(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	if err := v.Prepare(1); err != nil {
		t.Fatal(err)
	}
	www, err := os.Stat(v.Dir(1, WWW))
	if err != nil {
		t.Fatal(err)
	}
	// What a killed run leaves, and what a hostile site may.
	outside := t.TempDir()
	write(t, outside, "precious")
	for _, name := range []string{"gen/1/www/a/b", "gen/1/other", "gen/1/seal.json.part", "staging/download"} {
		write(t, dir, name)
	}
	if err := os.Symlink(outside, v.Dir(1, WWW, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(v.Dir(1, Data)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, v.Dir(1, Data)); err != nil {
		t.Fatal(err)
	}
	if err := v.WriteJournal(1, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	if err := v.Prepare(1); err != nil {
		t.Fatal(err)
	}
	if !exists(outside, "precious") {
		t.Fatal("a symbolic link led out of the volume")
	}
	if again, err := os.Stat(v.Dir(1, WWW)); err != nil || !os.SameFile(www, again) {
		t.Error("the directory, which may be mounted, was made anew")
	}
	for _, name := range []string{"gen/1/www/a", "gen/1/other", "gen/1/seal.json.part", "staging/download"} {
		if exists(dir, name) {
			t.Errorf("%s is still there", name)
		}
	}
	journal := map[string]string{}
	if found, err := v.ReadJournal(1, &journal); err != nil || !found || journal["k"] != "v" {
		t.Errorf("journal: %v, %t, %v", journal, found, err)
	}
	if s, err := v.Sealed(1); s != nil || err != nil {
		t.Errorf("sealed before its time: %+v, %v", s, err)
	}
	want := Seal{Task: "install", UID: "u", Result: plan.Result{Version: "1.2", Files: 3}}
	if err := v.Seal(1, want); err != nil {
		t.Fatal(err)
	}
	if s, err := v.Sealed(1); err != nil || s == nil || s.Task != "install" || s.Result.Files != 3 {
		t.Errorf("seal: %+v, %v", s, err)
	}
	if err := v.Prepare(1); !errors.Is(err, ErrSealed) {
		t.Errorf("preparing a sealed generation: %v", err)
	}
	if err := os.WriteFile(v.Dir(1, sealName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Sealed(1); !errors.Is(err, ErrSeal) {
		t.Errorf("damaged seal: %v", err)
	}
	if err := v.Prepare(1); !errors.Is(err, ErrSealed) {
		t.Errorf("preparing over a damaged seal: %v", err)
	}
}

func TestListRemovePrune(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	for n := range int64(4) {
		if err := v.Make(n + 1); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "gen/01/x")
	write(t, dir, "gen/new/x")
	for _, n := range []int64{1, 3} {
		if err := v.Seal(n, Seal{}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := v.List()
	if want := []Info{{1, true}, {2, false}, {3, true}, {4, false}}; err != nil || !slices.Equal(list, want) {
		t.Errorf("got %v, %v", list, err)
	}
	// A directory that nobody may write to is removed all the same.
	write(t, v.Dir(2, WWW, "locked", "file"))
	if err := os.Chmod(v.Dir(2, WWW, "locked"), 0); err != nil {
		t.Fatal(err)
	}
	if err := v.Remove(2); err != nil || exists(dir, "gen/2") {
		t.Errorf("remove: %v", err)
	}
	if err := v.Remove(9); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
	write(t, dir, "staging/removed-7-x/www/y") // As a killed Remove leaves it.
	err = v.Prune(1)
	if err != nil || exists(dir, "gen/1") || exists(dir, "staging/removed-7-x") || !exists(dir, "gen/3/seal.json") || !exists(dir, "gen/4") {
		t.Errorf("prune: %v", err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	if _, err := Open(t.Context(), dir, 10*time.Millisecond); !errors.Is(err, ErrBusy) {
		t.Errorf("second agent: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, dir, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { v.Close() })
	second, err := Open(t.Context(), dir, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if _, err := Open(t.Context(), filepath.Join(dir, "nowhere"), 0); !errors.Is(err, ErrMissing) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no volume: %v", err)
	}
}
