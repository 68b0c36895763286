package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

func (c *cluster) startNode(v values) error {
	if err := c.configure("kubelet.yaml", c.path("kubelet.yaml"), v); err != nil {
		return err
	}
	if err := c.configure("proxy.yaml", c.path("proxy.yaml"), v); err != nil {
		return err
	}
	if err := c.makeCgroups(); err != nil {
		return err
	}
	return errors.Join(c.ensure(c.kubelet()), c.ensure(c.proxy()))
}

func (c *cluster) kubelet() process {
	configuration := c.path("kubelet.yaml")
	return process{name: "kubelet", argv: []string{
		c.bin("kubelet"), "--config=" + configuration, "--kubeconfig=" + c.login("kubelet"),
		"--root-dir=" + c.path("kubelet"), "--cert-dir=" + c.path("certificates"),
		"--hostname-override=" + nodeName, "--node-ip=" + nodeAddress,
	}, inputs: []string{configuration, c.cert("ca")}}
}

func (c *cluster) proxy() process {
	configuration := c.path("proxy.yaml")
	return process{name: "kube-proxy", argv: []string{c.bin("kube-proxy"), "--config=" + configuration},
		inputs: []string{configuration, c.cert("ca")}}
}

// waitForNode waits until pods can be scheduled.
func (c *cluster) waitForNode(ctx context.Context) error {
	return waitFor(ctx, "the node to be Ready", 2*time.Minute, func(ctx context.Context) error {
		for _, name := range []string{"kubelet", "kube-proxy"} {
			if err := c.mustRun(name); err != nil {
				return err
			}
		}
		ready, err := output(c.kubectl(ctx, "get", "node", nodeName, "-o",
			`jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].message}`))
		if err == nil && !strings.HasPrefix(ready, "True") {
			err = fmt.Errorf("node is not Ready: %s", ready)
		}
		return err
	})
}

func (c *cluster) kubectl(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, c.bin("kubectl"), append([]string{"--kubeconfig", c.kubeconfig()}, args...)...)
}
