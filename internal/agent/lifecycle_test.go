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
