package storagetest

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Daemon is a server program that runs until the test ends, and can be killed and started again before.
type Daemon struct {
	name    string
	args    []string
	address string
	log     *os.File
	cmd     *exec.Cmd
	exited  chan struct{}
}

// StartDaemon starts a program in the foreground and returns when it accepts connections at address.
func StartDaemon(t testing.TB, address, program string, args ...string) *Daemon {
	t.Helper()
	// A file, not a pipe: children that outlive the program for a moment would keep a pipe open.
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(program)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{name: program, args: args, address: address, log: log}
	d.Start(t)
	t.Cleanup(func() {
		d.Kill()
		log.Close()
	})
	return d
}

// Start runs the program, again after Kill.
func (d *Daemon) Start(t testing.TB) {
	t.Helper()
	d.cmd = exec.Command(d.name, d.args...)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", d.name, err)
	}
	exited := make(chan struct{})
	d.exited = exited
	go func(cmd *exec.Cmd) { _ = cmd.Wait(); close(exited) }(d.cmd)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if c, err := net.Dial("tcp", d.address); err == nil {
			c.Close()
			return
		}
		select {
		case <-exited:
			t.Fatalf("%s ended:\n%s", d.name, d.Log())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer on %s:\n%s", d.name, d.address, d.Log())
		}
	}
}

// Kill ends the program and all that it started, with SIGKILL, and waits for it. Servers put their children into process
// groups of their own, so these are found by their parents.
func (d *Daemon) Kill() {
	family := append(descendants(d.cmd.Process.Pid), d.cmd.Process.Pid)
	for _, pid := range slices.Backward(family) { // The program first: it must not start more.
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-d.exited
}

// Cut kills what the program started for its connections, and with that their connections. The program goes on.
func (d *Daemon) Cut() {
	for _, pid := range descendants(d.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// descendants lists the processes below one.
func descendants(pid int) []int {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	var found []int
	for _, field := range strings.Fields(string(children)) {
		if child, err := strconv.Atoi(field); err == nil {
			found = append(append(found, descendants(child)...), child)
		}
	}
	return found
}

// Log is what the program said so far.
func (d *Daemon) Log() string {
	said, err := os.ReadFile(d.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(said)
}

// Proxy passes connections on to a server, and can cut them.
type Proxy struct {
	// Address is where it listens, on loopback.
	Address string
	target  string
	mu      sync.Mutex
	conns   map[net.Conn]bool
}

// StartProxy passes connections on to target until the test ends.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String(), target: target, conns: map[net.Conn]bool{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.pass(c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		p.Cut()
	})
	return p
}

func (p *Proxy) pass(c net.Conn) {
	s, err := net.Dial("tcp", p.target)
	if err != nil {
		c.Close()
		return
	}
	p.mu.Lock()
	p.conns[c], p.conns[s] = true, true
	p.mu.Unlock()
	done := func() {
		c.Close()
		s.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, c)
		delete(p.conns, s)
	}
	go func() {
		_, _ = io.Copy(s, c)
		done()
	}()
	_, _ = io.Copy(c, s)
	done()
}

// Cut resets every connection, as a firewall or a failing network would. New ones are passed on again.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}
