package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// packed is the time of everything in an archive: it must be the same for ever, and no archiver likes 1970.
var packed = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// pack makes a .tar.gz of files below one leading directory. Nothing but their names and content decides its bytes.
func pack(ctx context.Context, top string, files map[string][]byte) ([]byte, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, dir := range append([]string{""}, directories(files)...) {
		h := &tar.Header{Typeflag: tar.TypeDir, Name: top + "/", Mode: 0o755, ModTime: packed}
		if dir != "" {
			h.Name += dir + "/"
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("packing %s: %w", h.Name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: top + "/" + name, Mode: 0o644, Size: int64(len(files[name])), ModTime: packed}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("packing %s: %w", h.Name, err)
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, fmt.Errorf("packing %s: %w", h.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	// Not compress/gzip: its output may change with a release of Go, and the checksums with it.
	var out bytes.Buffer
	if err := command(ctx, &archive, &out, "gzip", "--no-name", "-6"); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return out.Bytes(), nil
}
