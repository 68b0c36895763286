package agent

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
)

func TestInstallFailures(t *testing.T) {
	w := newWorld(t)
	fresh := func() *plan.Plan { return w.install(w.site("blog", blogURL, "app_", 1)) }

	p := fresh()
	p.Install.Release.SHA256 = strings.Repeat("0", 64)
	w.fails(p, plan.ReasonChecksum, true, p.Install.Release.SHA256, "Application")

	p = fresh()
	p.Install.Release.URL = "http://127.0.0.1:1/app.tar.gz"
	w.fails(p, plan.ReasonUnreachable, false, "127.0.0.1:1")

	p = fresh()
	p.Install.Release.Version = "1.3"
	w.fails(p, plan.ReasonInvalid, true, "1.2", "1.3", "Application")

	p = fresh()
	p.Install.Site.Database.PasswordFile = w.file("wrong", "wrong password")
	w.fails(p, plan.ReasonDenied, true, p.Install.Site.Database.Name, "spec.database")

	p = fresh()
	p.Install.Site.Database.Port = 1
	w.fails(p, plan.ReasonUnreachable, false, p.Install.Site.Database.Name)

	p = fresh()
	p.Install.Site.Recipe.Commands.Install.Script = `<?php $in = json_decode(stream_get_contents(STDIN), true);
fwrite(STDERR, "no luck with " . json_encode($in['admin']['password']) . " and " . urlencode($in['database']['password'])); exit(7);`
	w.fails(p, plan.ReasonCommand, true, "install", "exited with 7", "no luck with \"***\" and ***")

	p = fresh()
	p.Install.Site.Recipe.Layout.DocumentRoot = "web"
	w.fails(p, plan.ReasonInvalid, true, "layout.documentRoot")

	p = fresh()
	if err := os.RemoveAll(p.Install.Site.Volume); err != nil {
		t.Fatal(err)
	}
	w.fails(p, plan.ReasonMissing, true, "is it mounted")
}

func TestSharedDatabaseIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	site := w.site("blog", blogURL, "app_", 1)
	site.Database.Shared = true
	w.exec(site.Database, "CREATE TABLE app_precious (id INT)", "CREATE TABLE other (id INT)")
	w.fails(w.install(site), plan.ReasonInvalid, true, `prefix "app_"`, site.Database.Name, "another tablePrefix")

	site.Database.Prefix = "mine_"
	before := site.Recipe.Commands.Install.Script
	site.Recipe.Commands.Install.Script = strings.Replace(before, `echo "installed`, `exit(1); echo "installed`, 1)
	w.fails(w.install(site), plan.ReasonCommand, true)
	site.Recipe.Commands.Install.Script = before
	w.run(w.install(site)) // Its own half-made tables do not hinder the second run.
	tables := w.dump(site.Database)
	for _, want := range []string{"`app_precious`", "`other`", "`mine_options`"} {
		if !strings.Contains(tables, want) {
			t.Errorf("table %s is gone", want)
		}
	}
}

func TestLocationFailures(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.fails(w.backup(blog, "b"), plan.ReasonMissing, false, "BackupLocation local")
	first := w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	if again := w.run(&plan.Plan{Open: &plan.Open{Location: w.location}}); again.Repository == "" || again.Repository != first.Repository {
		t.Errorf("the repository is %q and then %q", first.Repository, again.Repository)
	}
	restore := func(l plan.Location) *plan.Plan {
		return &plan.Plan{Restore: &plan.Restore{Site: w.site("blog", blogURL, "app_", 2), Location: l,
			Latest: &plan.LatestSnap{Namespace: "demo", Name: "blog"}}}
	}
	w.fails(restore(w.location), plan.ReasonNoSnapshot, true, "demo/blog", "local")
	p := restore(w.location)
	p.Restore.Latest, p.Restore.Snapshot = nil, strings.Repeat("0", 32)
	w.fails(p, plan.ReasonNoSnapshot, true)

	saved := w.run(w.backup(blog, "b"))
	wrong := w.location
	wrong.PasswordFile = w.file("wrong", "another password")
	w.fails(restore(wrong), plan.ReasonWrongPassword, true, "BackupLocation local", "Secret")
	w.fails(&plan.Plan{Open: &plan.Open{Location: wrong}}, plan.ReasonWrongPassword, true)
	missing := w.location
	missing.Volume = &plan.Volume{Path: filepath.Join(w.dir, "nowhere")}
	w.fails(&plan.Plan{Open: &plan.Open{Location: missing}}, plan.ReasonMissing, true, "BackupLocation local")

	p = restore(w.location)
	p.Restore.Site.Application = "another"
	w.fails(p, plan.ReasonInvalid, true, `"notes"`, `"another"`)

	w.run(&plan.Plan{Forget: &plan.Forget{Location: w.location, BackupUID: "uid-of-b"}})
	w.run(&plan.Plan{Forget: &plan.Forget{Location: w.location, Snapshot: saved.Snapshot}})
	w.fails(restore(w.location), plan.ReasonNoSnapshot, true)
}

func TestSealAndPrune(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	first := w.run(w.install(blog))
	w.exec(blog.Database, "DROP TABLE app_notes")
	again := w.run(w.install(blog))
	if again.Version != first.Version || again.Bytes != first.Bytes || strings.Contains(w.dump(blog.Database), "app_notes") {
		t.Error("a sealed generation was made again")
	}
	w.fails(&plan.Plan{Clone: &plan.Clone{Site: blog, Source: w.site("other", blogURL, "app_", 1)}}, plan.ReasonInvalid, true, "generation 1")
	w.run(&plan.Plan{Prune: &plan.Prune{Volume: blog.Volume, Generation: 2}})
	if len(tree(t, blog)) == 0 {
		t.Fatal("prune removed what was to be kept")
	}
	w.run(&plan.Plan{Prune: &plan.Prune{Volume: blog.Volume, Generation: 1}})
	if _, err := os.Stat(siteDir(blog)); err == nil {
		t.Error("prune left the generation that it was to remove")
	}
}

func TestStopsAtOnce(t *testing.T) {
	w := newWorld(t)
	site := w.site("blog", blogURL, "app_", 1)
	site.Recipe.Commands.Install.Script = `<?php sleep(60);`
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	r := Run(ctx, w.install(site), Options{StateDir: w.mkdir("state")})
	if r.Failure == nil || r.Failure.Terminal || time.Since(start) > 5*time.Second {
		t.Errorf("got %+v after %v", r.Failure, time.Since(start))
	}
}

func TestClassify(t *testing.T) {
	for err, want := range map[error]plan.Reason{
		&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}: plan.ReasonDiskFull,
		generation.ErrBusy: plan.ReasonUnreachable, os.ErrInvalid: plan.ReasonInternal,
	} {
		if f := classify(err); f.Reason != want || f.Message == "" {
			t.Errorf("%v: got %+v, want %s", err, f, want)
		}
	}
}

func TestKilledBackupLeavesNoMaintenance(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	v, err := generation.Open(t.Context(), blog.Volume, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{Options: Options{}.complete()}
	if _, err := a.beginMaintenance(v, &blog); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil { // As the end of the process would.
		t.Fatal(err)
	}
	file := filepath.Join(siteDir(blog), "www/public/.maintenance")
	if read(t, file) != "closed" {
		t.Error("the maintenance file is not what the recipe says")
	}
	w.run(&plan.Plan{Prune: &plan.Prune{Volume: blog.Volume, Generation: 7}})
	if _, err := os.Stat(file); err == nil {
		t.Error("the site is still in maintenance")
	}
}
