package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// event is a line of go test -json; see go doc test2json. Lines about builds have no Action that we know, or name what
// failed in ImportPath.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// run runs a stage's tests and reports as they end. An error is something wrong with the run itself: failing tests are
// only counted.
func (s stage) run(ctx context.Context) (counts, error) {
	args := []string{"test", "-json", "-timeout", s.timeout.String()}
	if s.parallel != "" {
		args = append(args, "-p", s.parallel)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, s.packages...)...)
	cmd.Stderr = os.Stderr
	// Tests clean up after themselves when they are interrupted, not when they are killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return counts{}, err
	}
	if err := cmd.Start(); err != nil {
		return counts{}, err
	}
	r := newReport(os.Stdout)
	readErr := r.read(pipe)
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return r.total, ctx.Err()
	case readErr != nil:
		return r.total, readErr
	case errors.As(err, &exit) && r.total.failed == 0:
		return r.total, fmt.Errorf("no test failed, but go test did: %w", err)
	case err != nil && exit == nil:
		return r.total, err
	}
	return r.total, nil
}

func (r *report) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprintln(r.to, line) // not from a test: say it as it is
			} else {
				r.handle(e)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what go test says: %w", err)
		}
	}
}
