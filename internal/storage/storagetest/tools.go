package storagetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tools are the programs that tests run beside ours, with the modules they are built from.
var tools = map[string]string{
	"versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
	"minio":     "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
	"kopia":     "github.com/kopia/kopia@v0.23.1",
}

// Tool returns the path of a program: from $SITEWRIGHT_TOOLS, from .cluster/bin at the module's root, or built once
// into the user's cache. The test fails when it cannot be had.
func Tool(t testing.TB, name string) string {
	t.Helper()
	pkg, known := tools[name]
	if !known {
		t.Fatalf("no module is known for the tool %q", name)
	}
	for _, dir := range []string{os.Getenv("SITEWRIGHT_TOOLS"), clusterBin()} {
		if path := filepath.Join(dir, name); dir != "" && executable(path) {
			return path
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("%s must be built, and there is no cache directory to keep it: %v; set SITEWRIGHT_TOOLS to a directory that holds it", name, err)
	}
	path := filepath.Join(cache, "sitewright", filepath.Base(pkg), name)
	if err := build(t.Context(), pkg, path); err != nil {
		t.Fatalf("%s is needed: %v; build it with \"go install %s\" and set SITEWRIGHT_TOOLS to its directory", name, err, pkg)
	}
	return path
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// clusterBin finds .cluster/bin beside go.mod, above the directory the test runs in.
func clusterBin() string {
	dir, err := os.Getwd()
	for err == nil && dir != "/" {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return filepath.Join(dir, ".cluster", "bin")
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// build installs pkg at path unless it is there, with one builder at a time among all test processes.
func build(ctx context.Context, pkg, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	lock, err := os.Create(path + ".lock")
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if executable(path) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	stage, err := os.MkdirTemp(filepath.Dir(path), "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	// A module of its own, whose requirements are the program's and not ours. (go install needs the proxy's list of
	// versions, which not every proxy gives.)
	pkg, version, _ := strings.Cut(pkg, "@")
	module := strings.Join(strings.Split(pkg, "/")[:3], "/")
	mod := fmt.Sprintf("module tool\n\ngo 1.26\n\nrequire %s %s\n", module, version)
	if err := os.WriteFile(filepath.Join(stage, "go.mod"), []byte(mod), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-o", filepath.Base(path), pkg)
	cmd.Dir = stage
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return os.Rename(filepath.Join(stage, filepath.Base(path)), path)
}
