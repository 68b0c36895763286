package recipe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	api "github.com/sitewright/sitewright/api/recipe"
)

const (
	defaultTimeout = 10 * time.Minute
	// outputTail is how much of the end of each output is kept, stderrShown how much of it a user sees.
	outputTail  = 64 << 10
	stderrShown = 1500
	// drain is how long outputs are read on when the program has ended and something that it started holds them.
	drain    = 2 * time.Second
	nonblock = syscall.O_NONBLOCK
)

// Run is one run of a recipe's command.
type Run struct {
	// Name of the command, for messages: "install".
	Name    string
	Command api.Command
	// Dir is the working directory, the document root. TmpDir is a directory for temporary files.
	Dir, TmpDir string
	// Input goes to standard input as one JSON object.
	Input any
	// Secrets are taken out of everything that is shown.
	Secrets []string
}

// CommandError is a command that failed, or did not say that it succeeded.
type CommandError struct {
	// Command is its name in the recipe.
	Command string
	// ExitCode is -1 when it was killed.
	ExitCode int
	// Problem says what is wrong: it exited, ran out of time, answered badly.
	Problem string
	// Stderr is the end of what it wrote to standard error, without secrets.
	Stderr string
}

// Error is a sentence for the user.
func (e *CommandError) Error() string {
	s := fmt.Sprintf("the recipe's %s command %s", e.Command, e.Problem)
	if e.Stderr != "" {
		s += ": " + e.Stderr
	}
	return s
}

// Do runs the command in a process group of its own and returns the JSON object that is the last line of its standard
// output. An exit code other than 0, an answer without "ok": true, and the end of the command's time are a CommandError.
// Nothing that the command started outlives Do.
func (r Run) Do(ctx context.Context) (json.RawMessage, error) {
	input, err := json.Marshal(r.Input)
	if err != nil {
		return nil, fmt.Errorf("input of the %s command: %w", r.Name, err)
	}
	interpreter, err := exec.LookPath(string(r.Command.Interpreter))
	if err != nil {
		return nil, &CommandError{Command: r.Name, ExitCode: -1,
			Problem: fmt.Sprintf("needs %s, which the image of the site's runtime does not have", r.Command.Interpreter)}
	}
	private, err := os.MkdirTemp(r.TmpDir, ".command-")
	if err != nil {
		return nil, fmt.Errorf("directory for the %s command: %w", r.Name, err)
	}
	defer os.RemoveAll(private)
	script := filepath.Join(private, r.Name)
	if err := os.WriteFile(script, []byte(r.Command.Script), 0o600); err != nil {
		return nil, fmt.Errorf("script of the %s command: %w", r.Name, err)
	}
	timeout := time.Duration(r.Command.TimeoutSeconds) * time.Second
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, stderr := &tail{limit: outputTail}, &tail{limit: outputTail}
	runErr := r.start(limited, interpreter, script, input, out, stderr)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the recipe's %s command: %w", r.Name, ctx.Err())
	}
	exit, failed := errors.AsType[*exec.ExitError](runErr)
	if errors.Is(runErr, context.DeadlineExceeded) || failed && exit.ExitCode() < 0 && limited.Err() != nil {
		return nil, r.failure(-1, fmt.Sprintf("did not end within %s", timeout), stderr)
	}
	if failed {
		return nil, r.exited(exit, out, stderr)
	}
	if runErr != nil && !errors.Is(runErr, exec.ErrWaitDelay) {
		return nil, fmt.Errorf("running the recipe's %s command: %w", r.Name, runErr)
	}
	return r.answer(out, stderr)
}

// start runs the program to its end. The thread is kept for it, because the kernel ends the program with the thread
// that started it: a killed agent must leave no command behind that goes on writing.
func (r Run) start(ctx context.Context, interpreter, script string, input []byte, out, stderr io.Writer) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	args := []string{script}
	if r.Command.Interpreter == api.InterpreterPHP {
		// What PHP complains about must not come between the answer and its reader, so it is logged, which the command line
		// does to standard error. Applications turn off showing errors, and hardly ever logging.
		args = []string{"-d", "display_errors=0", "-d", "html_errors=0", "-d", "log_errors=1", "-d", "error_log=", "-d", "zend.exception_ignore_args=1",
			"-d", "memory_limit=512M",
			"-d", "sys_temp_dir=" + r.TmpDir, "-f", script}
	}
	c := exec.CommandContext(ctx, interpreter, args...)
	c.Dir = r.Dir
	c.Env = []string{"PATH=" + searchPath(), "HOME=" + r.TmpDir, "TMPDIR=" + r.TmpDir, "LANG=C.UTF-8"}
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), out, stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = drain
	if err := c.Start(); err != nil {
		return err
	}
	err := c.Wait()
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // What it left in the background.
	return err
}

func searchPath() string {
	if p := os.Getenv("PATH"); p != "" {
		return p
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

func (r Run) exited(exit *exec.ExitError, out, stderr *tail) error {
	problem := fmt.Sprintf("exited with %d", exit.ExitCode())
	if exit.ExitCode() < 0 {
		problem = "was ended: " + exit.ProcessState.String()
	}
	var said struct{ Error string }
	if json.Unmarshal(out.lastLine(), &said) == nil && said.Error != "" {
		problem += " and says: " + r.show(said.Error)
	}
	return r.failure(exit.ExitCode(), problem, stderr)
}

// answer reads the last line of standard output.
func (r Run) answer(out, stderr *tail) (json.RawMessage, error) {
	var said struct {
		OK    bool
		Error string
	}
	line := out.lastLine()
	if err := json.Unmarshal(line, &said); err != nil {
		return nil, r.failure(0, fmt.Sprintf("ended without the line {\"ok\": true}; its last line is %q", r.show(string(line))), stderr)
	}
	if !said.OK {
		return nil, r.failure(0, "says that it failed: "+r.show(said.Error), stderr)
	}
	return json.RawMessage(line), nil
}

func (r Run) failure(code int, problem string, stderr *tail) error {
	return &CommandError{Command: r.Name, ExitCode: code, Problem: problem, Stderr: r.show(string(stderr.bytes()))}
}

// show makes output fit for a user: without secrets, its end if it is long, one line's worth of white space.
func (r Run) show(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(Scrub(s, r.Secrets), "?")), " ")
	if len(s) > stderrShown {
		s = "…" + strings.ToValidUTF8(s[len(s)-stderrShown:], "")
	}
	return s
}
