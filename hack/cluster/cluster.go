package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Addresses of the cluster. Everything the machine itself opens is on the
// loopback interface or on nodeAddress, which lies on an interface of our own,
// so nothing depends on the machine's network.
const (
	podRange          = "10.244.0.0/16"
	nodePodRange      = "10.244.0.0/24" // what pods on the one node get
	serviceRange      = "10.96.0.0/16"
	nodeAddress       = "10.244.255.1"
	apiServiceAddress = "10.96.0.1"
	dnsAddress        = "10.96.0.10"
	apiPort           = "6443"
	apiURL            = "https://127.0.0.1:" + apiPort
	nodeName          = "sitewright"
)

// cluster knows where everything of one checkout's cluster lives.
type cluster struct {
	checkout string // the repository's top folder
	state    string // .cluster in it
	cache    string // shared by all checkouts of this user
	run      string // sockets and process records, shared by all checkouts: one cluster per machine
	began    time.Time
}

// runDirectory is machine-wide and short: unix socket paths may have no more
// than 107 characters, and a checkout's path may be long.
const runDirectory = "/run/sitewright"

func newCluster(checkout string) (*cluster, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the user's cache directory: %w", err)
	}
	return &cluster{
		checkout: checkout,
		state:    filepath.Join(checkout, ".cluster"),
		cache:    filepath.Join(cache, "sitewright"),
		run:      runDirectory,
		began:    time.Now(),
	}, nil
}

// findCheckout walks up from the working directory to the top folder of
// the project.
func findCheckout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if isFile(filepath.Join(dir, "hack/cluster/main.go")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not inside a checkout of the project: run this from its top folder")
		}
	}
}

func (c *cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.state}, elements...)...)
}

func (c *cluster) kubeconfig() string       { return c.path("kubeconfig") }
func (c *cluster) socket() string           { return filepath.Join(c.run, "containerd.sock") }
func (c *cluster) bin(name string) string   { return c.path("bin", name) }
func (c *cluster) cert(name string) string  { return c.path("certificates", name+".crt") }
func (c *cluster) key(name string) string   { return c.path("certificates", name+".key") }
func (c *cluster) login(name string) string { return c.path("certificates", name+".kubeconfig") }

// locked runs f while no other run of this program on the machine changes the
// cluster. The lock goes with the process, so a killed run leaves none behind.
func (c *cluster) locked(f func() error) error {
	return withLock(runDirectory+".lock", "another run of this program", f)
}

func withLock(path, holder string, f func() error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the lock: %w", err)
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Printf("waiting for %s to finish (it holds %s)\n", holder, path)
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			return fmt.Errorf("lock %s: %w", path, err)
		}
	}
	return f()
}

// step runs one stage and says which it is and how long it took.
func (c *cluster) step(title string, f func() error) error {
	start := time.Now()
	fmt.Printf("→ %s\n", title)
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	fmt.Printf("  %s: %.1f s\n", title, time.Since(start).Seconds())
	return nil
}

// waitFor asks until check answers nil; the last answer is part of the error.
func waitFor(ctx context.Context, what string, limit time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if fatal, ok := errors.AsType[endedError](err); ok {
			return fatal
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s, %s: %w", what, limit, err)
		case <-ticker.C:
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
