package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

const repositorySecret = "S3CRET correct horse"

// site is a blog with files, which knows its URL.
type site struct {
	mysql.Config
	files string
}

func newSite(t *testing.T) site {
	t.Helper()
	s := site{blog(t), filepath.Join(t.TempDir(), "www")}
	t.Setenv(repositoryPassword.env, repositorySecret)
	for name, content := range map[string]string{
		"index.php": "<?php", "wp-includes/version.php": "<?php\n$wp_version = '7.1.3';\n$wp_db_version = 60000;\n",
		"wp-content/uploads/ä b.png": "picture", "wp-content/cache/page.html": "stale", "debug.log": "noise",
	} {
		put(t, filepath.Join(s.files, name), content)
	}
	if err := os.Symlink("wp-content/uploads", filepath.Join(s.files, "media")); err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
}

// snapshotArgs back the site up into a location.
func (s site) snapshotArgs(location string, more ...string) []string {
	return append([]string{"snapshot", "--site", "acme/blog", "--application-file", wordpress, "--url", old, "--files", s.files,
		"--database", dsn(s.Config) + "?prefix=wp_", "--exclude", "*.log", location}, more...)
}

const wordpress = "../../config/applications/wordpress.yaml"

// same sees that two directories hold the same, but for what was left out.
func same(t *testing.T, a, b string, but ...string) {
	t.Helper()
	args := []string{"-r", "--no-dereference"}
	for _, name := range but {
		args = append(args, "-x", name)
	}
	if out, err := exec.Command("diff", append(args, a, b)...).CombinedOutput(); err != nil {
		t.Errorf("%s and %s differ: %v\n%s", a, b, err, out)
	}
}

