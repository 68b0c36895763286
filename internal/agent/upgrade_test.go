package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
)

const (
	appUpgrade = `<?php
$in = json_decode(stream_get_contents(STDIN), true);
require 'config.php';
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli(DB_HOST, DB_USER, DB_PASSWORD, DB_NAME, DB_PORT);
$db->query("ALTER TABLE {$table_prefix}notes ADD author VARCHAR(100) NOT NULL DEFAULT 'admin'");
$db->query("UPDATE {$table_prefix}options SET value = '4' WHERE name = 'schema'");
file_put_contents('uploads/upgraded.txt', "{$in['fromVersion']} to {$in['version']}\n");
echo json_encode(['ok' => true]), "\n";
`
	// appLosesDatabase ends every session with the database, as the end of the server does.
	appLosesDatabase = `<?php
require 'config.php';
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli(DB_HOST, DB_USER, DB_PASSWORD, DB_NAME, DB_PORT);
foreach ($db->query("SELECT ID FROM INFORMATION_SCHEMA.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1) AND ID <> CONNECTION_ID()")->fetch_all() as [$id]) {
    $db->query("KILL $id");
}
fwrite(STDERR, "no connection\n");
exit(1);
`
	appUpdate = `<?php
$in = json_decode(stream_get_contents(STDIN), true);
file_put_contents('plugins/updated.json', json_encode([$in['plugins'] ?? 'all', $in['themes'] ?? 'all']));
echo json_encode(['ok' => true]), "\n";
`
)

