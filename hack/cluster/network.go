package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// guard is an empty bridge. It carries the node's own address, and low-priority
// routes send both ranges to it: whatever asks for a pod or a Service that is
// not there any more is dropped here and never follows the default route out of
// the machine. It is made before anything else and removed last.
const guard = "sitewright"

// fence is the second line of that defence, and keeps pods from the outside:
// the cluster is closed, and a refused connection fails at once where a lost
// one would wait.
const fence = `
table inet sitewright
delete table inet sitewright
table inet sitewright {
	chain forward {
		type filter hook forward priority 0; policy accept;
		ip saddr ` + podRange + ` ip daddr != { ` + podRange + `, ` + serviceRange + ` } meta l4proto tcp reject with tcp reset
		ip saddr ` + podRange + ` ip daddr != { ` + podRange + `, ` + serviceRange + ` } reject
	}
	chain postrouting {
		type filter hook postrouting priority 300; policy accept;
		ip daddr { ` + podRange + `, ` + serviceRange + ` } oifname != { "lo", "` + guard + `", "veth*" } drop
	}
}
`

func (c *cluster) raiseNetwork(ctx context.Context) error {
	if !isDirectory("/sys/class/net/" + guard) {
		if err := command(ctx, "ip", "link", "add", guard, "type", "bridge"); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"link", "set", guard, "up"},
		{"address", "replace", nodeAddress + "/32", "dev", guard},
		{"route", "replace", podRange, "dev", guard, "metric", "2000"},
		{"route", "replace", serviceRange, "dev", guard, "metric", "2000"},
	} {
		if err := command(ctx, "ip", args...); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(fence)
	if _, err := output(cmd); err != nil {
		return err
	}
	return c.forwarding("1")
}

// forwarding sets whether the machine routes between interfaces. What it was
// before the first `up` is kept, for `down` to put back.
func (c *cluster) forwarding(value string) error {
	const path = "/proc/sys/net/ipv4/ip_forward"
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	kept := c.run + "/ip_forward"
	if !isFile(kept) {
		if err := writeFile(kept, before, 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(value), 0o644)
}

// lowerNetwork runs when every client of the ranges is gone.
func (c *cluster) lowerNetwork(ctx context.Context) error {
	if before, err := os.ReadFile(c.run + "/ip_forward"); err == nil {
		if err := c.forwarding(strings.TrimSpace(string(before))); err != nil {
			return err
		}
	}
	tables, err := output(exec.CommandContext(ctx, "nft", "list", "tables"))
	if err != nil {
		return err
	}
	for _, table := range []string{"ip kube-proxy", "ip6 kube-proxy", "inet sitewright"} {
		if !strings.Contains(tables+"\n", "table "+table+"\n") {
			continue
		}
		if err := command(ctx, "nft", append([]string{"delete", "table"}, strings.Fields(table)...)...); err != nil {
			return err
		}
	}
	if isDirectory("/sys/class/net/" + guard) {
		return command(ctx, "ip", "link", "delete", guard)
	}
	return nil
}
