package repository_test

import (
	"fmt"
	"hash/crc64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

// makeSite makes a directory with what sites have: many small files, a few large, links, odd names, modes and times.
func makeSite(t *testing.T, seed uint64) string {
	t.Helper()
	www := t.TempDir()
	write := func(name string, data []byte, mode os.FileMode) {
		path := filepath.Join(www, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		write(fmt.Sprintf("wp-includes/dir%d/file%d.php", i%7, i), []byte(strings.Repeat(fmt.Sprintf("<?php echo %d; ", i), 200)), 0o644)
	}
	write("wp-content/uploads/big.jpg", storagetest.Data(seed, 12<<20), 0o640)
	write("wp-content/uploads/ümläut 日本 🦊.txt", []byte("x"), 0o600)
	write("wp-content/cache/page.html", []byte("left out"), 0o644)
	write("deep/left-out.tmp", []byte("left out"), 0o644)
	write("caf\xe9 in Latin-1", []byte("x"), 0o644)
	write("empty", nil, 0o444)
	write("run.sh", []byte("#!/bin/sh\n"), 0o755)
	write("planted.kopia-entry", []byte(`{"obj":"k0123"}`), 0o644)
	if err := os.MkdirAll(filepath.Join(www, "empty-dir"), 0o750); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"inside": "wp-includes/dir1", "outside": "/etc", "dangling": "../../nowhere"} {
		if err := os.Symlink(target, filepath.Join(www, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(www, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	age(t, www)
	return www
}

// age sets every time to its own past moment, with nanoseconds.
func age(t *testing.T, root string) {
	t.Helper()
	at := time.Date(2020, 1, 2, 3, 4, 5, 123456789, time.UTC)
	var paths []string
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range slices.Backward(paths) {
		ts := unix.NsecToTimespec(at.Add(time.Duration(i) * time.Minute).UnixNano())
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			t.Fatal(err)
		}
	}
}

// describeTree lists everything about a tree that a restore must bring back.
func describeTree(t *testing.T, root string, leaveOut ...string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if slices.Contains(leaveOut, rel) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = fmt.Sprintf("%d bytes, sum %x", len(data), checksum(data))
		case info.Mode()&os.ModeSymlink != 0:
			if content, err = os.Readlink(path); err != nil {
				return err
			}
		}
		lines = append(lines, fmt.Sprintf("%q %v %v %s", rel, info.Mode(), info.ModTime().UnixNano(), content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

var leftOut = []string{"wp-content/cache", "deep/left-out.tmp", "pipe"}

func equalTrees(t *testing.T, want, got []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing   %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("not wanted %s", line)
		}
	}
}

func checksum(data []byte) uint64 { return crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)) }
