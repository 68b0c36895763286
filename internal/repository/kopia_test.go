package repository_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/volume"
)

// stock runs the stock kopia program with its own configuration.
func stock(t *testing.T) func(args ...string) string {
	t.Helper()
	program, home := storagetest.Tool(t, "kopia"), t.TempDir()
	return func(args ...string) string {
		t.Helper()
		cmd := exec.Command(program, append(args, "--config-file", filepath.Join(home, "config"), "--log-dir", filepath.Join(home, "log"))...)
		cmd.Env = append(os.Environ(), "HOME="+home, "KOPIA_CACHE_DIRECTORY="+filepath.Join(home, "cache"), "KOPIA_PASSWORD="+password,
			"KOPIA_CHECK_FOR_UPDATES=false", "TZ=UTC")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("kopia %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
}

// TestStockProgram: the stock program lists, verifies and restores what we wrote, and we read what it wrote beside it.
func TestStockProgram(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		kopia := stock(t)
		r := create(t, p)
		www := makeSite(t, 1)
		s := snapshot(t, r, request(www, "the dump"))
		kopia(append([]string{"repository", "connect"}, p.kopia...)...)
		if list := kopia("snapshot", "list", "--all"); !strings.Contains(list, "sitewright@acme:/blog") || !strings.Contains(list, "pins:sitewright") {
			t.Errorf("kopia lists\n%s", list)
		}
		kopia("snapshot", "verify", "--verify-files-percent=100")
		// What is not UTF-8 has a stand-in there.
		if err := os.Rename(filepath.Join(www, "caf\xe9 in Latin-1"), filepath.Join(www, "caf\uefe9 in Latin-1")); err != nil {
			t.Fatal(err)
		}
		dest := filepath.Join(t.TempDir(), "restored")
		kopia("snapshot", "restore", s.ID, dest)
		// The program gives a directory the time of what is newest in it, and links microseconds; all else is the same.
		equalTrees(t, withoutOtherTimes(describeTree(t, www, leftOut...)), withoutOtherTimes(describeTree(t, filepath.Join(dest, "files", "www"))))
		if dump, err := os.ReadFile(filepath.Join(dest, "database", "001-data.sql")); string(dump) != "the dump" || err != nil {
			t.Errorf("%q, %v", dump, err)
		}
		own := t.TempDir()
		if err := os.WriteFile(filepath.Join(own, "file"), []byte("by kopia"), 0o644); err != nil {
			t.Fatal(err)
		}
		kopia("snapshot", "create", own)
		kopia("maintenance", "info")
		found, err := r.List(t.Context(), nil)
		if err != nil || len(found) != 2 {
			t.Fatalf("%+v, %v", found, err)
		}
		back := t.TempDir()
		if err := r.Restore(t.Context(), found[1].ID, "", back, repository.RestoreOptions{}); err != nil {
			t.Error(err)
		}
		if data, err := os.ReadFile(filepath.Join(back, "file")); string(data) != "by kopia" || err != nil {
			t.Errorf("%q, %v", data, err)
		}
		verify(t, r, s.ID, true)
	})
}

// TestStockRepository: a directory that the stock program made, with its blobs spread over subdirectories, is used as
// it is.
func TestStockRepository(t *testing.T) {
	kopia, dir := stock(t), t.TempDir()
	kopia("repository", "create", "filesystem", "--path", dir)
	s, err := volume.New(volume.Config{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := open(t, repository.Options{Store: s, Password: password, StateDir: t.TempDir()})
	verify(t, r, snapshot(t, r, request(makeSite(t, 1), "data")).ID, true)
	kopia("snapshot", "verify", "--verify-files-percent=100")
}

// otherTimes matches the times of directories and links.
var otherTimes = regexp.MustCompile(`( [dL][-a-z]+) \d+ `)

func withoutOtherTimes(lines []string) []string {
	for i, line := range lines {
		lines[i] = otherTimes.ReplaceAllString(line, "$1 ")
	}
	return lines
}
