package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

func (c *cluster) startNode(ctx context.Context, v values) error {
	kubelet, err := c.configure("kubelet.yaml", c.path("kubelet.yaml"), v)
	if err != nil {
		return err
	}
	proxy, err := c.configure("proxy.yaml", c.path("proxy.yaml"), v)
	if err != nil {
		return err
	}
	if err := c.makeCgroups(); err != nil {
		return err
	}
	if _, err := c.ensure(process{name: "kubelet", argv: []string{
		c.bin("kubelet"), "--config=" + kubelet, "--kubeconfig=" + c.login("kubelet"),
		"--root-dir=" + c.path("kubelet"), "--cert-dir=" + c.path("certificates"),
		"--hostname-override=" + nodeName, "--node-ip=" + nodeAddress,
	}, inputs: []string{kubelet, c.cert("ca")}}); err != nil {
		return err
	}
	_, err = c.ensure(process{name: "kube-proxy", argv: []string{c.bin("kube-proxy"), "--config=" + proxy},
		inputs: []string{proxy, c.cert("ca")}})
	return err
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
