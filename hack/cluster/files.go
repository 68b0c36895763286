package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// writeFile replaces a file whole, so that a killed run leaves the old one or
// the new one.
func writeFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(temporary.Name(), path)
}

// made returns the path of a folder in the cache, which make fills if it is not
// there. It is filled under a temporary name, so what is there is complete.
func (c *cluster) made(name string, make func(dir string) error) (string, error) {
	path := filepath.Join(c.cache, name)
	if isDirectory(path) {
		return path, nil
	}
	err := withLock(path+".lock", "another run that makes "+name, func() error {
		if isDirectory(path) {
			return nil
		}
		temporary := path + ".part"
		if err := errors.Join(removeTree(temporary), os.MkdirAll(temporary, 0o755)); err != nil {
			return err
		}
		if err := make(temporary); err != nil {
			return errors.Join(err, removeTree(temporary))
		}
		return os.Rename(temporary, path)
	})
	_ = os.Remove(path + ".lock")
	return path, err
}

// digest names content: the same parts give the same 12 characters.
func digest(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// folderContent is all of a source folder as one string, for digest.
func folderContent(dir string) (string, error) {
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s:%d:%s", filepath.Base(path), len(content), content)
		return err
	})
	return all.String(), err
}

// command runs a program; its output is shown only when it fails.
func command(ctx context.Context, name string, args ...string) error {
	_, err := output(exec.CommandContext(ctx, name, args...))
	return err
}

// output runs a prepared command and returns its standard output; an error
// carries the last lines of what it said. The command ends with this program,
// even when that is killed.
func output(cmd *exec.Cmd) (string, error) {
	// The kernel sends the signal when the thread ends that started the command.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	var stdout, both bytes.Buffer
	cmd.Stdout = &tee{&stdout, &both}
	cmd.Stderr = &both
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, lastLines(both.String(), 15))
	}
	return stdout.String(), nil
}

type tee struct{ a, b *bytes.Buffer }

func (t *tee) Write(p []byte) (int, error) {
	t.b.Write(p)
	return t.a.Write(p)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
