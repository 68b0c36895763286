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

const kubernetesVersion = "v1.37.2"

// tool is a program that is built from Go source.
type tool struct {
	name    string
	pkg     string // what to build
	version string // of its module; empty for what this repository holds
	module  string // folder of the module that names its version, for what cannot be installed by pkg@version
	ldflags string
	test    bool // the cluster itself does without
}

// tools is every program that the cluster and the tests run, with its version.
var tools = []tool{
	{name: "kubernetes", pkg: ".", module: "hack/cluster/kubernetes",
		ldflags: "-X k8s.io/component-base/version.gitVersion=" + kubernetesVersion},
	{name: "helm", pkg: "helm.sh/helm/v4/cmd/helm", version: "v4.3.1"},
	{name: "versitygw", pkg: "github.com/versity/versitygw/cmd/versitygw", version: "v1.8.0"},
	{name: "minio", pkg: "github.com/minio/minio", version: "v0.0.0-20260212201848-7aac2a2c5b7c", test: true},
	{name: "coredns", pkg: "github.com/coredns/coredns", version: "v1.15.0"},
	{name: "traefik", pkg: "github.com/traefik/traefik/v3/cmd/traefik", module: "hack/cluster/traefik"},
	{name: "pause", pkg: "./hack/cluster/pause"},
	{name: "fileserver", pkg: "./hack/cluster/fileserver"},
}

// kubernetesNames are what the kubernetes program is called by. envtest looks
// for three of them in one folder.
var kubernetesNames = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "etcd"}

// testTools is what tests need without a cluster.
var testTools = []string{"kubernetes", "helm", "versitygw", "minio"}

// tools builds what tests need and prints the folder where it is. As root it installs Debian's part of that, too: the
// database server and PHP that tests start.
func (c *cluster) tools(ctx context.Context) error {
	if os.Geteuid() == 0 {
		if err := c.step("packages from Debian", func() error { return installPackages(ctx, debianPackages) }); err != nil {
			return err
		}
	}
	for _, name := range testTools {
		if err := c.step("program "+name, func() error { return c.buildTool(ctx, name) }); err != nil {
			return err
		}
	}
	fmt.Println(c.path("bin"))
	return nil
}

func (c *cluster) buildTools(ctx context.Context) error {
	for _, t := range tools {
		if t.test {
			continue
		}
		if err := c.step("program "+t.name, func() error { return c.buildTool(ctx, t.name) }); err != nil {
			return err
		}
	}
	return nil
}

// buildTool puts a program into the cache, unless it is there, and a symbolic
// link to it into .cluster/bin.
func (c *cluster) buildTool(ctx context.Context, name string) error {
	t, err := toolNamed(name)
	if err != nil {
		return err
	}
	key, err := c.toolKey(ctx, t)
	if err != nil {
		return err
	}
	dir, err := c.made(filepath.Join("bin", t.name+"-"+key), func(dir string) error { return c.build(ctx, t, dir) })
	if err != nil {
		return err
	}
	names := []string{t.name}
	if t.name == "kubernetes" {
		names = append(names, kubernetesNames...)
	}
	for _, name := range names {
		if err := link(filepath.Join(dir, t.name), c.bin(name)); err != nil {
			return err
		}
	}
	return nil
}

func toolNamed(name string) (tool, error) {
	for _, t := range tools {
		if t.name == name {
			return t, nil
		}
	}
	return tool{}, fmt.Errorf("no program named %q in the table of tools", name)
}

// toolKey changes whenever building again would give another program.
func (c *cluster) toolKey(ctx context.Context, t tool) (string, error) {
	goVersion, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("ask for Go's version: %w", err)
	}
	source := ""
	switch {
	case t.module != "":
		source, err = folderContent(filepath.Join(c.checkout, t.module))
	case t.version == "":
		source, err = folderContent(filepath.Join(c.checkout, t.pkg))
	}
	return digest(string(goVersion), t.pkg, t.version, t.ldflags, source), err
}

func (c *cluster) build(ctx context.Context, t tool, dir string) error {
	flags := []string{"-trimpath", "-ldflags", strings.TrimSpace("-s -w " + t.ldflags)}
	cmd := exec.CommandContext(ctx, "go")
	cmd.Dir = filepath.Join(c.checkout, t.module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if t.version != "" {
		cmd.Args = append(append(cmd.Args, "install"), append(flags, t.pkg+"@"+t.version)...)
		cmd.Env = append(cmd.Env, "GOBIN="+dir)
	} else {
		cmd.Args = append(append(cmd.Args, "build"), append(flags, "-o", filepath.Join(dir, t.name), t.pkg)...)
	}
	_, err := output(cmd)
	return err
}

// link makes or replaces a symbolic link.
func link(target, path string) error {
	if now, err := os.Readlink(path); err == nil && now == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary := path + ".new"
	_ = os.Remove(temporary)
	return errors.Join(os.Symlink(target, temporary), os.Rename(temporary, path))
}