// incomplete lists what a run left beside a place.
func incomplete(t *testing.T, dir string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".*incomplete*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// TestBackUpAndRestore goes the whole way on a directory and on an S3 server.
func TestBackUpAndRestore(t *testing.T) {
	s3 := storagetest.StartS3(t, t.TempDir())
	s3.Bucket(t, "backups")
	t.Setenv(locationPassword.env, s3.SecretKey)
	for name, location := range map[string]string{
		"directory": t.TempDir(),
		"file":      "file://" + t.TempDir(),
		"s3":        fmt.Sprintf("s3://%s@backups.us-east-1/sites?endpoint=%s&addressing=path", s3.AccessKey, s3.Endpoint),
	} {
		t.Run(name, func(t *testing.T) { backUpAndRestore(t, location) })
	}
}

func backUpAndRestore(t *testing.T, location string) {
	s := newSite(t)
	id := result[made](t, must(t, "", "create", location).out).Repository
	if r := data(t, "", "create", location); r.code() != plan.ExitTerminal || !strings.Contains(r.err.Error(), "already") {
		t.Errorf("a second repository: %d, %v", r.code(), r.err)
	}
	saved := result[taken](t, must(t, "", s.snapshotArgs(location, "--backup", "blog-1", "--note", "before the move")...).out)
	if saved.Version != "7.1.3" || saved.Application != "wordpress" || saved.Tables != 2 || saved.Files == 0 || saved.DatabaseBytes == 0 || saved.UploadedBytes == 0 {
		t.Errorf("snapshot answers %+v", saved)
	}
	again := result[taken](t, must(t, "", s.snapshotArgs(location)...).out)
	if again.Snapshot == saved.Snapshot || again.UploadedBytes >= saved.UploadedBytes || again.Files != saved.Files {
		t.Errorf("a second snapshot answers %+v after %+v", again, saved)
	}
	lines := strings.Split(strings.TrimSpace(must(t, "", "list", "--site", "acme/blog", location).out), "\n")
	first := result[listed](t, lines[0])
	if len(lines) != 2 || first.Snapshot != saved.Snapshot || first.Backup != "blog-1" || first.Note != "before the move" || first.Site != "acme/blog" {
		t.Errorf("list answers %q", lines)
	}
	if out := must(t, "", "list", "--site", "acme/shop", location).out; out != "" {
		t.Errorf("the list of another site: %s", out)
	}
	for _, args := range [][]string{{"verify", location}, {"verify", "--full", location, saved.Snapshot, "acme/blog"}} {
		for line := range strings.Lines(must(t, "", args...).out) {
			if v := result[verified](t, line); !v.OK || v.Objects < 6 || v.Blobs == 0 || v.Full != (args[1] == "--full") {
				t.Errorf("verify answers %s", line)
			}
		}
	}
	restoreTo(t, s, location, saved)
	stats := result[statistics](t, must(t, "", "stats", location).out)
	if stats.Repository != id || stats.Snapshots != 2 || stats.StoredBytes == 0 || stats.UniqueBytes == 0 || stats.LastFull != nil {
		t.Errorf("stats answers %+v", stats)
	}
	gone := result[deleted](t, must(t, "", "delete", location, saved.Snapshot).out)
	if len(gone.Deleted) != 1 || gone.Deleted[0] != saved.Snapshot {
		t.Errorf("delete answers %+v", gone)
	}
	for _, args := range [][]string{{"delete", location, again.Snapshot, saved.Snapshot}, {"restore", "--files", filepath.Join(t.TempDir(), "x"), location, saved.Snapshot}} {
		if r := data(t, "", args...); r.code() != plan.ExitTerminal {
			t.Errorf("%s of a snapshot that is gone: %d, %v", args[0], r.code(), r.err)
		}
	}
	maintained := result[statistics](t, must(t, "", "maintain", "--full", location).out)
	if maintained.Snapshots != 1 || maintained.LastFull == nil {
		t.Errorf("maintain answers %+v", maintained)
	}
}

// restoreTo restores files and tables, and tables alone at another URL.
func restoreTo(t *testing.T, s site, location string, saved taken) {
	t.Helper()
	parent, target := t.TempDir(), mysqltest.Start(t).Database(t)
	password := write(t, target.Password)
	files, empty := filepath.Join(parent, "www"), filepath.Join(parent, "data")
	r := result[restored](t, must(t, "", "restore", "--files", files, "--data", empty, "--database", dsn(target), "--password-file", password,
		location, saved.Snapshot).out)
	if r.Tables != 2 || r.Files != saved.Files || r.Bytes != saved.Bytes || r.Rewritten != 0 || r.URL != old || r.Prefix != "wp_" {
		t.Errorf("restore answers %+v of %+v", r, saved)
	}
	same(t, s.files, files, "cache", "debug.log")
	if _, err := os.Stat(filepath.Join(files, "debug.log")); err == nil {
		t.Error("what --exclude names is in the snapshot")
	}
	if a, b := must(t, "", "dump", dsn(s.Config)+"?prefix=wp_").out, must(t, "", "dump", "--password-file", password, dsn(target)+"?prefix=wp_").out; a != b {
		t.Errorf("the databases differ:\n%s\n%s", a, b)
	}
	again := []string{"restore", "--database", dsn(target), "--password-file", password, "--to", "https://new.example/blog", location, "acme/blog"}
	if r := data(t, "", again...); r.code() != plan.ExitTerminal || !strings.Contains(r.err.Error(), "--clear") {
		t.Errorf("over tables: %d, %v", r.code(), r.err)
	}
	r = result[restored](t, must(t, "", append(again, "--clear")...).out)
	if r.Rewritten != 2 || r.URL != "https://new.example/blog" {
		t.Errorf("a restore at another URL answers %+v", r)
	}
	if got := value(t, target, "SELECT value FROM wp_options"); got != `a:1:{s:3:"url";s:24:"https://new.example/blog";}` {
		t.Errorf("the option is %s", got)
	}
	if left := incomplete(t, parent); len(left) > 0 {
		t.Errorf("left beside: %q", left)
	}
}

// TestArchives: what was exported is imported again, and unpacks with the stock programs.
func TestArchives(t *testing.T) {
	s, location, dir := newSite(t), t.TempDir(), t.TempDir()
	must(t, "", "create", location)
	saved := result[taken](t, must(t, "", s.snapshotArgs(location)...).out)
	file := filepath.Join(dir, "blog.tar.gz")
	e := result[exported](t, must(t, "", "export", location, "acme/blog", file).out)
	if e.Files != saved.Files || e.DatabaseBytes != saved.DatabaseBytes || e.Format != "tar.gz" || e.Snapshot != saved.Snapshot {
		t.Errorf("export answers %+v of %+v", e, saved)
	}
	if r := data(t, "", "export", location, "acme/blog", file); r.code() != plan.ExitTerminal || !strings.Contains(r.err.Error(), "is there already") {
		t.Errorf("over a file: %d, %v", r.code(), r.err)
	}
	if left := incomplete(t, dir); len(left) > 0 {
		t.Errorf("left beside: %q", left)
	}
	if out, err := exec.Command("tar", "-xzf", file, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	same(t, s.files, filepath.Join(dir, "files", "www"), "cache", "debug.log")

	streamed := must(t, "", "export", "--format", "tar.gz", location, "acme/blog", "-")
	if content, err := os.ReadFile(file); err != nil || streamed.out != string(content) {
		t.Errorf("standard output holds another archive than the file (%v)", err)
	}
	if result[exported](t, streamed.errs).Files != saved.Files {
		t.Errorf("standard error: %s", streamed.errs)
	}
	for _, r := range []run{must(t, "", "import", "--site", "acme/copy", location, file), must(t, streamed.out, "import", "--site", "acme/copy", location, "-")} {
		i := result[taken](t, r.out)
		if i.Files != saved.Files || i.Bytes != saved.Bytes || i.DatabaseBytes != saved.DatabaseBytes || i.Version != "7.1.3" || i.Site != "acme/copy" || i.Tables != 2 {
			t.Errorf("import answers %+v of %+v", i, saved)
		}
	}
}

// TestImportOfAnotherProgram: a document root and a dump.
func TestImportOfAnotherProgram(t *testing.T) {
	s, location, dir := newSite(t), t.TempDir(), t.TempDir()
	must(t, "", "create", location)
	put(t, filepath.Join(s.files, "wp-config.php"), "<?php\ndefine('DB_NAME', 'blog');\n$table_prefix = 'wp_';\n")
	put(t, filepath.Join(s.files, "backup.sql"), must(t, "", "dump", dsn(s.Config)+"?prefix=wp_").out)
	file := filepath.Join(dir, "panel.tar.gz")
	if out, err := exec.Command("tar", "-czf", file, "-C", filepath.Dir(s.files), "www").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	if r := data(t, "", "import", "--site", "acme/panel", location, file); r.code() != plan.ExitTerminal || !strings.Contains(r.err.Error(), "--application-file") {
		t.Errorf("without the catalogue: %d, %v", r.code(), r.err)
	}
	i := result[taken](t, must(t, "", "import", "--site", "acme/panel", "--application-file", wordpress, "--url", old, location, file).out)
	if i.Application != "wordpress" || i.Version != "7.1.3" || i.Tables != 2 || i.URL != old {
		t.Errorf("import answers %+v", i)
	}
	target := mysqltest.Start(t).Database(t)
	r := result[restored](t, must(t, "", "restore", "--files", filepath.Join(dir, "out"), "--database", dsn(target), "--password-file",
		write(t, target.Password), location, "acme/panel").out)
	if r.Tables != 2 || r.Prefix != "wp_" {
		t.Errorf("restore answers %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "backup.sql")); err == nil {
		t.Error("the dump is among the files, where everybody may fetch it")
	}
}

// TestRepositoryIsMissing: what is not there is said, with what to do.
func TestRepositoryIsMissing(t *testing.T) {
	s, location := newSite(t), t.TempDir()
	for name, c := range map[string]struct {
		r    run
		says string
	}{
		"no repository": {data(t, "", "list", location), "data create"},
		"no directory":  {data(t, "", "create", filepath.Join(location, "missing")), "missing"},
		"no files":      {data(t, "", "snapshot", "--site", "a/b", "--application", "x", "--url", old, "--files", "/nowhere", location), "data create"},
	} {
		if c.r.code() != plan.ExitTerminal || !strings.Contains(fmt.Sprint(c.r.err), c.says) {
			t.Errorf("%s: %d, %v", name, c.r.code(), c.r.err)
		}
	}
	must(t, "", "create", location)
	t.Setenv(repositoryPassword.env, "S3CRET other")
	if r := data(t, "", "list", location); r.code() != plan.ExitTerminal || !strings.Contains(r.err.Error(), "another password") {
		t.Errorf("a wrong password: %d, %v", r.code(), r.err)
	}
	right := write(t, repositorySecret+"\n")
	must(t, "", "list", "--repository-password-file", right, location)
	if r := data(t, "", "restore", "--repository-password-file", right, "--files", s.files+"2", location, "acme/blog"); r.code() != plan.ExitTerminal ||
		!strings.Contains(r.err.Error(), "data list") {
		t.Errorf("a site without snapshots: %d, %v", r.code(), r.err)
	}
}

// TestRestoreLeavesNoHalf: what is in the way stays, and a restore that ends early leaves nothing that looks whole.
func TestRestoreLeavesNoHalf(t *testing.T) {
	s, location, parent := newSite(t), t.TempDir(), t.TempDir()
	must(t, "", "create", location)
	must(t, "", s.snapshotArgs(location)...)
	put(t, filepath.Join(parent, "used", "mine"), "mine")
	put(t, filepath.Join(parent, "file"), "mine")
	target := mysqltest.Start(t).Database(t)
	password := write(t, target.Password)
	fill(t, target, "CREATE TABLE kept (id INT)")
	for name, args := range map[string][]string{
		"used":   {"--files", filepath.Join(parent, "used")},
		"file":   {"--files", filepath.Join(parent, "file")},
		"nested": {"--files", filepath.Join(parent, "a"), "--data", filepath.Join(parent, "a", "b")},
		"tables": {"--files", filepath.Join(parent, "a"), "--database", dsn(target), "--password-file", password},
		"none":   {},
		"moved":  {"--files", filepath.Join(parent, "a"), "--to", old},
	} {
		if r := data(t, "", append(append([]string{"restore"}, args...), location, "acme/blog")...); r.code() != plan.ExitTerminal {
			t.Errorf("%s: %d, %v", name, r.code(), r.err)
		}
	}
	if _, err := os.Lstat(filepath.Join(parent, "a")); err == nil || len(incomplete(t, parent)) > 0 {
		t.Errorf("a failed restore left a directory: %q", incomplete(t, parent))
	}
	// A killed run's directory is taken over, unless that run is still there.
	put(t, filepath.Join(parent, ".a.incomplete", "half"), "half")
	other, err := place(filepath.Join(parent, "a"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"restore", "--files", filepath.Join(parent, "a"), location, "acme/blog"}
	if r := data(t, "", args...); r.code() != 1 || !strings.Contains(r.err.Error(), "another run") {
		t.Errorf("two at once: %d, %v", r.code(), r.err)
	}
	if err := other.end(); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(parent, ".a.incomplete", "half"), "half")
	if err := os.Mkdir(filepath.Join(parent, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "", args...)
	same(t, s.files, filepath.Join(parent, "a"), "cache", "debug.log")
}

// TestStop: a run that is stopped leaves nothing behind.
func TestStop(t *testing.T) {
	s, location, parent := newSite(t), t.TempDir(), t.TempDir()
	must(t, "", "create", location)
	must(t, "", s.snapshotArgs(location)...)
	for _, args := range [][]string{
		{"restore", "--files", filepath.Join(parent, "a"), location, "acme/blog"},
		{"export", location, "acme/blog", filepath.Join(parent, "a.tar.gz")},
		{"import", "--site", "acme/stdin", location, "-"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		in, hold := newPipe(t)
		root := newRoot()
		root.SetIn(in)
		root.SetArgs(append([]string{"data"}, args...))
		root.SetOut(hold)
		cancel()
		if err := root.ExecuteContext(ctx); (run{err: err}).code() != 1 {
			t.Errorf("%s, stopped: %v", args[0], err)
		}
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("what was stopped left %v, %v", entries, err)
	}
}

// newPipe is an input from which nothing comes.
func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); r.Close() })
	return r, w
}

// TestDamageIsFound: every damaged snapshot is named, and the others are looked at too.
func TestDamageIsFound(t *testing.T) {
	s, location := newSite(t), t.TempDir()
	must(t, "", "create", location)
	must(t, "", s.snapshotArgs(location)...)
	packs, err := filepath.Glob(filepath.Join(location, "p*"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	for _, p := range packs {
		content, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range content {
			content[i] ^= 1
		}
		if err := os.WriteFile(p, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "", "verify", location) // The sizes are right.
	r := data(t, "", "verify", "--full", location)
	if v := result[verified](t, r.out); r.code() != plan.ExitTerminal || v.OK || v.Damage == "" || !strings.Contains(r.err.Error(), "1 of 1 snapshots") {
		t.Errorf("%d, %v: %s", r.code(), r.err, r.out)
	}
	if err := os.Remove(packs[0]); err != nil {
		t.Fatal(err)
	}
	if r := data(t, "", "verify", location); r.code() != plan.ExitTerminal {
		t.Errorf("with a pack that is gone: %d, %v", r.code(), r.err)
	}
}

// TestRepositorySecretsStaySecret: whatever is wrong with a location, no secret is in what is printed.
func TestRepositorySecretsStaySecret(t *testing.T) {
	s, location := newSite(t), t.TempDir()
	must(t, "", "create", location)
	const secret = "S3CRET/pass@word"
	t.Setenv(locationPassword.env, secret)
	snapshot := func(l string) []string {
		return []string{"snapshot", "--site", "a/b", "--application", "x", "--url", old, "--files", s.files, l}
	}
	for _, c := range []struct {
		code int
		args []string
	}{
		{3, []string{"list", "sftp://u:" + secret + "@127.0.0.1/dir"}},
		{3, []string{"list", "sftp://u:S3CRET%zz@127.0.0.1:99999/dir"}},
		{3, []string{"list", "s3://key:" + secret + "@bucket.region/"}},
		{3, []string{"list", "dropbox2://S3CRET@key/folder"}},
		{3, []string{"list", "u:" + secret + "@127.0.0.1/dir"}},
		{3, []string{"list", secret}},
		{3, []string{"list", "gopher://u:" + secret + "@127.0.0.1/dir"}},
		{3, []string{"list", "--repository-password-file", "/nowhere", location}},
		{3, []string{"list", "--repository-password-file", write(t, secret), location}},
		{3, []string{"list", "--repository-password=" + secret, location}},
		{1, []string{"list", "ftp://u@127.0.0.1:1/dir"}},
		{3, []string{"list", "--location-key-file", write(t, "-----BEGIN S3CRET-----"), "sftp://u@127.0.0.1:1/dir"}},
		{3, []string{"list", "--ca-file", write(t, secret), "webdavs://u@127.0.0.1:1/dir"}},
		{3, []string{"list", "--ca-file", write(t, secret), location}},
		{3, []string{"list", "--site", secret, location}},
		{3, snapshot("ftp://u:" + secret + "@127.0.0.1/")},
		{3, append(snapshot(location), "--database", "mysql://u:"+secret+"@127.0.0.1/db")},
		{3, append(snapshot(location), "--url", "http://u:"+secret+"@blog.example")},
		{3, append(snapshot(location), "--application-file", write(t, "password: "+secret))},
		{3, append(snapshot(location), "--exclude", "[")},
		{3, []string{"restore", "--files", filepath.Join(t.TempDir(), "x"), location}},
		{3, []string{"restore", "--files", filepath.Join(t.TempDir(), "x"), location, secret}},
		{3, []string{"import", "--site", "a/b", location, write(t, secret)}},
		{3, []string{"import", location, "x"}},
		{3, []string{"export", location, "acme/blog", "blog.rar"}},
		{3, []string{"export", "--format", "rar", location, "acme/blog", "-"}},
		{3, []string{"delete", location}},
	} {
		r := data(t, "", c.args...)
		if r.code() != c.code {
			t.Errorf("%.100q: exit code %d, want %d: %v", c.args, r.code(), c.code, r.err)
		}
		if shown := fmt.Sprint(r.err) + r.out + r.errs; strings.Contains(shown, "S3CRET") {
			t.Errorf("%.100q shows a secret: %s", c.args, shown)
		}
	}
	t.Setenv(repositoryPassword.env, "")
	if r := data(t, "", "list", location); r.code() != plan.ExitTerminal || !strings.Contains(r.err.Error(), repositoryPassword.env) {
		t.Errorf("without the repository's password: %d, %v", r.code(), r.err)
	}
}

// TestPrefixIsFound: without ?prefix the whole database is the site's, and its tables tell the prefix.
func TestPrefixIsFound(t *testing.T) {
	s, location := newSite(t), t.TempDir()
	must(t, "", "create", location)
	fill(t, s.Config, "DROP TABLE shop_items", "ALTER TABLE wp_options ADD option_name VARCHAR(50), ADD option_value VARCHAR(50)",
		"INSERT INTO wp_options (id, name, option_name, option_value) VALUES (9, 'version', 'db_version', '60000')")
	args := []string{"snapshot", "--site", "acme/blog", "--application-file", wordpress, "--url", old, "--files", s.files, "--database", dsn(s.Config), location}
	if r := must(t, "", args...); r.errs != "" && !strings.HasPrefix(r.errs, "read:") {
		t.Errorf("it warns: %s", r.errs)
	}
	r := result[restored](t, must(t, "", "restore", "--files", filepath.Join(t.TempDir(), "out"), location, "acme/blog").out)
	if r.Prefix != "wp_" || r.Version != "7.1.3" || r.Tables != 0 {
		t.Errorf("restore answers %+v", r)
	}
	fill(t, s.Config, "CREATE TABLE other (id INT)")
	if r := must(t, "", args...); !strings.Contains(r.errs, "no beginning in common") {
		t.Errorf("a prefix that nobody knows is not warned of: %s", r.errs)
	}
}