// nextRelease is release 1.3 on a server of its own: it has lost a file of 1.2, and brings others where the site has its own.
func nextRelease(t *testing.T) plan.Release {
	t.Helper()
	body := tarball(t, map[string]string{
		"app-1.3/public/index.php": "<?php require 'config.php'; // 1.3\n", "app-1.3/public/version.php": "<?php $app_version = '1.3'; $app_schema = 4;\n",
		"app-1.3/public/setup.php": "<?php // installer\n", "app-1.3/LICENSE": "free too\n", "app-1.3/public/lib/core.php": "<?php // 1.3\n",
		"app-1.3/public/plugins/bundled.php": "<?php // bundled\n", "app-1.3/public/content/index.php": "<?php // 1.3\n",
		"app-1.3/public/content/uploads/sample.txt": "sample\n",
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	t.Cleanup(server.Close)
	sum := sha256.Sum256(body)
	return plan.Release{Version: "1.3", URL: server.URL + "/app-1.3.tar.gz", SHA256: hex.EncodeToString(sum[:]), StripComponents: 1}
}

// outdated installs release 1.2 and has it used: what is the site's own stands beside and below what is the release's.
func (w *world) outdated() plan.Site {
	w.t.Helper()
	blog := w.site("blog", blogURL, "app_", 1)
	blog.Recipe.Files.User = []api.Path{"config.php", "uploads", "plugins", "content/uploads"}
	blog.Recipe.Commands.Upgrade = &api.Command{Interpreter: api.InterpreterPHP, Script: appUpgrade}
	blog.Recipe.Commands.Update = &api.Command{Interpreter: api.InterpreterPHP, Script: appUpdate}
	w.run(w.install(blog))
	for name, content := range map[string]string{
		"lib/gone.php": "of 1.2", "plugins/own.php": "own", "content/uploads/own.txt": "own", "content/index.php": "of 1.2", "beside.txt": "own",
	} {
		name = filepath.Join(siteDir(blog), "www/public", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o640); err != nil {
			w.t.Fatal(err)
		}
	}
	return blog
}

// upgrade is the plan of an upgrade of generation 1 to generation 2.
func (w *world) upgrade(from plan.Site, r *plan.Release) *plan.Plan {
	w.t.Helper()
	to := from
	to.Generation, to.Database, to.Runtime = 2, w.database("app_"), "php-8.4"
	return &plan.Plan{Upgrade: &plan.Upgrade{Site: to, FromGeneration: 1, FromDatabase: from.Database.Name, FromVersion: "1.2", Release: r}}
}

func closed(site plan.Site) bool {
	_, err := os.Stat(filepath.Join(siteDir(site), "www/public/.maintenance"))
	return err == nil
}

// checkUpgraded sees that the new generation is the old one in release 1.3, and the old one what it was.
func (w *world) checkUpgraded(p *plan.Plan, from plan.Site, was map[string]string, tables string) {
	w.t.Helper()
	to := p.Upgrade.Site
	files := tree(w.t, to)
	want := maps.Clone(was)
	delete(want, "www/public/lib/gone.php")
	maps.Copy(want, map[string]string{
		"www/public/index.php": "<?php require 'config.php'; // 1.3\n", "www/public/version.php": "<?php $app_version = '1.3'; $app_schema = 4;\n",
		"www/LICENSE": "free too\n", "www/public/lib/core.php": "<?php // 1.3\n", "www/public/content/index.php": "<?php // 1.3\n",
		"www/public/uploads/upgraded.txt": "1.2 to 1.3\n",
		"www/public/config.php":           strings.ReplaceAll(was["www/public/config.php"], from.Database.Name, to.Database.Name),
	})
	for name, content := range want {
		if files[name] != content {
			w.t.Errorf("%s: got %.200q, want %.200q", name, files[name], content)
		}
	}
	for name := range files {
		if _, ok := want[name]; !ok {
			w.t.Errorf("%s is there, and should not be", name)
		}
	}
	if got := w.dump(to.Database); !strings.Contains(got, "`author` varchar(100)") || strings.Count(got, blogURL+"/note/") != 200 {
		w.t.Error("the upgraded tables are not the source's, upgraded")
	}
	if got := tree(w.t, from); !maps.Equal(got, was) {
		w.t.Error("the files of the generation that serves have changed")
	}
	if got := w.dump(from.Database); got != tables {
		w.t.Error("the tables of the generation that serves have changed")
	}
}

func TestUpgrade(t *testing.T) {
	w := newWorld(t)
	blog := w.outdated()
	was, tables := tree(t, blog), w.dump(blog.Database)
	r := nextRelease(t)
	p := w.upgrade(blog, &r)
	p.Upgrade.Site.Recipe.Commands.Update = nil
	got := w.run(p)
	if got.Version != "1.3" || got.SchemaVersion != "4" || got.Runtime != "php-8.4" || len(got.Warnings) > 0 || got.Rewritten != 0 {
		t.Errorf("the upgrade answers %+v", got)
	}
	if again := w.run(p); again.Version != "1.3" || again.Files != got.Files {
		t.Errorf("an upgrade that is sealed answers %+v", again)
	}
	if !closed(blog) || closed(p.Upgrade.Site) {
		t.Errorf("until the switch, visitors are to be kept out of the old generation alone: %t, %t", closed(blog), closed(p.Upgrade.Site))
	}
	w.run(&plan.Plan{Resume: &plan.Resume{Volume: blog.Volume}})
	if closed(blog) {
		t.Error("the old generation is still in maintenance")
	}
	w.checkUpgraded(p, blog, was, tables)
}

func TestUpdate(t *testing.T) {
	w := newWorld(t)
	blog := w.outdated()
	for want, update := range map[string]plan.Update{
		`["all",[]]`:      {Plugins: []string{"*"}},
		`[["one"],"all"]`: {Plugins: []string{"one"}, Themes: []string{"*"}},
	} {
		p := w.upgrade(blog, nil)
		p.Upgrade.Update = &update
		p.Upgrade.Site.Volume, p.Upgrade.Site.UID = blog.Volume, blog.UID
		got := w.run(p)
		if got.Version != "1.2" || got.SchemaVersion != "3" {
			t.Errorf("the update answers %+v", got)
		}
		to := siteDir(p.Upgrade.Site)
		if got := read(t, to, "www/public/plugins/updated.json"); got != want {
			t.Errorf("the update was told %s, want %s", got, want)
		}
		if read(t, to, "www/public/lib/gone.php") != "of 1.2" {
			t.Error("an update of plugins changed the application")
		}
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
	}
	p := w.upgrade(blog, nil)
	p.Upgrade.Update, p.Upgrade.Site.Recipe.Commands.Update = &plan.Update{Plugins: []string{"*"}}, nil
	w.fails(p, plan.ReasonInvalid, true, "no update command")
}

func TestUpgradeFails(t *testing.T) {
	w := newWorld(t)
	blog := w.outdated()
	was, tables := tree(t, blog), w.dump(blog.Database)
	r := nextRelease(t)
	script := func(p *plan.Plan, text string) {
		p.Upgrade.Site.Recipe.Commands.Upgrade = &api.Command{Interpreter: api.InterpreterPHP, Script: text}
	}
	for name, c := range map[string]struct {
		change   func(*plan.Plan)
		reason   plan.Reason
		terminal bool
		words    []string
	}{
		"the command fails": {func(p *plan.Plan) { script(p, `<?php fwrite(STDERR, "no more room for notes\n"); exit(3);`) },
			plan.ReasonCommand, true, []string{"upgrade", "no more room for notes"}},
		"the database goes away while the command runs": {func(p *plan.Plan) { script(p, appLosesDatabase) },
			plan.ReasonUnreachable, false, []string{"no connection", "tried again", "went away"}},
		"the command says that it did what it did not": {func(p *plan.Plan) { script(p, `<?php echo json_encode(['ok' => true]), "\n";`) },
			plan.ReasonInvalid, true, []string{"half upgraded", `"4"`, `"3"`}},
		"another archive": {func(p *plan.Plan) {
			p.Upgrade.Release = &plan.Release{Version: r.Version, URL: r.URL, SHA256: strings.Repeat("0", 64)}
		},
			plan.ReasonChecksum, true, []string{"1.3"}},
		"another release": {func(p *plan.Plan) { changed := r; changed.Version = "1.4"; p.Upgrade.Release = &changed },
			plan.ReasonInvalid, true, []string{"1.4", "holds version 1.3"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.upgrade(blog, &r)
			c.change(p)
			w.fails(p, c.reason, c.terminal, c.words...)
			if got := tree(t, blog); !maps.Equal(got, was) {
				t.Error("the files of the generation that serves have changed, or it is still in maintenance")
			}
			if got := w.dump(blog.Database); got != tables {
				t.Error("the tables of the generation that serves have changed")
			}
		})
	}
	file := filepath.Join(siteDir(blog), "www/public/.maintenance")
	if err := os.WriteFile(file, []byte("by hand"), 0o640); err != nil {
		t.Fatal(err)
	}
	w.fails(w.upgrade(blog, &r), plan.ReasonInvalid, true, "in maintenance already", ".maintenance")
	if read(t, file) != "by hand" {
		t.Error("what somebody else keeps visitors out with has changed")
	}
}

func TestKilledUpgrade(t *testing.T) {
	w := newWorld(t)
	blog := w.outdated()
	was, tables := tree(t, blog), w.dump(blog.Database)
	r := nextRelease(t)
	p := w.upgrade(blog, &r)
	w.killed(p, 8, 700*time.Millisecond)
	w.run(&plan.Plan{Resume: &plan.Resume{Volume: blog.Volume}})
	w.checkUpgraded(p, blog, was, tables)
}

// TestUpgradeWaitsForVisitors has visitors write until they are kept out: what they wrote is in the new generation, all of it.
func TestUpgradeWaitsForVisitors(t *testing.T) {
	w := newWorld(t)
	blog := w.outdated()
	w.makePairs(blog)
	stop := w.visit(blog, filepath.Join(siteDir(blog), "www/public"), 4)
	time.Sleep(time.Second) // A site of this size is copied before they have written much.
	r := nextRelease(t)
	p := w.upgrade(blog, &r)
	w.run(p)
	if written := stop(); written < 10 {
		t.Errorf("only %d pairs were written meanwhile", written)
	}
	w.checkPairs(p.Upgrade.Site)
	count := func(d *plan.Database) (n int) {
		db, err := mysql.Open(t.Context(), w.login(d))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM app_pairs").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if old, now := count(blog.Database), count(p.Upgrade.Site.Database); old != now {
		t.Errorf("visitors wrote %d pairs, and %d are in the new generation", old, now)
	}
}
