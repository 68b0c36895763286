package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Process is a process in a container of the cluster, as this machine knows it.
type Process struct {
	PID int
	// Argv is its command line.
	Argv []string
	// began tells it from a later process of the same PID.
	began string
}

// Kill ends the process at once, as nothing that it could hear of: kill -9. It returns os.ErrProcessDone when it had ended before.
func (p *Process) Kill() error {
	// What is opened stays this process, whoever gets the number after it.
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return err
	}
	defer func() { _ = handle.Release() }()
	if !p.Runs() {
		return os.ErrProcessDone
	}
	return handle.Signal(syscall.SIGKILL)
}

// Runs says whether the process still runs.
func (p *Process) Runs() bool {
	began, state := statOf(p.PID)
	return began == p.began && state != "Z" && state != "X"
}

// statOf reads when a process began, and its state; empty where there is none.
func statOf(pid int) (began, state string) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	// The name, in parentheses, may hold anything.
	_, rest, found := strings.Cut(string(b[max(0, strings.LastIndex(string(b), ")")):]), ") ")
	fields := strings.Fields(rest)
	if err != nil || !found || len(fields) < 20 {
		return "", ""
	}
	return fields[19], fields[0]
}

// Find returns the process of a pod whose command line begins with a program of this name and holds all the words; nil when there is none.
func Find(pod *corev1.Pod, program string, words ...string) *Process {
	found, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range found {
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		argv := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		if err != nil || filepath.Base(argv[0]) != program {
			continue
		}
		missing := slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(argv[1:], w) })
		groups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
		if err != nil || missing || !strings.Contains(string(groups), "/pod"+string(pod.UID)+"/") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if began, _ := statOf(pid); began != "" {
			return &Process{PID: pid, Argv: argv, began: began}
		}
	}
	return nil
}

// Pod returns the newest pod of a namespace with these labels which is not on its way out, nil when there is none.
func (c *Cluster) Pod(ctx context.Context, namespace string, labels map[string]string) (*corev1.Pod, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(labels)); err != nil {
		return nil, fmt.Errorf("listing pods of %v in %s: %w", labels, namespace, err)
	}
	var newest *corev1.Pod
	for i := range pods.Items {
		p := &pods.Items[i]
		if p.DeletionTimestamp == nil && (newest == nil || newest.CreationTimestamp.Before(&p.CreationTimestamp)) {
			newest = p
		}
	}
	return newest, nil
}

// Started is a process that the caller started and has not waited for.
func Started(pid int) *Process {
	began, _ := statOf(pid)
	return &Process{PID: pid, began: began}
}
