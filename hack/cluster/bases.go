package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// base is a Debian root file system on which the project's Dockerfile builds
// instead of a public image. The packages are put in here, because a build has
// no network of its own; the Dockerfile installs those that are missing.
type base struct {
	name     string
	suite    string
	packages []string
}

var runtimePackages = []string{
	"apache2", "libapache2-mod-php", "php-mysql", "php-gd", "php-xml", "php-mbstring",
	"php-zip", "php-intl", "php-curl", "php-bcmath", "ca-certificates",
}

var bases = []base{
	{name: "php-8.2", suite: "bookworm", packages: runtimePackages},
	{name: "php-7.4", suite: "bullseye", packages: runtimePackages},
	{name: "php-8.4", suite: "trixie", packages: runtimePackages},
	{name: "mariadb", suite: "bookworm", packages: []string{"mariadb-server"}},
}

// baseImage returns the name of a base's image, which it makes when missing.
func (c *cluster) baseImage(ctx context.Context, name string) (string, error) {
	for _, b := range bases {
		if b.name != name {
			continue
		}
		key := digest(append([]string{b.suite}, b.packages...)...)
		image := "localhost/sitewright-base/" + b.name + ":" + key
		if _, err := output(c.buildah(ctx, "inspect", "--type", "image", image)); err == nil {
			return image, nil
		}
		dir, err := c.made(filepath.Join("bases", b.name+"-"+key), func(dir string) error {
			fmt.Printf("  making a root file system of Debian %s for %s\n", b.suite, b.name)
			return bootstrap(ctx, b, dir)
		})
		if err != nil {
			return "", err
		}
		_, err = output(c.buildah(ctx, "bud", "--isolation", "chroot", "--tag", image, dir))
		return image, err
	}
	return "", fmt.Errorf("no base named %q", name)
}

// bootstrap fills dir with the context of an image build: a Dockerfile and the
// root file system as one archive, which keeps owners and modes.
func bootstrap(ctx context.Context, b base, dir string) error {
	mirror, err := debianMirror(ctx)
	if err != nil {
		return err
	}
	root := filepath.Join(dir, "root")
	// debootstrap leaves a log in the root when it fails, which says more than its output.
	err = command(ctx, "debootstrap", "--variant=minbase", "--include="+strings.Join(b.packages, ","), b.suite, root, mirror)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(root, "debootstrap", "debootstrap.log"))
		return fmt.Errorf("%w\n%s", err, lastLines(string(log), 10))
	}
	if err := unmountBelow(root); err != nil {
		return err
	}
	if err := command(ctx, "tar", "--directory", root, "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*",
		"--numeric-owner", "--create", "--file", filepath.Join(dir, "root.tar"), "."); err != nil {
		return err
	}
	return errors.Join(removeTree(root), os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nADD root.tar /\n"), 0o644))
}

// buildah works on storage of its own in the cache, so that the machine's other
// images are left alone and a second checkout finds what the first one built.
func (c *cluster) buildah(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "buildah", append([]string{
		"--root", filepath.Join(c.cache, "buildah"), "--runroot", runDirectory + "-buildah", "--storage-driver", "overlay",
	}, args...)...)
}
