package agent

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
)

const (
	// appConfigure writes down what it was told.
	appConfigure = `<?php
$in = json_decode(stream_get_contents(STDIN), true);
file_put_contents('told.json', json_encode([$in['url'], $in['title'], $in['language'], $in['fields'], $in['admin'], getcwd() === $in['documentRoot']]));
echo json_encode(['ok' => true]), "\n";
`
	appInspect = `<?php
$in = json_decode(stream_get_contents(STDIN), true);
$plugins = [];
for ($i = 0; $i < 200; $i++) { $plugins[] = ['name' => "plugin-$i", 'title' => 'A plugin', 'version' => '1.' . $i, 'active' => $i % 2 === 0, 'latest' => '2.0']; }
echo json_encode(['ok' => true, 'title' => "Seen at {$in['url']}", 'plugins' => $plugins, 'themes' => [['name' => str_repeat('é', 400), 'version' => '1', 'latest' => null]]]), "\n";
`
)

// configurable installs a site whose recipe can configure and inspect it.
func (w *world) configurable(change ...func(*plan.Site)) plan.Site {
	w.t.Helper()
	blog := w.site("blog", blogURL, "app_", 1)
	for _, f := range change {
		f(&blog)
	}
	blog.Recipe.Commands.Configure = &api.Command{Interpreter: api.InterpreterPHP, Script: appConfigure}
	blog.Recipe.Commands.Inspect = &api.Command{Interpreter: api.InterpreterPHP, Script: appInspect}
	w.run(w.install(blog))
	return blog
}

func TestConfigure(t *testing.T) {
	w := newWorld(t)
	blog := w.configurable()
	was, tables := tree(t, blog), w.dump(blog.Database)
	site := blog
	site.Title = ""
	p := &plan.Plan{Configure: &plan.Configure{Site: site, Application: true, Language: "de", Fields: map[string]string{"tagline": "new"},
		Admin: plan.Admin{Login: "boss", PasswordFile: w.file("new", "se\"cret")}, PreviousLogin: "admin"}}
	w.run(p)
	want := `["","","de",{"tagline":"new"},{"login":"boss","email":"","password":"se\"cret","previousLogin":"admin"},true]`
	if got := read(t, siteDir(blog), "www/public/told.json"); got != want {
		t.Errorf("the application was told %s, want %s", got, want)
	}
	if err := os.Remove(filepath.Join(siteDir(blog), "www/public/told.json")); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, blog); !maps.Equal(got, was) || w.dump(blog.Database) != tables {
		t.Error("something else of the site has changed")
	}
	p.Configure.Site.Recipe.Commands.Configure = &api.Command{Interpreter: api.InterpreterPHP,
		Script: `<?php $in = json_decode(stream_get_contents(STDIN), true); fwrite(STDERR, "{$in['admin']['password']} is too short\n"); exit(1);`}
	w.fails(p, plan.ReasonCommand, true, "configure", "*** is too short")
	p.Configure.Site.Recipe.Commands.Configure = nil
	w.fails(p, plan.ReasonInvalid, true, "no configure command")
}

func TestConfigureDatabase(t *testing.T) {
	w := newWorld(t)
	// As on a cluster, both generations belong to one user.
	const user = "sw_configured"
	owned := func(d *plan.Database, password string) *plan.Database {
		other := *d
		other.User, other.PasswordFile = user, w.file("password-"+password, password)
		return &other
	}
	grant := func(d *plan.Database) {
		w.exec(d, "CREATE USER IF NOT EXISTS '"+user+"'@'%' IDENTIFIED BY 'old'", "GRANT ALL ON `"+d.Name+"`.* TO '"+user+"'@'%'")
	}
	blog := w.configurable(func(s *plan.Site) {
		grant(s.Database)
		s.Database = owned(s.Database, "old")
	})
	r := nextRelease(t)
	up := w.upgrade(blog, &r)
	up.Upgrade.Site.Recipe.Files.User = []api.Path{"config.php", "uploads"}
	up.Upgrade.Site.Recipe.Commands.Upgrade = &api.Command{Interpreter: api.InterpreterPHP, Script: appUpgrade}
	grant(up.Upgrade.Site.Database)
	w.exec(up.Upgrade.Site.Database, "GRANT SELECT ON `"+blog.Database.Name+"`.* TO '"+user+"'@'%'")
	up.Upgrade.Site.Database = owned(up.Upgrade.Site.Database, "old")
	w.run(up)
	now, previous := up.Upgrade.Site, blog
	with := func(password string) *plan.Plan {
		now.Database, previous.Database = owned(now.Database, password), owned(previous.Database, password)
		return &plan.Plan{Configure: &plan.Configure{Site: now, Database: true, Previous: &previous}}
	}
	opens := func(password string) error {
		db, err := mysql.Open(t.Context(), mysql.Config{Host: now.Database.Host, Port: now.Database.Port, User: user, Password: password, Database: now.Database.Name})
		if err == nil {
			err = db.Close()
		}
		return err
	}
	has := func(word string) bool {
		ok := true
		for _, site := range []plan.Site{now, previous} {
			got := read(t, siteDir(site), "www/public/config.php")
			ok = ok && strings.Contains(got, "'"+word+"'") && strings.Contains(got, "'"+site.Database.Name+"'")
		}
		return ok
	}

	for range 2 { // The second time, everything is so already.
		w.run(with("it's new"))
		if err := opens("it's new"); err != nil || opens("old") == nil || !has(`it\'s new`) {
			t.Fatalf("the password was not changed everywhere: %v", err)
		}
	}
	p := with("other")
	now.Database.Shared = true
	p.Configure.Site = now
	w.fails(p, plan.ReasonDenied, true, now.Database.Name)
	now.Database.Shared = false
	if err := opens("it's new"); err != nil || !has(`it\'s new`) {
		t.Errorf("the password of a user that somebody else made was changed: %v", err)
	}
	w.exec(w.database("app_"), "ALTER USER '"+user+"'@'%' IDENTIFIED BY 'by hand'")
	w.fails(with("third"), plan.ReasonDenied, true, "neither the new password nor the one in config.php")
}

