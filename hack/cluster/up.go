package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// up brings up whatever is missing, in this order. Each step finds what an
// earlier run did, finished or killed, and does the rest.
func (c *cluster) up(ctx context.Context, bare bool) error {
	// The pod-resources socket is the longest that must be below the state folder.
	if socket := c.path("kubelet", "pod-resources", "kubelet.sock"); len(socket) > 107 {
		return fmt.Errorf("the checkout's path is too long for a socket (%s): move it to a shorter one", socket)
	}
	var v values
	steps := []struct {
		title string
		do    func() error
	}{
		{"packages from Debian", func() error { return installPackages(ctx, debianPackages) }},
		{"programs", func() error { return c.buildTools(ctx) }},
		{"claim this machine", func() error { return c.claim(ctx) }},
		{"network", func() error { return c.raiseNetwork(ctx) }},
		{"certificates", c.ensureCertificates},
		{"containerd", func() (err error) {
			if v, err = c.values(ctx); err != nil {
				return err
			}
			return c.startContainerd(ctx, v)
		}},
		{"images of the cluster's own pods", func() error { return c.importComponents(ctx) }},
		{"control plane", func() error { return c.startControlPlane(ctx) }},
		{"node", func() error { return c.startNode(v) }},
		{"volume provisioner", c.startProvisioner},
		{"mail server", func() error { return c.startMail(ctx, v) }},
		{"release mirror", func() error { return c.fillMirror(ctx) }},
		{"DNS, ingress, S3", func() error { return c.applyAddons(ctx, v) }},
		{"wait for the node", func() error { return c.waitForNode(ctx) }},
		{"wait for DNS, ingress, S3", func() error { return c.waitForAddons(ctx) }},
	}
	for _, s := range steps {
		if err := c.step(s.title, s.do); err != nil {
			return err
		}
	}
	fmt.Printf("\nThe cluster is up after %.0f s.\n  export KUBECONFIG=%s\n  export PATH=%s:$PATH\n",
		time.Since(c.began).Seconds(), c.kubeconfig(), c.path("bin"))
	if bare {
		return nil
	}
	return c.operatorAndDemo(ctx)
}

// claim makes this checkout the owner of the machine's one cluster. Another
// checkout's cluster, running or killed, is taken down first.
func (c *cluster) claim(ctx context.Context) error {
	owner, err := os.ReadFile(c.ownerPath())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if other := string(owner); other != "" && other != c.checkout {
		fmt.Printf("  a cluster of %s is on this machine: taking it down\n", other)
		previous := *c
		previous.checkout, previous.state = other, filepath.Join(other, ".cluster")
		if err := previous.down(ctx); err != nil {
			return fmt.Errorf("take down the cluster of %s: %w", other, err)
		}
	}
	if err := os.MkdirAll(c.state, 0o755); err != nil {
		return err
	}
	return writeFile(c.ownerPath(), []byte(c.checkout), 0o600)
}

func (c *cluster) ownerPath() string { return filepath.Join(c.run, "owner") }

// startProvisioner runs a copy of this very program: `go run` removes the
// original when it ends.
func (c *cluster) startProvisioner() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	content, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	program := c.path("provisioner")
	// Compared first, since a running program's file is not replaced without need.
	if now, err := os.ReadFile(program); err != nil || digest(string(now)) != digest(string(content)) {
		if err := writeFile(program, content, 0o755); err != nil {
			return err
		}
	}
	return c.ensure(c.provisioner())
}

func (c *cluster) provisioner() process {
	program := c.path("provisioner")
	return process{name: "provisioner", argv: []string{program, "provision"}, inputs: []string{program, c.cert("ca")}}
}
