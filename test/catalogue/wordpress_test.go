package catalogue

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/recipe"
)

func wordpress(t *testing.T) *v1alpha1.Application {
	t.Helper()
	var app v1alpha1.Application
	readStrict(t, applications+"/wordpress.yaml", &app)
	app.Spec.Releases = testReleases(t, "wordpress")
	return &app
}

// The releases that Debian 12's PHP runs. The older ones run on an older PHP, in the end-to-end tests.
var runnable = []string{"6.1.9", "6.8.7", "6.8.12"}

func TestWordPressInstalls(t *testing.T) {
	app := wordpress(t)
	for _, version := range runnable {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, app, version)
			c := s.recipe.Commands
			s.values.Fields["sitetagline"] = "Anvils & more"
			if got := s.mustRun("install", c.Install, nil); got["already"] != false || got["version"] != version {
				t.Errorf("install answers %v", got)
			}
			if got := s.mustRun("install", c.Install, nil); got["already"] != true {
				t.Errorf("a second install answers %v", got)
			}
			if got, err := recipe.Version(s.root, *s.recipe.Version); err != nil || got != version {
				t.Errorf("the files are of version %s: %v", got, err)
			}
			if files, database := s.schemas(); files != database || files == "" {
				t.Errorf("the files expect schema %q and the database has %q", files, database)
			}
			status, page := s.get("/")
			for _, want := range []string{`Ann&#039;s &quot;site&quot; &amp; more`, "Hello world!", "Anvils &amp; more"} {
				if status != 200 || !strings.Contains(page, want) {
					t.Errorf("the front page answers %d without %s", status, want)
				}
			}
			if status, page := s.get("/index.php/wp-json/"); status != 200 || !strings.Contains(page, `"namespaces"`) {
				t.Errorf("the REST API answers %d", status)
			}
			checkLogin(s, s.admin["password"], true)
			checkScripts(s)
		})
	}
}

// checkLogin logs in as a person does.
func checkLogin(s *site, password string, want bool) {
	s.Helper()
	s.get("/wp-login.php") // It sets a cookie to see whether there are any.
	response, err := s.client.PostForm(s.values.URL+"/wp-login.php", url.Values{
		"log": {s.admin["login"]}, "pwd": {password}, "testcookie": {"1"}, "redirect_to": {s.values.URL + "/wp-admin/profile.php"},
	})
	if err != nil {
		s.Fatal(err)
	}
	response.Body.Close()
	if got := strings.HasSuffix(response.Request.URL.Path, "/wp-admin/profile.php") && response.StatusCode == http.StatusOK; got != want {
		s.Errorf("login ends at %s with %s", response.Request.URL.Path, response.Status)
	}
}

// checkScripts looks for every script and style that WordPress itself can put into a page: a link that was not followed,
// or a package that was forgotten, shows here.
func checkScripts(s *site) {
	s.Helper()
	script := `<?php require 'wp-load.php'; $missing = array(); $n = 0;
foreach (array(wp_scripts(), wp_styles()) as $all) { foreach ($all->registered as $name => $one) {
	if (is_string($one->src) && strpos($one->src, '/wp-') === 0) { $n++; $file = ABSPATH . strtok(ltrim($one->src, '/'), '?');
		if (!is_file($file)) { $missing[] = $one->src; } } } }
echo "\n", json_encode(array('ok' => $n > 100, 'missing' => $missing, 'seen' => $n));`
	got := s.mustRun("scripts", &api.Command{Interpreter: api.InterpreterPHP, Script: script}, nil)
	if missing := got["missing"].([]any); len(missing) > 0 {
		s.Errorf("of %v scripts and styles these are not there: %v", got["seen"], missing)
	}
}

