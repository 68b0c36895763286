package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/plan"
)

// restoreAs restores the newest snapshot of blog as another site.
func (w *world) restoreAs(site plan.Site) *plan.Plan {
	return &plan.Plan{Restore: &plan.Restore{Site: site, Location: w.location, NewSite: true,
		Latest: &plan.LatestSnap{Namespace: "demo", Name: "blog"}}}
}

func TestRestoreIntoSharedDatabase(t *testing.T) {
	w := newWorld(t)
	blog := w.usedSite("blog")
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	w.run(w.backup(blog, "b"))

	site := w.site("copy", "https://copy.example/deep", "new_", 1)
	site.Database.Shared = true
	w.exec(site.Database, "CREATE TABLE app_notes (precious INT)", "CREATE TABLE new_old (precious INT)")
	w.fails(w.restoreAs(site), plan.ReasonInvalid, true, `prefix "new_"`)
	w.exec(site.Database, "DROP TABLE new_old")
	w.run(w.restoreAs(site))
	if tables := w.dump(site.Database); !strings.Contains(tables, "`precious`") || !strings.Contains(tables, "`new_notes`") {
		t.Error("another site's table is gone, or this one's is not there")
	}

	// What does not carry the prefix may be another site's name in a database that others use.
	w.exec(blog.Database, "CREATE TABLE stray (id INT)")
	w.run(w.backup(blog, "c"))
	third := w.site("third", "https://third.example", "third_", 1)
	third.Database.Shared = true
	w.fails(w.restoreAs(third), plan.ReasonInvalid, true, `"stray"`, third.Database.Name)
	third.Database.Shared = false
	w.run(w.restoreAs(third))
}

func TestConfigurationThatCannotBeUpdatedIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	public := filepath.Join(siteDir(blog), "www/public")
	salt := func(config string) string { _, s, _ := strings.Cut(config, "'SALT', '"); return s[:64] }
	before := read(t, public, "config.php")
	strange := strings.Replace(before, "define('DB_NAME', '"+blog.Database.Name+"');", "$name = getenv('NAME');", 1)
	if err := os.WriteFile(filepath.Join(public, "config.php"), []byte(strange), 0o640); err != nil {
		t.Fatal(err)
	}
	saved := w.run(w.backup(blog, "b"))
	second := w.site("blog", blogURL, "app_", 2)
	second.Recipe.Configuration = append(second.Recipe.Configuration, api.ConfigurationFile{Path: "extra/once.ini", Once: true, Syntax: api.SyntaxINI,
		Mode: "0600", Template: "name = {{ ini .Database.Name }}\n"})
	r := w.run(&plan.Plan{Restore: &plan.Restore{Site: second, Location: w.location, Snapshot: saved.Snapshot}})
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "Database.Name") {
		t.Errorf("warnings: %q", r.Warnings)
	}
	after := read(t, siteDir(second), "www/public/config.php")
	if !strings.Contains(after, "'"+second.Database.Name+"'") || strings.Contains(after, "getenv") || salt(after) != salt(before) {
		t.Errorf("the configuration made anew is\n%s", after)
	}
	if got := read(t, siteDir(second), "www/public/extra/once.ini"); got != "name = '"+second.Database.Name+"'\n" {
		t.Errorf("once.ini: %q", got)
	}

	if err := os.Remove(filepath.Join(public, "config.php")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(public, "config.php")); err != nil {
		t.Fatal(err)
	}
	saved = w.run(w.backup(blog, "c"))
	third := w.site("blog", blogURL, "app_", 3)
	w.run(&plan.Plan{Restore: &plan.Restore{Site: third, Location: w.location, Snapshot: saved.Snapshot}})
	if info, err := os.Lstat(filepath.Join(siteDir(third), "www/public/config.php")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("a configuration that was a link out is %v, %v", info, err)
	}
}

func TestSiteWithoutDatabase(t *testing.T) {
	w := newWorld(t)
	wiki := w.site("wiki", blogURL, "", 1)
	wiki.Database = nil
	wiki.Recipe.Database, wiki.Recipe.SchemaVersion = api.DatabaseNone, nil
	wiki.Recipe.Configuration[0].Template = "<?php $url = {{ php .URL }};\n"
	wiki.Recipe.Configuration[0].Generate = nil
	wiki.Recipe.Configuration[0].Read = map[string]api.Pattern{"URL": `\$url = '([^']*)'`}
	wiki.Recipe.Commands.Install = &api.Command{Interpreter: api.InterpreterShell, Script: `echo hello > page.txt; echo '{"ok": true}'`}
	w.run(w.install(wiki))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	saved := w.run(w.backup(wiki, "b"))
	copied := wiki
	copied.Name, copied.UID, copied.URL, copied.Volume = "copy", "uid-of-copy", "https://copy.example", w.mkdir("volume-copy")
	w.run(&plan.Plan{Restore: &plan.Restore{Site: copied, Location: w.location, Snapshot: saved.Snapshot, NewSite: true}})
	if got := read(t, siteDir(copied), "www/public/config.php"); got != "<?php $url = 'https://copy.example';\n" {
		t.Errorf("configuration: %q", got)
	}
	copied.Volume = w.mkdir("volume-clone")
	w.run(&plan.Plan{Clone: &plan.Clone{Site: copied, Source: wiki}})
	if got := read(t, siteDir(copied), "www/public/page.txt"); got != "hello\n" {
		t.Errorf("page: %q", got)
	}
}
