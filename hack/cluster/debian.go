package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// debianPackages is all that the cluster and the tests take from Debian.
var debianPackages = []string{
	"containerd", "runc", "containernetworking-plugins", // pods
	"nftables", "iproute2", "conntrack", "iptables", // their network
	"socat",                                            // kubectl port-forward with this containerd
	"debootstrap", "buildah", "debian-archive-keyring", // images
	"e2fsprogs", "mount", // volumes of a fixed size
	"ca-certificates",
	"apache2", "apache2-utils", "openssh-server", "proftpd-core", "proftpd-mod-crypto", "openssl", // servers that tests of storage run
	"exim4-daemon-light",                     // takes mails
	"mariadb-server", "php-cli", "php-mysql", // for tests of the data path, which start their own servers
}

// installPackages installs what is missing of names.
func installPackages(ctx context.Context, names []string) error {
	missing := missingPackages(ctx, names)
	if len(missing) == 0 {
		return nil
	}
	fmt.Printf("  installing %s\n", strings.Join(missing, " "))
	restore, err := forbidServices()
	if err != nil {
		return err
	}
	defer restore()
	install := func() error {
		args := append([]string{"install", "-y", "-q", "--no-install-recommends"}, missing...)
		return apt(ctx, args...)
	}
	// The lists on a fresh machine are missing or too old, and refreshing them
	// on every run would be slow: refresh when installing fails. An installation
	// that was interrupted is finished first.
	if err := install(); err != nil {
		if err := errors.Join(command(ctx, "dpkg", "--configure", "-a"), apt(ctx, "update", "-q")); err != nil {
			return err
		}
		return install()
	}
	return nil
}

func missingPackages(ctx context.Context, names []string) []string {
	var missing []string
	for _, name := range names {
		status, _ := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Status}", name).Output()
		if string(status) != "install ok installed" {
			missing = append(missing, name)
		}
	}
	return missing
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	// Not ended with this program: half-installed packages are worse than a late end.
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	_, err := output(cmd)
	return err
}

// forbidServices keeps Debian from starting the services that it installs
// (containerd, MariaDB): ours run with their own configuration and state. A
// policy that the machine has already is left alone.
func forbidServices() (restore func(), err error) {
	const policy = "/usr/sbin/policy-rc.d"
	// 101 means "action forbidden by policy".
	const ours = "#!/bin/sh\n# Put here by hack/cluster while it installs packages.\nexit 101\n"
	if now, err := os.ReadFile(policy); !errors.Is(err, fs.ErrNotExist) && string(now) != ours {
		return func() {}, err
	}
	if err := os.WriteFile(policy, []byte(ours), 0o755); err != nil {
		return nil, fmt.Errorf("keep services from being started by package installation: %w", err)
	}
	return func() { _ = os.Remove(policy) }, nil
}

// debianMirror is where this machine's own APT configuration gets Debian's
// main archive from.
func debianMirror(ctx context.Context) (string, error) {
	find := func() string {
		targets, err := exec.CommandContext(ctx, "apt-get", "indextargets",
			"--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages").Output()
		if err != nil {
			return ""
		}
		for line := range strings.Lines(string(targets)) {
			if uri, ok := strings.CutPrefix(strings.TrimSpace(line), "Debian|Debian|"); ok {
				return uri
			}
		}
		return ""
	}
	if uri := find(); uri != "" {
		return uri, nil
	}
	if err := apt(ctx, "update", "-q"); err != nil {
		return "", err
	}
	if uri := find(); uri != "" {
		return uri, nil
	}
	return "", errors.New("APT on this machine knows no Debian archive: add one under /etc/apt/sources.list.d")
}
