package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test's binary the program itself; see TestMain.
const asProgram = "SITEWRIGHT_TEST_AS_PROGRAM"

// process is a run of the program as a process of its own.
type process struct {
	*exec.Cmd
	errs bytes.Buffer
}

func startProgram(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], append([]string{"data"}, args...)...)}
	p.Env = append(os.Environ(), asProgram+"=yes", "TMPDIR="+t.TempDir())
	p.Stderr = &p.errs
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// when waits until something is so while the process runs.
func (p *process) when(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) || p.Process.Signal(syscall.Signal(0)) != nil {
			_ = p.Process.Kill()
			t.Fatalf("it did not come so far: %s", p.errs.String())
		}
	}
}

// end sends a signal and returns how the process ended.
func (p *process) end(t *testing.T, s os.Signal) *exec.ExitError {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	exit, ok := errors.AsType[*exec.ExitError](p.Wait())
	if !ok {
		t.Fatalf("it was not stopped by %s: %s", s, p.errs.String())
	}
	return exit
}

// TestSignals: a restore that is interrupted or killed while it writes leaves no directory that looks whole, and the next
// one is whole and tidies up.
func TestSignals(t *testing.T) {
	files, location, parent := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv(repositoryPassword.env, repositorySecret)
	const count = 4000
	for i := range count {
		put(t, filepath.Join(files, fmt.Sprint(i%50), fmt.Sprint(i)), strings.Repeat(fmt.Sprint(i), 1000))
	}
	must(t, "", "create", location)
	must(t, "", "snapshot", "--site", "acme/page", "--application", "html", "--url", "http://page.example", "--files", files, location)
	target, temp := filepath.Join(parent, "www"), filepath.Join(parent, ".www.incomplete")
	args := []string{"restore", "--files", target, location, "acme/page"}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		p := startProgram(t, args...)
		p.when(t, func() bool {
			written, err := filepath.Glob(filepath.Join(temp, "*", "*"))
			return err == nil && len(written) > 100
		})
		exit := p.end(t, s)
		if _, err := os.Lstat(target); err == nil {
			t.Errorf("after %s there is a directory", s)
		}
		_, err := os.Lstat(temp)
		if s != syscall.SIGKILL && (err == nil || exit.ExitCode() != 1 || !strings.Contains(p.errs.String(), "canceled")) {
			t.Errorf("after %s: exit code %d, %s left %v: %s", s, exit.ExitCode(), temp, err == nil, p.errs.String())
		}
		if s == syscall.SIGKILL && err != nil {
			t.Errorf("killed too late: %v", err)
		}
	}
	if r := result[restored](t, must(t, "", args...).out); r.Files != count {
		t.Errorf("restore answers %+v", r)
	}
	same(t, files, target)
	if left := incomplete(t, parent); len(left) > 0 {
		t.Errorf("left beside: %q", left)
	}
}
