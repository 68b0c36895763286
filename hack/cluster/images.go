package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// componentImages are the cluster's own pods: each image holds one static program and nothing else.
var componentImages = []string{"pause", "coredns", "traefik", "versitygw", "fileserver"}

// componentImage names a component's image after what it was built from, so one
// that is there is the right one.
func (c *cluster) componentImage(ctx context.Context, name string) (string, error) {
	t, err := toolNamed(name)
	if err != nil {
		return "", err
	}
	key, err := c.toolKey(ctx, t)
	return "localhost/sitewright-cluster/" + name + ":" + key, err
}

// importComponents brings the components' images into containerd.
func (c *cluster) importComponents(ctx context.Context) error {
	present, err := c.imageList(ctx)
	if err != nil {
		return err
	}
	for _, name := range componentImages {
		reference, err := c.componentImage(ctx, name)
		if err != nil {
			return err
		}
		if slices.Contains(present, reference) {
			continue
		}
		if err := c.importProgram(ctx, reference, c.bin(name)); err != nil {
			return fmt.Errorf("import the image of %s: %w", name, err)
		}
	}
	return nil
}

// importProgram imports an image made of one static program.
func (c *cluster) importProgram(ctx context.Context, reference, program string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(writeImage(writer, reference, filepath.Base(program), content)) }()
	cmd := c.ctr(ctx, "images", "import", "-")
	cmd.Stdin = reader
	_, err = output(cmd)
	return errors.Join(err, reader.Close())
}

// writeImage writes an archive in the format of `docker save`, which containerd
// imports: one layer with one program, which is the image's entry point.
func writeImage(w io.Writer, reference, name string, program []byte) error {
	var layer bytes.Buffer
	if err := writeTar(&layer, map[string][]byte{name: program}); err != nil {
		return err
	}
	sum := sha256.Sum256(layer.Bytes())
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/" + name}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": "config.json", "RepoTags": []string{reference}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	return writeTar(w, map[string][]byte{"layer.tar": layer.Bytes(), "config.json": config, "manifest.json": manifest})
}

func writeTar(w io.Writer, files map[string][]byte) error {
	archive := tar.NewWriter(w)
	for name, content := range files {
		header := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// load imports image archives, as `buildah push … docker-archive:FILE` makes them.
func (c *cluster) load(ctx context.Context, files []string) error {
	if len(files) == 0 {
		return errors.New("name the image archives to load")
	}
	if err := c.mustRun("containerd"); err != nil {
		return errors.New("the cluster does not run: bring it up first")
	}
	for _, file := range files {
		if _, err := output(c.ctr(ctx, "images", "import", file)); err != nil {
			return fmt.Errorf("load %s: %w", file, err)
		}
	}
	return nil
}
