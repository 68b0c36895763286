package agent

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/plan"
)

// world is what the tests' plans speak of: a server, volumes, a location, secrets.
type world struct {
	t        *testing.T
	dir      string
	server   *mysqltest.Server
	location plan.Location
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needPHP(t)
	w := &world{t: t, dir: t.TempDir(), server: mysqltest.Start(t)}
	w.location = plan.Location{Name: "local", Volume: &plan.Volume{Path: w.mkdir("backups")}, PasswordFile: w.file("repository", "repository password")}
	return w
}

func (w *world) mkdir(name string) string {
	w.t.Helper()
	dir := filepath.Join(w.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

func (w *world) file(name, content string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// site is a generation with a fresh database.
func (w *world) site(name, url, prefix string, generation int64) plan.Site {
	w.t.Helper()
	return plan.Site{
		Namespace: "demo", Name: name, UID: "uid-of-" + name, Application: "notes", Recipe: appRecipe(), URL: url, Title: "A \"site\"",
		Volume: w.mkdir("volume-" + name), Generation: generation, Database: w.database(prefix), Runtime: "php-8.2",
	}
}

func (w *world) database(prefix string) *plan.Database {
	w.t.Helper()
	c := w.server.Database(w.t)
	return &plan.Database{Host: c.Host, Port: c.Port, Name: c.Database, User: c.User, Prefix: prefix,
		PasswordFile: w.file("password-"+c.Database, c.Password)}
}

func (w *world) install(site plan.Site) *plan.Plan {
	w.t.Helper()
	url, sum := served(w.t)
	return &plan.Plan{Install: &plan.Install{
		Site: site, Release: plan.Release{Version: "1.2", URL: url, SHA256: sum, StripComponents: 1},
		Admin: plan.Admin{Login: "admin", Email: "admin@example.com", PasswordFile: w.file("admin", "pa\"ss'wo\\rd")},
	}}
}

func (w *world) backup(site plan.Site, name string) *plan.Plan {
	return &plan.Plan{Backup: &plan.Backup{Site: site, Location: w.location, Name: name, UID: "uid-of-" + name, Quiesce: true}}
}

// run carries out a plan that must succeed.
func (w *world) run(p *plan.Plan) plan.Result {
	w.t.Helper()
	r := Run(w.t.Context(), p, Options{StateDir: w.mkdir("state")})
	if r.Failure != nil {
		w.t.Fatalf("%s: %s (%s)", p.Task(), r.Failure.Message, r.Failure.Reason)
	}
	return r
}

// fails carries out a plan that must fail for a reason, with a message that holds every one of words.
func (w *world) fails(p *plan.Plan, reason plan.Reason, terminal bool, words ...string) {
	w.t.Helper()
	r := Run(w.t.Context(), p, Options{StateDir: w.mkdir("state")})
	if r.Failure == nil || r.Failure.Reason != reason || r.Failure.Terminal != terminal {
		w.t.Fatalf("%s: got %+v, want reason %s, terminal %t", p.Task(), r.Failure, reason, terminal)
	}
	for _, word := range words {
		if !strings.Contains(r.Failure.Message, word) {
			w.t.Errorf("%s: message %q does not say %q", p.Task(), r.Failure.Message, word)
		}
	}
}

func (w *world) open(d *plan.Database) *sql.DB {
	w.t.Helper()
	c := w.server.Config()
	c.Database = d.Name
	db, err := mysql.Open(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { db.Close() })
	return db
}

func (w *world) exec(d *plan.Database, statements ...string) {
	w.t.Helper()
	db := w.open(d)
	for _, s := range statements {
		if _, err := db.ExecContext(w.t.Context(), s); err != nil {
			w.t.Fatal(err)
		}
	}
}

// dump is everything in a database, to be compared.
func (w *world) dump(d *plan.Database) string {
	w.t.Helper()
	c := w.server.Config()
	c.Database = d.Name
	dump, err := mysql.NewDump(w.t.Context(), c, mysql.DumpOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer dump.Close()
	var b bytes.Buffer
	if err := dump.Write(w.t.Context(), &b); err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

// tree reads all files of a generation's www and data, by path.
func tree(t *testing.T, site plan.Site) map[string]string {
	t.Helper()
	base := siteDir(site)
	files := map[string]string{}
	for _, d := range []string{"www", "data"} {
		err := filepath.WalkDir(filepath.Join(base, d), func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			rel, _ := filepath.Rel(base, path)
			files[rel] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func siteDir(site plan.Site) string {
	return filepath.Join(site.Volume, "gen", string('0'+rune(site.Generation)))
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
