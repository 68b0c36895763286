package agent

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
)

// stock runs a program that users have. Its output is returned.
func stock(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	c := exec.Command(args[0], args[1:]...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s (apt-get install tar zstd mariadb-client)", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (w *world) importOf(name, object string) *plan.Plan {
	slim := appRecipe()
	slim.Commands.Install = nil
	slim.Move.DumpURL = `'url',\s*'([^']+)'`
	return &plan.Plan{Import: &plan.Import{Location: w.location, Archive: object, Namespace: "demo", Name: name, UID: "uid-of-" + name,
		Candidates: []plan.Candidate{{Application: "notes", Recipe: slim}}}}
}

func (w *world) restoreOf(site plan.Site, snapshot string) *plan.Plan {
	return &plan.Plan{Restore: &plan.Restore{Site: site, Location: w.location, Snapshot: snapshot}}
}

// object puts an archive into the location.
func (w *world) object(name string, content []byte) {
	w.t.Helper()
	full := filepath.Join(w.location.Volume.Path, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(full, content, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// same sees that a restored site has the files of another, but for the name of its database, and the tables.
func (w *world) same(got plan.Site, files map[string]string, of plan.Site, tables string) {
	w.t.Helper()
	want := maps.Clone(files)
	want["www/public/config.php"] = strings.ReplaceAll(want["www/public/config.php"], of.Database.Name, got.Database.Name)
	have := tree(w.t, got)
	for name := range want {
		if have[name] != want[name] {
			w.t.Errorf("%s: got %.300q, want %.300q", name, have[name], want[name])
		}
	}
	if len(have) != len(want) {
		w.t.Errorf("%d files, want %d", len(have), len(want))
	}
	if now := w.dump(got.Database); now != tables {
		w.t.Errorf("the tables differ:\n%.2000s\n%.2000s", now, tables)
	}
}

func TestExportImportRestore(t *testing.T) {
	w := newWorld(t)
	blog := w.usedSite("blog")
	if err := os.RemoveAll(filepath.Join(siteDir(blog), "www/public/cache")); err != nil {
		t.Fatal(err)
	}
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	saved := w.run(w.backup(blog, "blog-1"))
	files, tables := tree(t, blog), w.dump(blog.Database)
	for n, format := range []string{"tar.zst", "tar.gz"} {
		object := "exports/blog." + format
		export := &plan.Plan{Export: &plan.Export{Location: w.location, Snapshot: saved.Snapshot, Archive: object}}
		exported := w.run(export)
		if exported.Files != saved.Files || exported.Bytes != saved.Bytes || exported.DatabaseBytes != saved.DatabaseBytes || len(exported.Warnings) > 0 {
			t.Errorf("export answers %+v, backup answered %+v", exported, saved)
		}
		first := read(t, w.location.Volume.Path, object)
		if w.run(export); read(t, w.location.Volume.Path, object) != first {
			t.Error("the same snapshot makes another archive the second time")
		}
		w.checkUnpacked(filepath.Join(w.location.Volume.Path, object), blog, files, tables)

		name := []string{"zstd", "gzip"}[n]
		imported := w.run(w.importOf(name, object))
		if imported.Files != saved.Files || imported.Bytes != saved.Bytes || imported.DatabaseBytes != saved.DatabaseBytes ||
			imported.SourceURL != blogURL || imported.Application != "notes" || imported.Version != "1.2" || imported.Prefix != "app_" {
			t.Errorf("import answers %+v, backup answered %+v", imported, saved)
		}
		if again := w.run(w.importOf(name, object)); again.Snapshot != imported.Snapshot {
			t.Error("the same import made a second snapshot")
		}
		second := w.site("blog", blogURL, "app_", int64(2+n))
		if r := w.run(w.restoreOf(second, imported.Snapshot)); len(r.Warnings) > 0 || r.Rewritten != 0 {
			t.Errorf("restore answers %+v", r)
		}
		w.same(second, files, blog, tables)
	}
	copied := w.site("copy", "https://copy.example/deep", "new_", 1)
	p := w.restoreOf(copied, w.run(w.importOf("zstd", "exports/blog.tar.zst")).Snapshot)
	p.Restore.NewSite = true
	w.run(p)
	w.checkMoved(copied, blog)
}

// checkUnpacked sees that the stock programs unpack and load what was exported, as it was.
func (w *world) checkUnpacked(name string, site plan.Site, files map[string]string, tables string) {
	w.t.Helper()
	dir := w.t.TempDir()
	stock(w.t, "", "tar", "-xf", name, "-C", dir)
	for file, content := range files {
		if got := read(w.t, dir, "files", file); got != content {
			w.t.Errorf("unpacked %s: %.200q, want %.200q", file, got, content)
		}
		was, err := os.Stat(filepath.Join(siteDir(site), file))
		if err != nil {
			w.t.Fatal(err)
		}
		is, err := os.Stat(filepath.Join(dir, "files", file))
		if err != nil || is.Mode() != was.Mode() || !is.ModTime().Equal(was.ModTime()) {
			w.t.Errorf("unpacked %s: %v %v, %v, want %v %v", file, is.Mode(), is.ModTime(), err, was.Mode(), was.ModTime())
		}
	}
	fresh := w.database("app_")
	args := append([]string{"mariadb"}, w.server.ClientArgs()...)
	stock(w.t, read(w.t, dir, "database.sql"), append(args, fresh.Name)...)
	if got := w.dump(fresh); got != tables {
		w.t.Errorf("what the stock client loaded differs:\n%.2000s\n%.2000s", got, tables)
	}
}

// packed makes an archive of a directory with the stock tar.
func packed(t *testing.T, dir, flag string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "archive")
	stock(t, "", "tar", "-C", dir, flag, "-cf", name, ".")
	return []byte(read(t, name))
}

func zipOf(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := z.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportOfCommonShapes(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	files, tables := tree(t, blog), w.dump(blog.Database)
	delete(files, "data/files/one") // An archive of another program knows of no data outside.
	args := append([]string{"mariadb-dump"}, w.server.ClientArgs()...)
	dump := stock(t, "", append(args, "--databases", blog.Database.Name)...)
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	_, _ = z.Write([]byte(dump))
	_ = z.Close()
	www := filepath.Join(siteDir(blog), "www")
	for n, c := range []struct {
		name, www string            // where the release lies
		others    map[string]string // beside it
		pack      func(dir string) []byte
		warns     int
	}{
		{"in the top directory", "", map[string]string{"dump.sql": dump}, func(d string) []byte { return packed(t, d, "-z") }, 1},
		{"beside", "site", map[string]string{"dump.sql": dump}, func(d string) []byte { return packed(t, d, "--zstd") }, 1},
		{"one directory above", "old/htdocs", map[string]string{"old/db.sql.gz": small.String()}, func(d string) []byte { return packed(t, d, "--sparse") }, 1},
		{"zip", "old/htdocs", map[string]string{"old/db.sql.gz": small.String()}, func(d string) []byte { return zipOf(t, d) }, 1},
		{"two dumps", "home/www", map[string]string{"mysql/other.sql": "x", "mysql/" + blog.Database.Name + ".sql": dump},
			func(d string) []byte { return packed(t, d, "-z") }, 1},
		{"unended", "www", map[string]string{"dump.sql": dump[:strings.LastIndex(dump, "-- Dump completed")]},
			func(d string) []byte { return packed(t, d, "-z") }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, c.www), 0o755); err != nil {
				t.Fatal(err)
			}
			stock(t, "", "cp", "-a", www+"/.", filepath.Join(dir, c.www))
			for name, content := range c.others {
				full := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			object := "uploads/old site " + string(rune('a'+n)) + ".bin"
			w.object(object, c.pack(dir))
			r := w.run(w.importOf("old-"+string(rune('a'+n)), object))
			if r.SourceURL != blogURL || r.Version != "1.2" || r.Prefix != "app_" || r.Application != "notes" || len(r.Warnings) != c.warns {
				t.Errorf("import answers %+v", r)
			}
			site := w.site("old", blogURL, "app_", int64(n+1))
			w.run(w.restoreOf(site, r.Snapshot))
			w.same(site, files, blog, tables)
		})
	}
	copied := w.site("copy", "https://copy.example/deep", "new_", 1)
	p := w.restoreOf(copied, w.run(w.importOf("old-a", "uploads/old site a.bin")).Snapshot)
	p.Restore.NewSite = true
	w.run(p)
	if got := w.dump(copied.Database); strings.Contains(got, "blog.example") || strings.Count(got, "https://copy.example/deep/note/") != 200 {
		t.Error("the tables were not moved")
	}
}

func TestImportRefuses(t *testing.T) {
	w := newWorld(t)
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	site := map[string]string{"public/version.php": appVersion, "public/config.php": "$table_prefix = 'app_'"}
	dump := "CREATE TABLE `app_options` (a int);\nINSERT INTO app_options VALUES ('url','http://blog.example');\n-- Dump completed\n"
	with := func(more map[string]string) []byte {
		all := maps.Clone(site)
		maps.Copy(all, more)
		return tarball(t, all)
	}
	good := with(map[string]string{"dump.sql": dump})
	for name, c := range map[string]struct {
		content []byte
		words   []string
	}{
		"text":      {[]byte(strings.Repeat("no archive ", 100)), []string{"no .tar.gz"}},
		"empty":     {nil, []string{"no .tar.gz"}},
		"unknown":   {tarball(t, map[string]string{"index.html": "x"}), []string{"no application of the catalogue"}},
		"cut":       {good[:len(good)-20], []string{"cut off"}},
		"no dump":   {with(nil), []string{"holds no dump"}},
		"two dumps": {with(map[string]string{"a.sql": dump, "b.sql": dump}), []string{"2 dumps", "a.sql"}},
		"climbs":    {with(map[string]string{"../x": ""}), []string{"climbs out", "../x"}},
		"two sites": {tarball(t, map[string]string{"a/public/version.php": appVersion, "b/public/version.php": appVersion, "a.sql": dump}),
			[]string{"more than one site", "a/public", "b/public"}},
		"link out":      {linked(t, map[string]string{"public/l": "../../etc"}), []string{"public/l", "leads out"}},
		"absolute link": {linked(t, map[string]string{"public/l": "/etc/passwd"}), []string{"public/l", "absolute path"}},
		"other dump":    {with(map[string]string{"a.sql": strings.ReplaceAll(dump, "app_", "wp_")}), []string{"no table", `"app_"`}},
		"cut dump":      {with(map[string]string{"a.sql": "CREATE TABLE t (a int);\nINSERT INTO t VALUES ('"}), []string{"a.sql", "no dump that can be loaded"}},
		"no url":        {with(map[string]string{"a.sql": "CREATE TABLE app_options (a int);"}), []string{"the URL of the site"}},
		"bad gzip":      {with(map[string]string{"a.sql.gz": "nonsense"}), []string{"a.sql.gz", "damaged"}},
		"two databases": {with(map[string]string{"a.sql": "USE a;CREATE TABLE app_x (a int);USE b;"}), []string{"more than one database"}},
		"bad manifest":  {tarball(t, map[string]string{"manifest.json": `{"formatVersion":99}`, "files/www/a": ""}), []string{"manifest.json", "format is 99"}},
	} {
		object := "uploads/" + name
		w.object(object, c.content)
		w.fails(w.importOf("refused", object), plan.ReasonInvalid, true, append(c.words, "archive "+object, "import: ")...)
	}
	w.object("good", good)
	w.run(w.importOf("good", "good"))
	w.fails(w.importOf("missing", "uploads/missing"), plan.ReasonMissing, true, "uploads/missing")
}

// linked is a good archive with symbolic links.
func linked(t *testing.T, links map[string]string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"public/version.php": appVersion, "public/config.php": "$table_prefix = 'app_'",
		"dump.sql": "CREATE TABLE `app_options` (a int);\nINSERT INTO app_options VALUES ('url','http://blog.example');\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return packed(t, dir, "-z")
}

func TestKilledImportAndExport(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	saved := w.run(w.backup(blog, "blog-1"))
	export := &plan.Plan{Export: &plan.Export{Location: w.location, Snapshot: saved.Snapshot, Archive: "blog.tar.zst"}}
	w.killed(export, 6, 200*time.Millisecond)
	imported := w.killed(w.importOf("again", "blog.tar.zst"), 8, 300*time.Millisecond)
	if imported.Files != saved.Files || imported.Bytes != saved.Bytes || imported.DatabaseBytes != saved.DatabaseBytes {
		t.Errorf("import answers %+v, backup answered %+v", imported, saved)
	}
	second := w.site("blog", blogURL, "app_", 2)
	w.run(w.restoreOf(second, imported.Snapshot))
	w.same(second, tree(t, blog), blog, w.dump(blog.Database))
}
