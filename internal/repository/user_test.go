package repository_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage/volume"
)

const childUser = "REPOSITORY_TEST_USER"

// nobody is the user the agent could run as: owner of nothing that matters.
const nobody = 65534

// TestAsOrdinaryUser: without root a restore brings back all but owners, and a file that may not be read fails a backup.
func TestAsOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("run this test as root: it changes to another user")
	}
	base, err := os.MkdirTemp("", "ordinary-user-") // t.TempDir's parent is closed to others.
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	for _, dir := range []string{"store", "state", "dest"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s, err := volume.New(volume.Config{Path: filepath.Join(base, "store")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	www := makeSite(t, 1)
	if err := os.Chmod(filepath.Join(www, "wp-includes"), 0o555); err != nil {
		t.Fatal(err)
	}
	snap := snapshot(t, create(t, place{store: s}), request(www, "data"))
	program, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(filepath.Join(base, "program"), program, 0o755)
	}
	if err == nil {
		err = filepath.WalkDir(base, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, nobody, nobody))
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(base, "program"), "-test.run=^$")
	cmd.Dir = base
	cmd.Env = append(os.Environ(), childUser+"="+snap.ID)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as user %d: %v\n%s", nobody, err, out)
	}
	equalTrees(t, describeTree(t, www, leftOut...), describeTree(t, filepath.Join(base, "dest")))
}

// asOrdinaryUser is the child's part.
func asOrdinaryUser(id string) error {
	ctx := context.Background()
	s, err := volume.New(volume.Config{Path: "store"})
	if err != nil {
		return err
	}
	r, err := repository.Open(ctx, repository.Options{Store: s, Password: password, StateDir: "state"})
	if err != nil {
		return err
	}
	defer r.Close(ctx)
	if err := r.Restore(ctx, id, "files/www", "dest", repository.RestoreOptions{}); err != nil {
		return err
	}
	site := "unreadable"
	for _, dir := range []string{site, site + "/dir"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(site+"/dir/secret", []byte("x"), 0o000); err != nil {
		return err
	}
	if _, err := r.Snapshot(ctx, request(site, "data")); !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("a backup with an unreadable file: %w", err)
	}
	if err := errors.Join(os.Remove(site+"/dir/secret"), os.Chmod(site+"/dir", 0o000)); err != nil {
		return err
	}
	if _, err := r.Snapshot(ctx, request(site, "data")); !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("a backup with an unreadable directory: %w", err)
	}
	return nil
}
