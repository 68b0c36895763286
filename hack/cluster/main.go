// Command cluster runs a real single-node Kubernetes on this machine, for
// trying the operator and for its end-to-end tests: etcd, the control plane,
// containerd and the kubelet as plain processes, everything else as pods. It
// needs no image registry and no release downloads: programs are built from
// Go modules, root file systems come from Debian's packages.
//
// The cluster's state lives in .cluster of the checkout. What is expensive to
// make (programs, root file systems) lives in the user's cache directory and
// is found there by a hash of what it was made from, so another checkout on
// the same machine starts warm. One cluster runs per machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: cluster COMMAND

  up [--bare]   bring up the cluster, the operator and the demo, whatever is missing of them;
                --bare stops after the cluster itself
  down          end it and remove everything it left on the machine
  images [--all]
                build the project's images and import what changed; --all: for every PHP version
  load FILE…    import image archives
  tools         build only the programs that tests need and print their folder
  packages NAME…
                install what is missing of these Debian packages, without starting services
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("no command given")
	}
	checkout, err := findCheckout()
	if err != nil {
		return err
	}
	c, err := newCluster(checkout)
	if err != nil {
		return err
	}
	command, args := args[0], args[1:]
	if command != "tools" && os.Geteuid() != 0 {
		return fmt.Errorf("%s must run as root: it mounts file systems, makes network interfaces and runs containers", command)
	}
	switch command {
	case "up":
		flags := flag.NewFlagSet("up", flag.ContinueOnError)
		bare := flags.Bool("bare", false, "stop after the cluster itself: no operator, no demo")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return c.locked(func() error { return c.up(ctx, *bare) })
	case "down":
		return c.locked(func() error { return c.down(ctx) })
	case "images":
		flags := flag.NewFlagSet("images", flag.ContinueOnError)
		all := flags.Bool("all", false, "make the runtime image of every PHP version")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return c.locked(func() error { return c.images(ctx, *all) })
	case "load":
		return c.load(ctx, args)
	case "tools":
		return c.tools(ctx)
	case "packages":
		return installPackages(ctx, args)
	case "provision":
		return c.provision(ctx)
	case "forward":
		return forward(ctx, args)
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("no command named %q", command)
}
