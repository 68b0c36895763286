package agent

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/plan"
)

const blogURL = "http://blog.example"

func TestInstallBackupRestore(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	installed := w.run(w.install(blog))
	if installed.Version != "1.2" || installed.SchemaVersion != "3" || installed.Files < 6 || installed.DatabaseBytes == 0 {
		t.Errorf("install answers %+v", installed)
	}
	if _, err := os.Stat(filepath.Join(siteDir(blog), "www/public/setup.php")); err == nil {
		t.Error("the installer is still there")
	}
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	files, tables := tree(t, blog), w.dump(blog.Database)

	saved := w.run(w.backup(blog, "blog-1"))
	if saved.Snapshot == "" || saved.Files != installed.Files || saved.Bytes != installed.Bytes || saved.DatabaseBytes == 0 ||
		saved.UploadedBytes == 0 || saved.SourceURL != blogURL || saved.Prefix != "app_" || saved.Runtime != "php-8.2" {
		t.Errorf("backup answers %+v, install answered %+v", saved, installed)
	}
	if again := w.run(w.backup(blog, "blog-1")); again.Snapshot != saved.Snapshot {
		t.Errorf("the same Backup made another snapshot: %s and %s", saved.Snapshot, again.Snapshot)
	}

	w.exec(blog.Database, "DROP TABLE app_notes", "DROP TABLE app_options")
	if err := os.RemoveAll(filepath.Join(siteDir(blog), "www")); err != nil {
		t.Fatal(err)
	}
	second := w.site("blog", blogURL, "app_", 2)
	restored := w.run(&plan.Plan{Restore: &plan.Restore{Site: second, Location: w.location, Snapshot: saved.Snapshot}})
	if restored.Version != "1.2" || restored.Files != saved.Files || restored.Rewritten != 0 || len(restored.Warnings) > 0 {
		t.Errorf("restore answers %+v", restored)
	}
	if got := w.dump(second.Database); got != tables {
		t.Errorf("the tables differ:\n%s\n%s", got, tables)
	}
	files["www/public/config.php"] = strings.ReplaceAll(files["www/public/config.php"], blog.Database.Name, second.Database.Name)
	if got := tree(t, second); !maps.Equal(got, files) {
		for name := range files {
			if got[name] != files[name] {
				t.Errorf("%s: got %.300q, want %.300q", name, got[name], files[name])
			}
		}
	}
}

// moved installs a site, has a user change it, and returns it.
func (w *world) usedSite(name string) plan.Site {
	w.t.Helper()
	site := w.site(name, blogURL, "app_", 1)
	w.run(w.install(site))
	w.exec(site.Database, "INSERT INTO app_notes (body) VALUES ('<a href=\"http:\\\\/\\\\/blog.example\\\\/x\">http://blog.example/y</a>')")
	public := filepath.Join(siteDir(site), "www/public")
	config := strings.Replace(read(w.t, public, "config.php"), "<?php\n", "<?php\n// A user's own line.\n", 1)
	for path, content := range map[string]string{
		"config.php": config, ".htaccess": "Redirect /old http://blog.example/new\n", "cache/page.html": "http://blog.example/cached",
		"uploads/image.bin": "\x00\x01http://blog.example/\x02",
	} {
		full := filepath.Join(public, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o640); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := os.Symlink("uploads/readme.txt", filepath.Join(public, "link")); err != nil {
		w.t.Fatal(err)
	}
	return site
}

// checkMoved sees that a copy of blog at another place is that site and no other.
func (w *world) checkMoved(site, source plan.Site) {
	w.t.Helper()
	tables := w.dump(site.Database)
	for _, old := range []string{"blog.example", "app_"} {
		if i := strings.Index(tables, old); i >= 0 {
			w.t.Errorf("the copy's tables still hold %q: …%s…", old, tables[max(0, i-100):i+100])
		}
	}
	for _, want := range []string{
		`s:31:"https://copy.example/deep/about`, `s:38:"Grüße aus https://copy.example/deep!"`, `http`, "`new_options`", "'new_roles'",
	} {
		if !strings.Contains(strings.ReplaceAll(tables, `\"`, `"`), want) {
			w.t.Errorf("the copy's tables do not hold %s", want)
		}
	}
	var n int
	if err := w.open(site.Database).QueryRow("SELECT (SELECT COUNT(*) FROM new_notes) * 10 + (SELECT COUNT(*) FROM new_sessions)").Scan(&n); err != nil || n != 2010 {
		w.t.Errorf("notes and sessions: %d, %v; want 201 and none", n, err)
	}
	files, original := tree(w.t, site), tree(w.t, source)
	config := files["www/public/config.php"]
	for _, want := range []string{"// A user's own line.", "'" + site.Database.Name + "'", "$table_prefix = 'new_';"} {
		if !strings.Contains(config, want) {
			w.t.Errorf("the copy's configuration lacks %s:\n%s", want, config)
		}
	}
	salt := func(s string) string { _, s, _ = strings.Cut(s, "'SALT', '"); return s[:64] }
	if salt(config) == salt(original["www/public/config.php"]) {
		w.t.Error("the copy has the secrets of its source")
	}
	if got := files["www/public/.htaccess"]; got != "Redirect /old https://copy.example/deep/new\n" {
		w.t.Errorf(".htaccess: %q", got)
	}
	if _, cached := files["www/public/cache/page.html"]; cached {
		w.t.Error("the cache came along")
	}
	for _, same := range []string{"www/public/uploads/image.bin", "www/public/asset.bin", "data/files/one", "www/LICENSE"} {
		if files[same] != original[same] {
			w.t.Errorf("%s differs", same)
		}
	}
	if to, err := os.Readlink(filepath.Join(siteDir(site), "www/public/link")); err != nil || to != "uploads/readme.txt" {
		w.t.Errorf("link: %q, %v", to, err)
	}
}

func TestCloneAndRestoreElsewhere(t *testing.T) {
	w := newWorld(t)
	blog := w.usedSite("blog")
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	saved := w.run(w.backup(blog, "blog-1"))
	files, tables := tree(t, blog), w.dump(blog.Database)

	clone := w.site("copy", "https://copy.example/deep", "new_", 1)
	cloned := w.run(&plan.Plan{Clone: &plan.Clone{Site: clone, Source: blog}})
	if cloned.Rewritten == 0 || cloned.Malformed != 0 || cloned.SourceURL != blogURL || cloned.Prefix != "app_" || cloned.Version != "1.2" {
		t.Errorf("clone answers %+v", cloned)
	}
	w.checkMoved(clone, blog)

	elsewhere := w.site("old", "https://copy.example/deep", "new_", 1)
	restored := w.run(&plan.Plan{Restore: &plan.Restore{Site: elsewhere, Location: w.location, NewSite: true,
		Latest: &plan.LatestSnap{Namespace: "demo", Name: "blog"}}})
	if restored.Snapshot != saved.Snapshot || len(restored.Warnings) != 1 {
		t.Errorf("restore answers %+v", restored)
	}
	w.checkMoved(elsewhere, blog)

	if got := w.dump(blog.Database); got != tables {
		t.Error("the source's tables changed")
	}
	if got := tree(t, blog); !maps.Equal(got, files) {
		t.Error("the source's files changed")
	}
}
