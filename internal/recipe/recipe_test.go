package recipe

import (
	"bytes"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	api "github.com/sitewright/sitewright/api/recipe"
)

var hostile = []string{"", "plain", "it's", `back\slash\`, `\'`, "new\nline", "<?php ?>", `";$x`, "${HOME} $(id) `id`", "nul\x00nul", "ünïcödé", `"both'`}

func TestQuotedValuesCannotBreakOut(t *testing.T) {
	need(t, "php", "php-cli")
	for _, value := range hostile {
		v := &Values{Title: value}
		php, err := Render(api.ConfigurationFile{Template: "<?php echo {{ php .Title }};"}, v)
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command("php")
		c.Stdin = bytes.NewReader(php)
		if out, err := c.Output(); err != nil || string(out) != value {
			t.Errorf("php: %q became %q, %v", value, out, err)
		}
		file := filepath.Join(t.TempDir(), "ini")
		if ini, err := Render(api.ConfigurationFile{Template: "a = {{ ini .Title }}\nb = 1\n"}, v); err == nil {
			if err := os.WriteFile(file, ini, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("php", "-r", `$a = parse_ini_file($argv[1]); echo count($a), $a['a'];`, file).Output()
			if err != nil || string(out) != "2"+value {
				t.Errorf("ini: %q became %q, %v", value, out, err)
			}
		} else if !strings.ContainsAny(value, "'\n\x00") {
			t.Errorf("ini: %q: %v", value, err)
		}
		if sh, err := Render(api.ConfigurationFile{Template: "printf %s {{ shell .Title }}"}, v); err == nil {
			if out, err := exec.Command("sh", "-c", string(sh)).Output(); err != nil || string(out) != value {
				t.Errorf("shell: %q became %q, %v", value, out, err)
			}
		} else if !strings.Contains(value, "\x00") {
			t.Errorf("shell: %q: %v", value, err)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, template := range map[string]string{
		"unknown secret": "{{ .Secrets.NO }}", "unknown value": "{{ .No }}", "does not parse": "{{ if }}", "too much": `{{ range 100000 }}0123456789abcdef{{ end }}`,
		"no literal": "{{ php .Database }}",
	} {
		if b, err := Render(api.ConfigurationFile{Path: "c.php", Template: template}, &Values{}); err == nil || !strings.Contains(err.Error(), "c.php") {
			t.Errorf("%s: %.100q, %v", name, b, err)
		}
	}
}

func TestUpdateAndRead(t *testing.T) {
	const content = "<?php // mine\ndefine('DB', 'old'); define( 'DB',  'older\\'s' );\n$p = 'wp_';\n"
	file := api.ConfigurationFile{Path: "c.php", Read: map[string]api.Pattern{
		"Database.Name": `define\(\s*'DB',\s*'((?:[^'\\]|\\.)*)'`, "Database.Prefix": `\$p = '([^']*)'`, "Secrets.S": `'S', '([^']*)'`,
	}}
	for _, value := range hostile {
		updated, missed, err := Update([]byte(content), file, map[string]string{"Database.Name": value, "Secrets.S": "x", "URL": "unread"})
		if err != nil || !slices.Equal(missed, []string{"Secrets.S"}) {
			t.Fatalf("missed %v, %v", missed, err)
		}
		if !bytes.HasPrefix(updated, []byte("<?php // mine\n")) || !bytes.HasSuffix(updated, []byte("$p = 'wp_';\n")) || bytes.Contains(updated, []byte("older")) {
			t.Errorf("%q: %s", value, updated)
		}
		got, err := Read(updated, file)
		if want := map[string]string{"Database.Name": value, "Database.Prefix": "wp_"}; err != nil || !maps.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	for _, syntax := range []api.Syntax{api.SyntaxJSON, api.SyntaxShell, api.SyntaxINI, api.SyntaxNone} {
		for _, value := range hostile {
			quote := map[api.Syntax]string{api.SyntaxJSON: `"`, api.SyntaxShell: "'"}[syntax]
			f := api.ConfigurationFile{Syntax: syntax, Read: map[string]api.Pattern{"URL": api.Pattern("a: " + quote + `((?s:.*))` + quote + "\nb")}}
			updated, _, err := Update([]byte("a: "+quote+"old"+quote+"\nb: 1\n"), f, map[string]string{"URL": value})
			if err != nil {
				if value == "plain" {
					t.Errorf("%s: %v", syntax, err)
				}
				continue
			}
			if got, err := Read(updated, f); err != nil || got["URL"] != value {
				t.Errorf("%s: %q became %q, %v", syntax, value, got["URL"], err)
			}
		}
	}
}

