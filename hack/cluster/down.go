package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// down ends the cluster and removes all it left on the machine: processes,
// containers, mounts, control groups, network, state. It needs no earlier step to
// have finished and works on what a killed run left. The network goes last, when
// nobody is left who could send to the cluster's addresses.
func (c *cluster) down(ctx context.Context) error {
	owner, _ := os.ReadFile(c.ownerPath())
	if other := string(owner); other != "" && other != c.checkout {
		return fmt.Errorf("the cluster on this machine is that of %s: run down there", other)
	}
	return errors.Join(
		c.step("processes", c.stopProcesses),
		c.step("containers", c.endContainers),
		c.step("mounts", func() error {
			return errors.Join(unmountBelow(c.state), unmountBelow(c.run), unmountBelow(filepath.Join(c.cache, "buildah")))
		}),
		c.step("network", func() error { return c.lowerNetwork(ctx) }),
		c.step("state", c.removeState),
	)
}

// stopProcesses ends clients before the servers that they call, and containerd
// last of all, so that nothing starts again what was ended.
func (c *cluster) stopProcesses() error {
	var failed error
	for _, p := range []process{
		c.panel(""), c.mail(), c.kubelet(), c.provisioner(), c.proxy(), c.scheduler(), c.controllerManager(), c.apiServer(), c.etcd(), c.containerd(),
	} {
		failed = errors.Join(failed, c.stop(p))
	}
	return failed
}

// endContainers ends the shims first, which would otherwise report and clean up
// after each container, then everything in our control groups.
func (c *cluster) endContainers() error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		shims, err := c.shims()
		if err != nil {
			return err
		}
		if len(shims) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("containerd's shims do not end: processes %v", shims)
		}
		for _, pid := range shims {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return c.removeCgroups()
}

// shims finds the processes that watch our containers: they are told apart from
// other containerds' by the address of the socket, which only ours has.
func (c *cluster) shims() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		content, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil {
			continue
		}
		args := strings.Split(string(content), "\x00")
		at := slices.Index(args, "-address")
		if strings.HasPrefix(filepath.Base(args[0]), "containerd-shim") && at > 0 && at+1 < len(args) && args[at+1] == c.socket() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// removeState leaves .cluster/bin, which only links to the cache.
func (c *cluster) removeState() error {
	entries, err := os.ReadDir(c.state)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var failed error
	for _, entry := range entries {
		if entry.Name() != "bin" {
			failed = errors.Join(failed, removeTree(c.path(entry.Name())))
		}
	}
	return errors.Join(failed, c.removeTraces(), removeTree(c.run), removeTree(c.run+"-buildah"))
}
