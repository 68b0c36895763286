package repository_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/volume"
)

// A child process of this test is the writer that gets killed. It finds its orders in the environment.
const (
	childStore = "REPOSITORY_TEST_STORE"
	childSite  = "REPOSITORY_TEST_SITE"
	childState = "REPOSITORY_TEST_STATE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childStore); dir != "" {
		if err := writeForEver(dir); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	if id := os.Getenv(childUser); id != "" {
		if err := asOrdinaryUser(id); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeForEver takes snapshots, each with new data, and now and then runs maintenance, until it is killed.
func writeForEver(dir string) error {
	ctx := context.Background()
	s, err := volume.New(volume.Config{Path: dir})
	if err != nil {
		return err
	}
	r, err := repository.Open(ctx, repository.Options{Store: s, Password: password, StateDir: os.Getenv(childState)})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stdout, "open") // The killer's clock starts.
	www := os.Getenv(childSite)
	for i := 0; ; i++ {
		seed := uint64(time.Now().UnixNano())
		if err := os.WriteFile(filepath.Join(www, "changing"), storagetest.Data(seed, 25<<20), 0o644); err != nil {
			return err
		}
		snap, err := r.Snapshot(ctx, request(www, fmt.Sprint(seed)))
		if err == nil {
			_, err = r.Verify(ctx, snap.ID, repository.VerifyOptions{})
		}
		if err == nil && i%2 == 1 {
			err = r.Maintain(ctx, true)
		}
		if err != nil {
			return err
		}
	}
}

// TestKilledWriter: kill -9 at any moment leaves a repository that opens, whose older snapshots are whole, and that takes
// the next snapshot.
func TestKilledWriter(t *testing.T) {
	dir := storagetest.SmallDisk(t, 2<<30)
	s, err := volume.New(volume.Config{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := place{store: s}
	r := create(t, p)
	www := makeSite(t, 1)
	before := snapshot(t, r, request(www, "before"))
	want := describeTree(t, www, leftOut...)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 6 {
		if took := time.Duration(random.IntN(1200)) * time.Millisecond; !killWriter(t, dir, took) {
			t.Fatalf("round %d: the writer ended by itself", round)
		}
		r := open(t, repository.Options{Store: s, Password: password, StateDir: t.TempDir()})
		found, err := r.List(t.Context(), nil)
		if err != nil || len(found) == 0 || found[0].ID != before.ID {
			t.Fatalf("round %d: %+v, %v", round, found, err)
		}
		for _, snap := range found {
			verify(t, r, snap.ID, false)
		}
	}
	verify(t, r, before.ID, true)
	dest := t.TempDir()
	if err := r.Restore(t.Context(), before.ID, "files/www", dest, repository.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	equalTrees(t, want, describeTree(t, dest))
	verify(t, r, snapshot(t, r, request(www, "after")).ID, true)
	for info, err := range s.List(t.Context(), "") {
		if err != nil || storage.CheckName(info.Name) != nil {
			t.Errorf("%+v, %v", info, err)
		}
	}
}

// killWriter lets a writer work for a while after it opened the repository, and kills it. It returns whether that was
// what ended it.
func killWriter(t *testing.T, dir string, after time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childStore+"="+dir, childSite+"="+makeSite(t, 1), childState+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Errorf("the writer did not open the repository: %v", err)
	}
	time.Sleep(after)
	killed := cmd.Process.Kill() == nil
	_ = cmd.Wait()
	return killed && cmd.ProcessState.ExitCode() == -1
}
