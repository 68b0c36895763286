package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// removeTraces removes what the kubelet and containerd put at fixed places of
// the machine, whatever their configuration says, and of that only ours.
func (c *cluster) removeTraces() error {
	failed := errors.Join(c.removeLogLinks(), removeDeadSockets("/run/containerd/s"))
	// The addresses that each container got, under our network's name.
	results, err := filepath.Glob("/var/lib/cni/results/sitewright-*")
	failed = errors.Join(failed, err)
	for _, path := range results {
		// Beside it lies that of the loopback interface, under a name that every containerd uses.
		id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "sitewright-"), "-eth0")
		_ = os.Remove(filepath.Join(filepath.Dir(path), "cni-loopback-"+id+"-lo"))
		failed = errors.Join(failed, os.Remove(path))
	}
	for _, path := range []string{"kubelet.sock", "kubelet_internal_checkpoint"} {
		_ = os.Remove(filepath.Join("/var/lib/kubelet/device-plugins", path))
	}
	// Folders go when nobody else has anything in them: removing a full one fails.
	for _, path := range []string{
		"/var/log/containers", "/var/lib/kubelet/device-plugins", "/var/lib/kubelet",
		"/var/lib/cni/results", "/var/lib/cni", "/run/containerd/s", "/run/containerd/runc", "/run/containerd",
	} {
		_ = os.Remove(path)
	}
	return failed
}

func (c *cluster) removeLogLinks() error {
	links, failed := filepath.Glob("/var/log/containers/*.log")
	for _, path := range links {
		if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, c.path("logs")) {
			failed = errors.Join(failed, os.Remove(path))
		}
	}
	return failed
}

// removeDeadSockets removes the sockets on which nobody listens: a shim's has a
// hash for a name, so this tells those of ended shims from others' that live.
func removeDeadSockets(dir string) error {
	sockets, failed := filepath.Glob(filepath.Join(dir, "*"))
	for _, path := range sockets {
		connection, err := net.Dial("unix", path)
		if err == nil {
			_ = connection.Close()
			continue
		}
		failed = errors.Join(failed, os.Remove(path))
	}
	return failed
}
