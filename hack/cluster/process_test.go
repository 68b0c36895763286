package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// A recorded process whose id now belongs to another one must count as ended,
// or taking a cluster down would kill a stranger.
func TestRecordOfARecycledProcessIDIsNotAlive(t *testing.T) {
	start, ok := startTime(os.Getpid())
	if !ok {
		t.Fatal("this test's own process has no start time")
	}
	if r := (record{PID: os.Getpid(), Start: start}); !r.alive() {
		t.Error("a process with the recorded start time counts as ended")
	}
	if r := (record{PID: os.Getpid(), Start: start - 1}); r.alive() {
		t.Error("a process with another start time counts as the recorded one")
	}
}

func TestStraysMatchAllArguments(t *testing.T) {
	argv := []string{"sleep", "61.5"}
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() { _ = cmd.Wait() }()
	isOurs := func(r record) bool { return r.PID == cmd.Process.Pid }
	// Until it has become another program, the child has this test's arguments.
	var found []record
	for deadline := time.Now().Add(10 * time.Second); len(found) == 0 && time.Now().Before(deadline); {
		found = strays(argv)
	}
	if !slices.ContainsFunc(found, isOurs) {
		t.Fatalf("process %d with arguments %q is not among %v", cmd.Process.Pid, argv, found)
	}
	if slices.ContainsFunc(strays([]string{"sleep", "61"}), isOurs) {
		t.Error("a process with other arguments is taken for ours")
	}
	for _, r := range found {
		if isOurs(r) {
			if err := r.end(); err != nil || r.alive() {
				t.Errorf("the process lives on: %v", err)
			}
		}
	}
}
