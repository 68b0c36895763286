package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// projectImage is one image of the project's own Dockerfile.
type projectImage struct {
	name   string
	target string // stage of the Dockerfile
	base   string // what it is built on, see bases; empty: nothing
	extra  bool   // only made on request
}

var projectImages = []projectImage{
	{name: "localhost/sitewright/operator:dev", target: "operator"},
	{name: "localhost/sitewright/runtime:php-8.2", target: "runtime", base: "php-8.2"},
	{name: "localhost/sitewright/runtime:php-7.4", target: "runtime", base: "php-7.4"},
	{name: "localhost/sitewright/runtime:php-8.4", target: "runtime", base: "php-8.4", extra: true},
	{name: "localhost/sitewright/mariadb:dev", target: "mariadb", base: "mariadb"},
}

// buildProjectImages builds what the Dockerfile describes and imports what
// changed. It returns the names of those.
func (c *cluster) buildProjectImages(ctx context.Context, extra bool) ([]string, error) {
	if err := c.step("base images", func() error { return c.buildBases(ctx, extra) }); err != nil {
		return nil, err
	}
	dockerfile, err := os.ReadFile(filepath.Join(c.checkout, "Dockerfile"))
	if errors.Is(err, os.ErrNotExist) {
		fmt.Println("  there is no Dockerfile yet, so no image of the project")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := c.buildOperator(ctx); err != nil {
		return nil, err
	}
	var changed []string
	for _, image := range projectImages {
		stage := regexp.MustCompile(`(?im)^FROM\s.*\sAS\s+` + image.target + `\s*$`)
		if image.extra && !extra || !stage.Match(dockerfile) {
			continue
		}
		err := c.step("image "+image.name, func() error {
			id, err := c.buildImage(ctx, image)
			if err != nil {
				return err
			}
			imported, err := c.importImage(ctx, image.name, id)
			if imported {
				changed = append(changed, image.name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	// Buildah keeps a working container of each stage that others copy from, mounted.
	_, err = output(c.buildah(ctx, "rm", "--all"))
	return changed, err
}

// buildBases makes the root file systems that the images are built on.
func (c *cluster) buildBases(ctx context.Context, extra bool) error {
	for _, image := range projectImages {
		if image.base == "" || image.extra && !extra {
			continue
		}
		if _, err := c.baseImage(ctx, image.base); err != nil {
			return err
		}
	}
	return nil
}

// buildOperator makes the static program that the operator's image holds.
func (c *cluster) buildOperator(ctx context.Context) error {
	return c.step("program sitewright", func() error {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", "bin/sitewright", "./cmd/sitewright")
		cmd.Dir = c.checkout
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		_, err := output(cmd)
		return err
	})
}

// buildImage builds one stage and returns the image's id. Nothing changed gives
// the same id, from buildah's cache of layers.
func (c *cluster) buildImage(ctx context.Context, image projectImage) (string, error) {
	args := []string{"bud", "--isolation", "chroot", "--layers",
		"--target", image.target, "--tag", image.name, "--build-arg", "BINARY=prebuilt"}
	for _, b := range bases {
		if b.name != image.base {
			continue
		}
		reference, err := c.baseImage(ctx, b.name)
		if err != nil {
			return "", err
		}
		args = append(args, "--build-arg", "BASE="+reference, "--build-arg", "SUITE="+b.suite)
	}
	before, _ := c.imageID(ctx, image.name)
	if _, err := output(c.buildah(ctx, append(args, c.checkout)...)); err != nil {
		return "", err
	}
	id, err := c.imageID(ctx, image.name)
	if err == nil && before != "" && before != id {
		// Nothing else names it now, and the cache would grow by a program with each build.
		_, _ = output(c.buildah(ctx, "rmi", before))
	}
	return id, err
}

func (c *cluster) imageID(ctx context.Context, name string) (string, error) {
	id, err := output(c.buildah(ctx, "inspect", "--type", "image", "--format", "{{.FromImageID}}", name))
	return strings.TrimSpace(id), err
}

// importImage brings an image into containerd unless it is there. What is there
// is remembered by id: containerd names an image by another digest.
func (c *cluster) importImage(ctx context.Context, name, id string) (bool, error) {
	remembered := map[string]string{}
	path := c.path("images.json")
	if content, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(content, &remembered); err != nil {
			return false, fmt.Errorf("read %s: %w", path, err)
		}
	}
	present, err := c.imageList(ctx)
	if err != nil {
		return false, err
	}
	if remembered[name] == id && slices.Contains(present, name) {
		return false, nil
	}
	archive := c.path("image.tar")
	defer os.Remove(archive)
	_ = os.Remove(archive) // a killed run's: pushing refuses to add to it
	push := c.buildah(ctx, "push", name, "docker-archive:"+archive+":"+name)
	if _, err := output(push); err != nil {
		return false, err
	}
	if _, err := output(c.ctr(ctx, "images", "import", archive)); err != nil {
		return false, err
	}
	remembered = maps.Clone(remembered)
	remembered[name] = id
	content, err := json.Marshal(remembered)
	if err != nil {
		return false, err
	}
	return true, writeFile(path, content, 0o644)
}
