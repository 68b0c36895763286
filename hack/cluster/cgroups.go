package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const cgroupMount = "/sys/fs/cgroup"

// cgroupHierarchies are the folders in which a group can be made: one for
// version 2, one per controller for version 1.
func cgroupHierarchies() ([]string, error) {
	if isFile(filepath.Join(cgroupMount, "cgroup.controllers")) {
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, fmt.Errorf("find the machine's control groups: %w", err)
	}
	var all []string
	for _, entry := range entries {
		dir := filepath.Join(cgroupMount, entry.Name())
		if entry.IsDir() && entry.Name() != "unified" && isFile(filepath.Join(dir, "cgroup.procs")) {
			all = append(all, dir)
		}
	}
	return all, nil
}

// makeCgroups makes the group in which the kubelet puts its own. The kubelet
// refuses to start when it is missing.
func (c *cluster) makeCgroups() error {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return err
	}
	for _, dir := range hierarchies {
		group := filepath.Join(dir, cgroupRoot)
		if err := os.MkdirAll(group, 0o755); err != nil {
			return err
		}
		// In version 1 a new group of this controller may run nowhere until it is told where.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if content, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
				if err := os.WriteFile(filepath.Join(group, file), content, 0o644); err != nil {
					return fmt.Errorf("set %s of control group %s: %w", file, group, err)
				}
			}
		}
	}
	return nil
}

// removeCgroups ends what still runs in our groups, which is only containers,
// and removes them.
func (c *cluster) removeCgroups() error {
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return err
	}
	// Where both versions are mounted, runc makes groups of version 2 as well.
	hierarchies = append(hierarchies, filepath.Join(cgroupMount, "unified"))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var failed error
		for _, dir := range hierarchies {
			failed = errors.Join(failed, emptyCgroup(filepath.Join(dir, cgroupRoot)))
		}
		if failed == nil || time.Now().After(deadline) {
			return failed
		}
	}
}

func emptyCgroup(group string) error {
	var groups []string
	err := filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() {
			groups = append(groups, path)
		}
		return err
	})
	slices.Reverse(groups) // children before parents
	for _, path := range groups {
		content, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		for field := range strings.FieldsSeq(string(content)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		if removed := os.Remove(path); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return err
}
