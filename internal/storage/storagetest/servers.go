package storagetest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// S3 is a running S3 server on loopback.
type S3 struct {
	// Endpoint is the server's URL.
	Endpoint string
	// AccessKey and SecretKey are valid.
	AccessKey, SecretKey string
	// Dir holds a directory per bucket and in it a file per object, for tests that damage them.
	Dir string
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
	s := S3{Endpoint: "http://" + FreeAddress(t), AccessKey: "test-access", SecretKey: "test-secret-do-not-print", Dir: dir}
	args := []string{"--port", s.Endpoint[len("http://"):], "--access", s.AccessKey, "--secret", s.SecretKey, "--region", "us-east-1", "--quiet"}
	args = append(append(args, extra...), "posix", dir)
	var log bytes.Buffer
	cmd := exec.Command(Tool(t, "versitygw"), args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		if r, err := http.Get(s.Endpoint + "/"); err == nil {
			r.Body.Close()
			return s
		}
		select {
		case <-exited:
			t.Fatalf("versitygw ended:\n%s", log.String())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("versitygw does not answer on %s", s.Endpoint)
		}
	}
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
