package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one program of the cluster that runs on the host.
type process struct {
	name string
	argv []string
	// inputs are files that it reads only when it starts: when their content
	// changes it is started again.
	inputs []string
}

// record says which process runs under a name. A process id alone could by
// now belong to somebody else; together with the start time it cannot. Records
// live in /run, which the next boot empties.
type record struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot, as in /proc/PID/stat
	Spec  string `json:"spec"`  // digest of arguments and inputs
}

// endedError stops a wait: what is waited for cannot come any more.
type endedError struct{ message string }

func (e endedError) Error() string { return e.message }

func (c *cluster) recordPath(name string) string {
	return filepath.Join(c.run, "processes", name+".json")
}

func (c *cluster) logPath(name string) string { return c.path("logs", name+".log") }

// ensure starts p unless it runs already as it should.
func (c *cluster) ensure(p process) error {
	spec, err := p.spec()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	if r, ok := c.running(p.name); ok && r.Spec == spec {
		return nil
	}
	if err := c.stop(p); err != nil {
		return err
	}
	return c.start(p, spec)
}

func (p process) spec() (string, error) {
	parts := append([]string{}, p.argv...)
	program, err := filepath.EvalSymlinks(p.argv[0])
	if err != nil {
		return "", err
	}
	parts = append(parts, program)
	for _, path := range p.inputs {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		parts = append(parts, string(content))
	}
	return digest(parts...), nil
}

// start runs p in a session of its own, so that neither the end of this
// program nor a signal to its terminal ends it.
func (c *cluster) start(p process, spec string) error {
	log := c.logPath(p.name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o755), os.MkdirAll(filepath.Dir(c.recordPath(p.name)), 0o755)); err != nil {
		return err
	}
	_ = os.Rename(log, log+".old")
	file, err := os.Create(log)
	if err != nil {
		return err
	}
	defer file.Close()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir = c.state
	cmd.Env = processEnvironment()
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() { _ = cmd.Wait() }() // reaped, so that its end is seen at once
	ticks, ok := startTime(cmd.Process.Pid)
	if !ok {
		return c.ended(p.name)
	}
	content, err := json.Marshal(record{PID: cmd.Process.Pid, Start: ticks, Spec: spec})
	if err != nil {
		return err
	}
	return writeFile(c.recordPath(p.name), content, 0o600)
}

// processEnvironment is this program's, without what only concerns builds and
// with every folder where Debian puts programs.
func processEnvironment() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch upper := strings.ToUpper(name); {
		case upper == "PATH", strings.HasSuffix(upper, "_PROXY"), upper == "KUBECONFIG", upper == "NOTIFY_SOCKET":
		default:
			env = append(env, pair)
		}
	}
	return env
}

// running returns the record under name if that very process still runs.
func (c *cluster) running(name string) (record, bool) {
	var r record
	content, err := os.ReadFile(c.recordPath(name))
	if err != nil || json.Unmarshal(content, &r) != nil {
		return r, false
	}
	return r, r.alive()
}

func (r record) alive() bool {
	ticks, ok := startTime(r.PID)
	return ok && r.PID > 1 && ticks == r.Start
}

// stop ends p: what is recorded under its name, and what a run that was killed
// started and had no time to record, which has the very same arguments.
func (c *cluster) stop(p process) error {
	records := strays(p.argv)
	if r, ok := c.running(p.name); ok {
		records = append(records, r)
	}
	for _, r := range records {
		if err := r.end(); err != nil {
			return fmt.Errorf("end %s: %w", p.name, err)
		}
	}
	return os.RemoveAll(c.recordPath(p.name))
}

// end asks the process to end and forces it after three seconds.
func (r record) end() error {
	for _, attempt := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if r.alive() {
			_ = syscall.Kill(r.PID, attempt)
		}
		for deadline := time.Now().Add(3 * time.Second); r.alive() && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if r.alive() {
		return fmt.Errorf("process %d does not end", r.PID)
	}
	return nil
}

// strays finds the processes that run with exactly these arguments. All of
// ours have paths of the state folder among them, so nobody else's match.
func strays(argv []string) []record {
	if len(argv) < 2 {
		return nil
	}
	wanted := strings.Join(argv, "\x00") + "\x00"
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []record
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil || string(content) != wanted {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if ticks, ok := startTime(pid); ok {
			found = append(found, record{PID: pid, Start: ticks})
		}
	}
	return found
}

// ended is the error for a process that is gone, with the end of its log.
func (c *cluster) ended(name string) error {
	content, _ := os.ReadFile(c.logPath(name))
	return endedError{fmt.Sprintf("%s ended; the last lines of %s:\n%s", name, c.logPath(name), lastLines(string(content), 12))}
}

// mustRun fails when the process under name has ended.
func (c *cluster) mustRun(name string) error {
	if _, ok := c.running(name); !ok {
		return c.ended(name)
	}
	return nil
}

// startTime is when process pid began, false if there is none or only its
// zombie. The second field of the file is the program's name in parentheses
// and may hold spaces, so fields are counted after the last parenthesis.
func startTime(pid int) (uint64, bool) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	text := string(content)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 || fields[0] == "Z" {
		return 0, false
	}
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	return ticks, err == nil
}
