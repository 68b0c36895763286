package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
)

// cost is what a command took.
type cost struct {
	wall time.Duration
	// peak is the most memory that the command itself had, in bytes. The kernel counts that of the process that starts it
	// too, until the command's own program runs, so this is never less than what this program has.
	peak int64
}

// do runs a command to its end. It and all that it starts end when ctx does.
func (b *bench) do(ctx context.Context, cmd *exec.Cmd) (cost, error) {
	if err := ctx.Err(); err != nil {
		return cost{}, err
	}
	var complaint bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &complaint
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err := cmd.Wait()
	c := cost{wall: time.Since(began)}
	stop()
	if err := ctx.Err(); err != nil {
		return c, err
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, lastLines(complaint.String(), 15))
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.peak = u.Maxrss << 10
	}
	return c, nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// script runs what people write today, in Bash. Its words come from the environment, and passwords from files.
func (b *bench) script(ctx context.Context, text string, variables map[string]string) (cost, error) {
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", text)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "OPTIONS=--defaults-file="+b.path("secrets", "client.cnf"),
		"RESTIC_REPOSITORY="+b.path("locations", "peer"), "RESTIC_PASSWORD_FILE="+b.path("secrets", "repository"),
		"RESTIC_CACHE_DIR="+b.path("restic-cache"))
	for name, value := range variables {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return b.do(ctx, cmd)
}

// agent carries out a plan as a Job does: in a process of its own, with an empty directory for caches.
func (b *bench) agent(ctx context.Context, p *plan.Plan) (cost, error) {
	document, err := json.Marshal(p)
	if err != nil {
		return cost{}, err
	}
	state, err := os.MkdirTemp(b.dir, "state-")
	if err != nil {
		return cost{}, err
	}
	defer os.RemoveAll(state)
	file, answer := filepath.Join(state, "plan.json"), filepath.Join(state, "result.json")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		return cost{}, err
	}
	cmd := exec.Command(b.program, "agent", "run", "--plan", file, "--result", answer, "--state", state, "--site", b.path("nowhere"))
	cmd.Env = append(os.Environ(), "TMPDIR="+state)
	c, err := b.do(ctx, cmd)
	if err != nil {
		return c, err
	}
	content, err := os.ReadFile(answer)
	if err != nil {
		return c, err
	}
	result, ok := plan.ParseResult(string(content))
	if !ok || result.Failure != nil {
		return c, fmt.Errorf("the agent answers %s", content)
	}
	return c, nil
}

// data runs a verb of sitewright data. Input and output are files; empty means none.
func (b *bench) data(ctx context.Context, input, output string, args ...string) (cost, error) {
	cmd := exec.Command(b.program, append([]string{"data", "--quiet"}, args...)...)
	if input != "" {
		from, err := os.Open(input)
		if err != nil {
			return cost{}, err
		}
		defer from.Close()
		cmd.Stdin = from
	}
	if output == "" {
		return b.do(ctx, cmd)
	}
	to, err := os.Create(output)
	if err != nil {
		return cost{}, err
	}
	cmd.Stdout = to
	c, err := b.do(ctx, cmd)
	return c, errors.Join(err, to.Close())
}
