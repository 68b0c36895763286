package storagetest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// S3 is a running S3 server on loopback.
type S3 struct {
	// Endpoint is the server's URL.
	Endpoint string
	// AccessKey and SecretKey are valid.
	AccessKey, SecretKey string
	// Dir holds a directory per bucket and in it a file per object, for tests that damage them.
	Dir string
	// Daemon is the server program.
	Daemon *Daemon
}

// Bucket makes a bucket.
func (s S3) Bucket(t testing.TB, name string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(s.Dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
}

// StartS3 runs versitygw with its posix backend on dir until the test ends.
func StartS3(t testing.TB, dir string, extra ...string) S3 {
	t.Helper()
	address := FreeAddress(t)
	s := S3{Endpoint: "http://" + address, AccessKey: "test-access", SecretKey: "test-secret-do-not-print", Dir: dir}
	args := []string{"--port", address, "--access", s.AccessKey, "--secret", s.SecretKey, "--region", "us-east-1", "--quiet"}
	s.Daemon = StartDaemon(t, address, Tool(t, "versitygw"), append(append(args, extra...), "posix", dir)...)
	return s
}

// StartMinIO runs MinIO's server on dir until the test ends. env is added to its environment, which is how it is configured.
func StartMinIO(t testing.TB, dir string, env ...string) S3 {
	t.Helper()
	address, console := FreeAddress(t), FreeAddress(t)
	s := S3{Endpoint: "http://" + address, AccessKey: "test-access", SecretKey: "test-secret-do-not-print", Dir: dir}
	args := append([]string{"MINIO_ROOT_USER=" + s.AccessKey, "MINIO_ROOT_PASSWORD=" + s.SecretKey, "MINIO_SITE_REGION=us-east-1",
		"MINIO_BROWSER=off", "MINIO_UPDATE=off"}, env...)
	args = append(args, Tool(t, "minio"), "server", "--quiet", "--address", address, "--console-address", console, dir)
	s.Daemon = StartDaemon(t, address, "env", args...) // env becomes the program that it starts.
	return s
}

// FreeAddress returns a loopback address on which nobody listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// SmallDisk mounts a file system of size bytes for the test. It needs root.
func SmallDisk(t testing.TB, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatalf("mount a small file system at %s: %v; run this test as root", dir, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// Remount makes a SmallDisk read-only, or writable again.
func Remount(t testing.TB, dir string, readOnly bool) {
	t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if readOnly {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, ""); err != nil {
		t.Fatalf("remount %s: %v", dir, err)
	}
}