func TestInspect(t *testing.T) {
	w := newWorld(t)
	blog := w.configurable()
	was, tables := tree(t, blog), w.dump(blog.Database)
	got := w.run(&plan.Plan{Inspect: &plan.Inspect{Site: blog}})
	if got.Version != "1.2" || got.SchemaVersion != "3" || got.Files == 0 || got.DatabaseBytes == 0 || got.Title != "Seen at "+blogURL {
		t.Errorf("the inspection answers %+v", got)
	}
	first := plan.Component{Name: "plugin-0", Version: "1.0", Latest: "2.0", Active: true}
	if len(got.Plugins) != 200 || got.Plugins[0] != first || got.Plugins[1].Active || len(got.Themes) != 1 || len(got.Themes[0].Name) > mostName {
		t.Errorf("the inspection found %+v and %+v", got.Plugins, got.Themes)
	}
	b := got.Marshal()
	short, ok := plan.ParseResult(string(b))
	if !ok || len(b) > plan.MaxResultBytes || short.Version != "1.2" || len(short.Themes) != 1 || len(short.Plugins) < 40 || int(short.More) != 200-len(short.Plugins) {
		t.Errorf("%d bytes: %s", len(b), b)
	}
	if got := tree(t, blog); !maps.Equal(got, was) || w.dump(blog.Database) != tables {
		t.Error("the inspection changed the site")
	}
	blog.Recipe.Commands.Inspect.Script = `<?php echo '{"ok": true, "plugins": "many"}', "\n";`
	w.fails(&plan.Plan{Inspect: &plan.Inspect{Site: blog}}, plan.ReasonInvalid, true, "inspect", "plugins")
}

func TestMoveToAnotherURL(t *testing.T) {
	w := newWorld(t)
	blog := w.outdated()
	was, tables := tree(t, blog), w.dump(blog.Database)
	p := w.upgrade(blog, nil)
	p.Upgrade.FromURL, p.Upgrade.Site.URL, p.Upgrade.FromVersion = blog.URL, "https://other.example/deep", ""
	got := w.run(p)
	if got.Version != "1.2" || got.Rewritten < 200 || len(got.Warnings) > 0 {
		t.Errorf("the move answers %+v", got)
	}
	if !closed(blog) || closed(p.Upgrade.Site) {
		t.Error("until the switch, visitors are to be kept out of the old place alone")
	}
	w.run(&plan.Plan{Resume: &plan.Resume{Volume: blog.Volume}})
	if got := tree(t, blog); !maps.Equal(got, was) || w.dump(blog.Database) != tables {
		t.Error("what serves has changed")
	}
	moved := w.dump(p.Upgrade.Site.Database)
	if strings.Contains(moved, blogURL) || strings.Count(moved, "https://other.example/deep/note/") != 200 {
		t.Error("the tables still speak of the old place")
	}
	if !strings.Contains(moved, "someone") {
		t.Error("what is cleared for a copy was cleared for the site itself")
	}
	files := tree(t, p.Upgrade.Site)
	if got := files["www/public/uploads/readme.txt"]; !strings.Contains(got, "https://other.example/deep/uploads/") {
		t.Errorf("readme.txt: %q", got)
	}
	salt := func(config string) string { _, s, _ := strings.Cut(config, "'SALT', '"); return s[:64] }
	if salt(files["www/public/config.php"]) != salt(was["www/public/config.php"]) {
		t.Error("a site that moves has lost its secrets")
	}
}
