// Command test runs every test of the project in two stages, first those that need no cluster, then test/e2e on the local
// one, and closes with one line: how many passed, failed and were skipped. It fails when any failed or was skipped, and
// when there was none: a test that cannot run is no test.
//
//	go run ./hack/test           everything
//	go run ./hack/test ./api/... only these packages, in one stage
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const endToEnd = "./test/e2e/..."

// stage is one run of go test.
type stage struct {
	name     string
	packages []string
	timeout  time.Duration // of each package
	parallel string        // packages at a time; empty: as many as there are processors
	before   func(context.Context) error
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	total, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		total.failed++
	}
	fmt.Println(total)
	if total.failed > 0 || total.skipped > 0 || total.passed == 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, packages []string) (counts, error) {
	var total counts
	if err := findTools(ctx); err != nil {
		return total, err
	}
	stages, err := plan(ctx, packages)
	if err != nil {
		return total, err
	}
	for _, s := range stages {
		fmt.Printf("== %s\n", s.name)
		if s.before != nil {
			if err := s.before(ctx); err != nil {
				return total, err
			}
		}
		c, err := s.run(ctx)
		total.add(c)
		if err != nil {
			return total, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return total, nil
}

// plan splits the tests into those that need a cluster and the others. There is no second stage where there are no such
// tests.
func plan(ctx context.Context, packages []string) ([]stage, error) {
	if len(packages) > 0 {
		return []stage{{name: "tests of " + strings.Join(packages, " "), packages: packages, timeout: 30 * time.Minute}}, nil
	}
	listed, err := output(exec.CommandContext(ctx, "go", "list", "./..."))
	if err != nil {
		return nil, err
	}
	first := stage{name: "tests without a cluster", timeout: 20 * time.Minute}
	second := stage{name: "end-to-end tests", timeout: 45 * time.Minute, parallel: "1", before: raiseCluster}
	for _, p := range strings.Fields(listed) {
		if strings.Contains(p+"/", "/test/e2e/") {
			second.packages = append(second.packages, p)
		} else {
			first.packages = append(first.packages, p)
		}
	}
	if len(second.packages) == 0 {
		fmt.Printf("there are no end-to-end tests in %s\n", endToEnd)
		return []stage{first}, nil
	}
	return []stage{first, second}, nil
}

// findTools makes the programs that tests run (an API server, etcd, kubectl, helm, an S3 server), unless they are made
// already, and tells the tests where they are.
func findTools(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "run", "./hack/cluster", "tools")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, &said), os.Stderr // it takes minutes the first time, and says so
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make the programs that tests need: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	folder := lines[len(lines)-1]
	if !filepath.IsAbs(folder) {
		return fmt.Errorf("the local cluster's tools command closed with %q instead of a folder", folder)
	}
	for name, value := range map[string]string{
		"KUBEBUILDER_ASSETS": folder,
		"SITEWRIGHT_TOOLS":   folder,
		"PATH":               folder + string(os.PathListSeparator) + os.Getenv("PATH"),
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// raiseCluster brings up the local cluster and tells the tests where it is.
func raiseCluster(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "run", "./hack/cluster", "up")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("bring up the local cluster: %w", err)
	}
	kubeconfig, err := filepath.Abs(".cluster/kubeconfig")
	if err != nil {
		return err
	}
	return os.Setenv("KUBECONFIG", kubeconfig)
}

func output(cmd *exec.Cmd) (string, error) {
	var complaint strings.Builder
	cmd.Stderr = &complaint
	said, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(said), nil
}