func TestValues(t *testing.T) {
	var v Values
	if err := v.SetURL("https://www.example.com:8443/blog/"); err != nil || v.URL != "https://www.example.com:8443/blog" || v.Host != "www.example.com:8443" || v.Path != "/blog" {
		t.Errorf("got %+v, %v", v, err)
	}
	if err := v.SetURL("blog"); err == nil {
		t.Error("a URL without a host passed")
	}
	for d, want := range map[Database]string{{Host: "db", Port: 3306}: "db", {Host: "db", Port: 3307}: "db:3307", {Host: "::1", Port: 1}: "[::1]:1"} {
		if got := d.Address(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	s, err := Secrets(rand.Reader, []string{"A", "B"})
	if err != nil || len(s["A"]) != 64 || s["A"] == s["B"] || strings.Trim(s["A"], secretAlphabet) != "" {
		t.Errorf("secrets %v, %v", s, err)
	}
	if _, err := Secrets(strings.NewReader("short"), []string{"A"}); err == nil {
		t.Error("a secret was made without randomness")
	}
}

func TestVersionInFile(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := os.WriteFile(filepath.Join(dir, "v.php"), []byte("$v = '6.8';"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if v, err := Version(root, api.FilePattern{File: "v.php", Pattern: `\$v = '([^']+)'`}); v != "6.8" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	for _, c := range []struct {
		file api.Path
		want error
	}{{"none", ErrNoFile}, {"v.php", ErrNoVersion}, {"out", nil}} {
		if v, err := Version(root, api.FilePattern{File: c.file, Pattern: `(root:.*)`}); v != "" || err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v", c.file, v, err)
		}
	}
	if _, err := Query("SELECT 1 FROM {{ .Prefix }}t", "x; DROP"); err == nil {
		t.Error("a prefix left its identifier")
	}
}

func TestCheckHealth(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			_, _ = w.Write([]byte("welcome to " + r.Header.Get("X-Forwarded-Proto") + "://" + r.Host))
		case "/away":
			http.Redirect(w, r, "/broken", http.StatusFound)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	for _, c := range []struct {
		path   string
		health api.Health
		said   string
	}{
		{"/ok", api.Health{}, ""}, {"/away", api.Health{}, ""}, {"/broken", api.Health{}, "500"}, {"/broken", api.Health{Status: []int32{500}}, ""},
		{"/ok", api.Health{Status: []int32{204}}, "not 204"}, {"/ok", api.Health{Not: []string{"welcome to https://blog.example"}}, "says"},
	} {
		err := CheckHealth(t.Context(), server.URL+c.path, "https", "blog.example", c.health)
		if c.said == "" && err != nil || c.said != "" && (err == nil || !strings.Contains(err.Error(), c.said)) {
			t.Errorf("%s: %v, want %q", c.path, err, c.said)
		}
	}
	server.Close()
	if err := CheckHealth(t.Context(), server.URL, "", "", api.Health{}); err == nil {
		t.Error("a dead server is healthy")
	}
}

func TestValidate(t *testing.T) {
	good := func() *api.Recipe {
		return &api.Recipe{
			Configuration: []api.ConfigurationFile{{Path: "c.php", Mode: "0640", Template: "{{ php .Secrets.K }}{{ .Fields.f }}", Generate: []string{"K"},
				Read: map[string]api.Pattern{"Database.Address": "(x)"}}},
			Version:       &api.FilePattern{File: "v", Pattern: "(x)"},
			SchemaVersion: &api.SchemaVersion{Files: api.FilePattern{File: "v", Pattern: "(x)"}, Database: "SELECT 1 FROM {{ .Prefix }}o"},
			Cron:          &api.Cron{Schedule: "*/5 0-6,12 1 * 7", Args: []string{"cron.php"}},
			Move:          api.Move{URL: "everywhere", Path: []string{"configuration"}, Prefix: []api.PrefixRow{{Equals: "{{ .Old }}x"}}, Clear: []string{"DELETE FROM {{ .Prefix }}c"}},
		}
	}
	if err := Validate(good(), []string{"f"}); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(*api.Recipe){
		"configuration[0].template":              func(r *api.Recipe) { r.Configuration[0].Template = "{{ .Secrets.X }}" },
		"configuration[0].mode":                  func(r *api.Recipe) { r.Configuration[0].Mode = "9" },
		"configuration[0].read.Database.Address": func(r *api.Recipe) { r.Configuration[0].Read["Database.Address"] = "x" },
		"configuration[0].read.Nothing":          func(r *api.Recipe) { r.Configuration[0].Read["Nothing"] = "(x)" },
		"version.pattern":                        func(r *api.Recipe) { r.Version.Pattern = "(" },
		"schemaVersion.database":                 func(r *api.Recipe) { r.SchemaVersion.Database = "{{ .Old }}" },
		"cron.schedule":                          func(r *api.Recipe) { r.Cron.Schedule = "*/5 24 * * *" },
		"cron.args[0]":                           func(r *api.Recipe) { r.Cron.Args = []string{"../x"} },
		"move.prefix[0].equals":                  func(r *api.Recipe) { r.Move.Prefix[0].Equals = "x" },
		"move.clear[0]":                          func(r *api.Recipe) { r.Move.Clear = []string{"{{"} },
		"move.url":                               func(r *api.Recipe) { r.Move.URL = "posts" },
		"move.path[0]":                           func(r *api.Recipe) { r.Move.Path = []string{"x"} },
	} {
		r := good()
		spoil(r)
		if err := Validate(r, []string{"f"}); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
