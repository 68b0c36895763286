package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed config
var configuration embed.FS

// cgroupRoot is the control group below which every container runs, and nothing
// else: whatever is in it is ours.
const cgroupRoot = "sitewright"

// values are what the files under config and manifests are filled with.
type values struct {
	State, Run, Socket, Cache, PauseImage                     string
	PodRange, NodePodRange, NodeAddress, DNSAddress, NodeName string
	CgroupRoot, Kubelet, Mail                                 string
	Images                                                    map[string]string
	Secrets                                                   map[string]string
}

func (c *cluster) values(ctx context.Context) (values, error) {
	images := map[string]string{}
	for _, name := range componentImages {
		reference, err := c.componentImage(ctx, name)
		if err != nil {
			return values{}, err
		}
		images[name] = reference
	}
	return values{
		State: c.state, Run: c.run, Socket: c.socket(), Cache: c.cache, PauseImage: images["pause"],
		PodRange: podRange, NodePodRange: nodePodRange, NodeAddress: nodeAddress, DNSAddress: dnsAddress,
		NodeName: nodeName, CgroupRoot: cgroupRoot, Images: images,
	}, nil
}

// fill makes text of an embedded template.
func fill(files embed.FS, name string, v values) ([]byte, error) {
	parsed, err := template.New(filepath.Base(name)).Option("missingkey=error").ParseFS(files, name)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, v); err != nil {
		return nil, fmt.Errorf("fill %s: %w", name, err)
	}
	return text.Bytes(), nil
}

// configure writes a component's configuration.
func (c *cluster) configure(name, path string, v values) error {
	text, err := fill(configuration, "config/"+name, v)
	if err != nil {
		return err
	}
	return writeFile(path, text, 0o644)
}

func (c *cluster) containerd() process {
	path := c.path("containerd.toml")
	return process{name: "containerd", argv: []string{"/usr/bin/containerd", "--config", path}, inputs: []string{path}}
}

func (c *cluster) startContainerd(ctx context.Context, v values) error {
	if err := c.configure("containerd.toml", c.path("containerd.toml"), v); err != nil {
		return err
	}
	if err := c.configure("cni.conflist", c.path("cni", "sitewright.conflist"), v); err != nil {
		return err
	}
	if err := c.ensure(c.containerd()); err != nil {
		return err
	}
	return waitFor(ctx, "containerd", 30*time.Second, func(ctx context.Context) error {
		if err := c.mustRun("containerd"); err != nil {
			return err
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, "unix", c.socket())
		if err != nil {
			return err
		}
		_ = connection.Close()
		_, err = c.imageList(ctx)
		return err
	})
}

// ctr is containerd's own client, on our containerd and the kubelet's namespace.
func (c *cluster) ctr(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ctr", append([]string{"--address", c.socket(), "--namespace", "k8s.io"}, args...)...)
}

// imageList is the names of the images that containerd has.
func (c *cluster) imageList(ctx context.Context) ([]string, error) {
	list, err := output(c.ctr(ctx, "images", "list", "-q"))
	return strings.Fields(list), err
}
