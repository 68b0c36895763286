package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/plan"
)

// execute runs the program with arguments and returns its standard output.
func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestAgentRun(t *testing.T) {
	dir := t.TempDir()
	file, result := filepath.Join(dir, "plan.json"), filepath.Join(dir, "result")
	for _, c := range []struct {
		plan   string
		code   int // of the exitError; 0 means success
		reason plan.Reason
	}{
		{`{"prune":{"volume":"` + dir + `","generation":7}}`, 0, ""},
		{`{"prune":{"volume":"` + dir + `/nowhere","generation":7}}`, plan.ExitTerminal, plan.ReasonMissing},
		{`{"fly":{}}`, plan.ExitTerminal, plan.ReasonInvalid},
		{`{"open":{"location":{"name":"l","volume":{"path":"` + dir + `"},"passwordFile":"` + dir + `/none"}}}`, 1, plan.ReasonInternal},
	} {
		if err := os.WriteFile(file, []byte(c.plan), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := execute(t, "agent", "run", "--plan", file, "--result", result)
		if e, failed := errors.AsType[*exitError](err); failed && e.code != c.code || failed != (c.code != 0) {
			t.Errorf("%s: %v, want exit code %d", c.plan, err, c.code)
		}
		b, err := os.ReadFile(result)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := plan.ParseResult(string(b))
		if !ok || (r.Failure != nil) != (c.code != 0) || r.Failure != nil && r.Failure.Reason != c.reason {
			t.Errorf("%s: result %s", c.plan, b)
		}
		if p, ok := plan.ParseProgress(out); c.code == 0 && (!ok || p.Percent != 100) {
			t.Errorf("%s: progress %s", c.plan, out)
		}
	}
}

func TestAgentSetup(t *testing.T) {
	volume, bin := t.TempDir(), t.TempDir()
	file := filepath.Join(t.TempDir(), "plan.json")
	document := `{"restore":{"site":{"namespace":"n","name":"s","uid":"u","application":"a","recipe":{},"url":"http://x","volume":"` + volume +
		`","generation":3},"location":{"name":"l","passwordFile":"p"}}}`
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // The second time the program is there already.
		if _, err := execute(t, "agent", "setup", "--plan", file, "--copy-to", bin); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(volume, "gen/3/www")); err != nil || !info.IsDir() {
		t.Errorf("the generation's directory: %v", err)
	}
	copied, err := os.Stat(filepath.Join(bin, "sitewright"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Stat("/proc/self/exe")
	if err != nil || copied.Size() != self.Size() || copied.Mode() != 0o755 {
		t.Errorf("the copy has %d bytes and mode %v, the program %v", copied.Size(), copied.Mode(), self)
	}
	if entries, err := os.ReadDir(bin); err != nil || len(entries) != 1 {
		t.Errorf("left %v behind, %v", entries, err)
	}
}

func TestHealth(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "blog.localtest" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	if out, err := execute(t, "health", "--url", server.URL, "--host", "blog.localtest"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := execute(t, "health", "--url", server.URL); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("another host: %v", err)
	}
}
