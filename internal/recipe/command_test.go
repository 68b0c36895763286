package recipe

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	api "github.com/sitewright/sitewright/api/recipe"
)

func need(t *testing.T, program, debian string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is missing: install the Debian package %s", program, debian)
	}
}

func TestRun(t *testing.T) {
	need(t, "php", "php-cli")
	const secret = "p'a\"s/s &wörd"
	for name, c := range map[string]struct {
		interpreter api.Interpreter
		script      string
		answer      string // part of it
		problem     string // part of the error; empty for success
	}{
		"php":             {"php", `<?php $in = json_decode(stream_get_contents(STDIN), true); echo "noise\n", json_encode(['ok' => true, 'got' => $in['a'], 'dir' => getcwd()]), "\n";`, `"got":"b"`, ""},
		"sh":              {"sh", `read x; echo "$x" >&2; echo '{"ok": true, "home": "'$HOME'"}'`, `"home": "/`, ""},
		"environment":     {"sh", `test -z "$SECRET_OF_AGENT" && echo '{"ok":true}'`, `ok`, ""},
		"warning":         {"php", `<?php echo $undefined; echo json_encode(['ok' => true]);`, "ok", ""},
		"exit":            {"sh", `echo oops >&2; exit 3`, "", "exited with 3: oops"},
		"exit with words": {"php", `<?php echo json_encode(['ok' => false, 'error' => 'no table']); exit(1);`, "", "exited with 1 and says: no table"},
		"not ok":          {"sh", `echo '{"ok": false, "error": "nope"}'`, "", "says that it failed: nope"},
		"no answer":       {"sh", `echo done`, "", `its last line is "done"`},
		"nothing":         {"sh", `true`, "", "ended without"},
		"fatal":           {"php", `<?php nothing();`, "", "undefined function nothing()"},
		"killed":          {"sh", `kill -9 $$`, "", "was ended: signal: killed"},
		"missing":         {"nosuch", `x`, "", "needs nosuch"},
		"secret":          {"php", `<?php $s = json_decode(stream_get_contents(STDIN), true)['secret']; fwrite(STDERR, implode(' ', [$s, json_encode($s), urlencode($s), rawurlencode($s), base64_encode($s), json_encode($s, JSON_UNESCAPED_UNICODE)])); exit(1);`, "", "exited with 1: *** "},
		"much":            {"sh", `i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; echo '{"ok":true}'; echo last >&2`, "ok", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SECRET_OF_AGENT", "x")
			tmp := t.TempDir()
			r := Run{Name: "test", Command: api.Command{Interpreter: c.interpreter, Script: c.script}, Dir: t.TempDir(), TmpDir: tmp,
				Input: map[string]string{"a": "b", "secret": secret}, Secrets: []string{secret, "", "x"}}
			answer, err := r.Do(t.Context())
			if c.problem == "" {
				if err != nil || !strings.Contains(string(answer), c.answer) {
					t.Fatalf("got %s, %v", answer, err)
				}
			} else if e, ok := errors.AsType[*CommandError](err); !ok || e.Command != "test" || !strings.Contains(err.Error(), c.problem) {
				t.Fatalf("got %v, want a CommandError with %q", err, c.problem)
			}
			if err != nil && (strings.Contains(err.Error(), "wörd") || strings.Contains(err.Error(), "w%C3%B6rd") || len(err.Error()) > 4000) {
				t.Errorf("shows too much: %v", err)
			}
			if left, _ := os.ReadDir(tmp); len(left) > 0 {
				t.Errorf("left %v behind", left)
			}
		})
	}
}

func TestRunEndsEverything(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	script := `(sleep 1; echo alive > ` + mark + `) & `
	for name, c := range map[string]struct {
		script  string
		timeout time.Duration
		problem string
	}{
		"out of time": {script + "sleep 60", 0, "did not end within 1s"},
		"stopped":     {script + "sleep 60", 200 * time.Millisecond, "deadline"},
		"background":  {script + `echo '{"ok":true}'`, 0, ""},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if c.timeout > 0 {
			ctx, cancel = context.WithTimeout(t.Context(), c.timeout)
		}
		start := time.Now()
		r := Run{Name: "test", Command: api.Command{Interpreter: "sh", Script: c.script, TimeoutSeconds: 1}, Dir: dir, TmpDir: dir}
		_, err := r.Do(ctx)
		cancel()
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: %v", name, err)
		}
		if time.Since(start) > 10*time.Second {
			t.Errorf("%s: took %v", name, time.Since(start))
		}
	}
}