func TestWordPressRefusesToInstall(t *testing.T) {
	s := newSite(t, wordpress(t), "6.8.12")
	install := s.recipe.Commands.Install
	for want, change := range map[string]map[string]any{
		"content shop is not known":     {"content": "shop"},
		"login a/b is not allowed":      {"admin": map[string]string{"login": "a/b", "email": "a@b.example", "password": "x"}},
		"e-mail nobody is not an add":   {"admin": map[string]string{"login": "a", "email": "nobody", "password": "x"}},
		"the administrator has no pass": {"admin": map[string]string{"login": "a", "email": "a@b.example"}},
	} {
		if _, err := s.run("install", install, change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	s.mustRun("install", install, nil)
	other := map[string]any{"admin": map[string]string{"login": "other", "email": "a@b.example", "password": "x"}}
	if _, err := s.run("install", install, other); err == nil || !strings.Contains(err.Error(), "hold a WordPress site already") {
		t.Errorf("installing over another site: %v", err)
	}
	config := filepath.Join(s.dir, "wp-config.php")
	content, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(content), s.config.Database, "nowhere", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.run("inspect", s.recipe.Commands.Inspect, nil); err == nil || !strings.Contains(err.Error(), "database") {
		t.Errorf("without its database: %v", err)
	}
}

func TestWordPressWithoutContent(t *testing.T) {
	s := newSite(t, wordpress(t), "6.8.12")
	s.mustRun("install", s.recipe.Commands.Install, map[string]any{"content": "no", "title": ""})
	var posts, comments int
	s.query("SELECT COUNT(*) FROM wp_posts WHERE post_status = 'publish' AND post_type IN ('post', 'page')", &posts)
	s.query("SELECT COUNT(*) FROM wp_comments", &comments)
	if posts != 0 || comments != 0 {
		t.Errorf("%d posts and %d comments are left", posts, comments)
	}
	if status, page := s.get("/"); status != 200 || !strings.Contains(page, "My blog") {
		t.Errorf("the front page answers %d, with the default title: %v", status, strings.Contains(page, "My blog"))
	}
}

func TestWordPressConfigures(t *testing.T) {
	s := newSite(t, wordpress(t), "6.8.12")
	c := s.recipe.Commands
	s.mustRun("install", c.Install, nil)
	if got := s.mustRun("configure", c.Configure, map[string]any{"fields": map[string]string{}}); len(got["changed"].([]any)) != 0 {
		t.Errorf("configure changes what is so already: %v", got)
	}
	change := map[string]any{"title": "New", "fields": map[string]string{"sitetagline": "Words"}, "admin": map[string]string{
		"previousLogin": "boss", "login": "chief", "email": "chief@example.org", "password": `n'ew "\pass`}}
	if got := s.mustRun("configure", c.Configure, change); len(got["changed"].([]any)) != 6 {
		t.Errorf("configure answers %v", got)
	}
	if got := s.mustRun("configure", c.Configure, change); len(got["changed"].([]any)) != 0 {
		t.Errorf("a second configure answers %v", got)
	}
	s.admin["login"] = "chief"
	checkLogin(s, s.admin["password"], false)
	checkLogin(s, `n'ew "\pass`, true)
	got := s.mustRun("inspect", c.Inspect, nil)
	if got["title"] != "New" || got["admin"] != "chief" || got["version"] != "6.8.12" || len(got["themes"].([]any)) != 3 || len(got["plugins"].([]any)) != 1 {
		t.Errorf("inspect answers %v", got)
	}
	if _, err := s.run("configure", c.Configure, map[string]any{"language": "tlh"}); err == nil || !strings.Contains(err.Error(), "language tlh") {
		t.Errorf("a language that cannot be had: %v", err)
	}
	s.mustRun("configure", c.Configure, map[string]any{"url": "https://other.example/blog"})
	var home string
	s.query("SELECT GROUP_CONCAT(option_value) FROM wp_options WHERE option_name IN ('home', 'siteurl')", &home)
	if home != "https://other.example/blog,https://other.example/blog" {
		t.Errorf("the URLs are %s", home)
	}
}

func TestWordPressLogsIn(t *testing.T) {
	s := newSite(t, wordpress(t), "6.8.12")
	c := s.recipe.Commands
	s.mustRun("install", c.Install, nil)
	link := strings.TrimPrefix(s.mustRun("login", c.Login, nil)["url"].(string), s.values.URL)
	if status, page := s.get(link); status != 200 || !strings.Contains(page, "wp-admin-bar-my-account") {
		t.Errorf("the link answers %d", status)
	}
	if left, _ := filepath.Glob(s.dir + "/sitewright-login-*"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	s.client.Jar = nil
	if _, page := s.get(link); strings.Contains(page, "wp-admin-bar-my-account") {
		t.Error("the link works twice")
	}
}

func TestWordPressMaintenanceAndCron(t *testing.T) {
	s := newSite(t, wordpress(t), "6.8.12")
	s.mustRun("install", s.recipe.Commands.Install, nil)
	m := s.recipe.Maintenance
	if err := s.root.WriteFile(string(m.File), []byte(m.Content), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.get("/"); status != 503 {
		t.Errorf("the front page answers %d in maintenance", status)
	}
	if err := s.root.Remove(string(m.File)); err != nil {
		t.Fatal(err)
	}
	cron := exec.CommandContext(t.Context(), string(s.recipe.Cron.Interpreter), s.recipe.Cron.Args...)
	cron.Dir = s.dir
	if out, err := cron.CombinedOutput(); err != nil || strings.Contains(string(out), "rror") {
		t.Errorf("cron: %v: %s", err, out)
	}
	var due int
	s.query("SELECT option_value LIKE '%wp_version_check%' FROM wp_options WHERE option_name = 'cron'", &due)
	if status, _ := s.get("/"); status != 200 || due != 1 {
		t.Errorf("the front page answers %d after maintenance and cron; scheduled: %d", status, due)
	}
}

func TestWordPressUpgrades(t *testing.T) {
	app := wordpress(t)
	for _, from := range []string{"6.1.9", "6.8.7"} {
		t.Run(from, func(t *testing.T) {
			s := newSite(t, app, from)
			c := s.recipe.Commands
			if _, err := s.run("upgrade", c.Upgrade, nil); err == nil || !strings.Contains(err.Error(), "not installed") {
				t.Errorf("upgrading an empty database: %v", err)
			}
			s.mustRun("install", c.Install, nil)
			for _, core := range []string{"wp-admin", "wp-includes"} {
				if err := s.root.RemoveAll(core); err != nil {
					t.Fatal(err)
				}
			}
			s.unpack("wordpress", "6.8.12", s.root)
			files, before := s.schemas()
			if status, _ := s.get("/"); status != 200 || (files == before) != (from == "6.8.7") {
				t.Errorf("half upgraded: the front page answers %d, the files expect %s and the database has %s", status, files, before)
			}
			got := s.mustRun("upgrade", c.Upgrade, nil)
			if files, after := s.schemas(); files != after || got["schemaVersion"] != after || got["already"] != (before == after) {
				t.Errorf("the files expect %s and the database has %s; upgrade answers %v", files, after, got)
			}
			if got := s.mustRun("upgrade", c.Upgrade, nil); got["already"] != true {
				t.Errorf("a second upgrade answers %v", got)
			}
			if status, page := s.get("/"); status != 200 || !strings.Contains(page, "Hello world!") {
				t.Errorf("the front page answers %d", status)
			}
			checkLogin(s, s.admin["password"], true)
		})
	}
}
