package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/release"
)

// mirror is the folder with the release archives, which is filled on the first call.
var mirror = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "sitewright", "releases")
	out, err := exec.Command("go", "run", "../../hack/releases", "--out", dir).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("filling the mirror: %w: %s", err, out)
	}
	return dir, nil
})

// site is an unpacked release with an empty database and a PHP that serves it on loopback.
type site struct {
	*testing.T
	recipe api.Recipe
	dir    string
	root   *os.Root
	config mysql.Config
	values recipe.Values
	admin  map[string]string
	client *http.Client
}

// newSite unpacks a release of the application and writes its configuration.
func newSite(t *testing.T, app *v1alpha1.Application, version string) *site {
	t.Helper()
	if _, err := exec.LookPath("php"); err != nil {
		t.Fatal("this test needs PHP: apt-get install php-cli php-mysql")
	}
	s := &site{T: t, recipe: app.Spec.Recipe, dir: filepath.Join(t.TempDir(), "www"), config: mysqltest.Start(t).Database(t)}
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	s.root = root
	s.unpack(app.Name, version, root)
	// Quotes and backslashes are where applications and templates go wrong.
	s.admin = map[string]string{"login": "boss", "email": "boss@example.org", "password": `it's "a" \ pass`}
	listener := s.serve()
	s.values = recipe.Values{
		Title: `Ann's "site" & more`, Language: "en", Content: "yes", TmpDir: t.TempDir(), Secrets: map[string]string{}, Fields: map[string]string{},
		Database: recipe.Database{Host: s.config.Host, Port: s.config.Port, Name: s.config.Database, User: s.config.User,
			Password: s.config.Password, Prefix: app.Spec.TablePrefix},
	}
	for _, f := range app.Spec.Fields {
		s.values.Fields[f.Name] = f.Default
	}
	if err := s.values.SetURL("http://" + listener); err != nil {
		t.Fatal(err)
	}
	for _, file := range s.recipe.Configuration {
		for _, name := range file.Generate {
			s.values.Secrets[name] = "secret of " + name
		}
		content, err := recipe.Render(file, &s.values)
		if err != nil {
			t.Fatal(err)
		}
		if err := root.WriteFile(string(file.Path), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *site) unpack(application, version string, into *os.Root) {
	s.Helper()
	dir, err := mirror()
	if err != nil {
		s.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, application+"-"+version+".tar.gz"))
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	if _, err := release.Unpack(s.Context(), f, into, release.Options{StripComponents: 1}); err != nil {
		s.Fatal(err)
	}
}

// serve starts PHP's own server for the site and returns its address.
func (s *site) serve() string {
	s.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "php", "-d", "display_errors=stderr", "-S", address, "-t", s.dir)
	if err := c.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		cancel()
		_ = c.Wait() // It was killed.
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	s.client = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.Fatal("PHP's server did not start")
	return ""
}

// run runs one of the recipe's commands with the usual input, changed by change.
func (s *site) run(name string, command *api.Command, change map[string]any) (map[string]any, error) {
	s.Helper()
	v := s.values
	in := map[string]any{
		"command": name, "url": v.URL, "scheme": v.Scheme, "host": v.Host, "path": v.Path, "title": v.Title, "language": v.Language,
		"content": v.Content, "admin": s.admin, "database": v.Database, "fields": v.Fields, "documentRoot": s.dir, "tmpDir": v.TmpDir,
	}
	for key, value := range change {
		in[key] = value
	}
	began := time.Now()
	out, err := recipe.Run{Name: name, Command: *command, Dir: s.dir, TmpDir: v.TmpDir, Input: in}.Do(s.Context())
	s.Logf("%s took %s", name, time.Since(began).Round(time.Millisecond))
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	return answer, json.Unmarshal(out, &answer)
}

func (s *site) mustRun(name string, command *api.Command, change map[string]any) map[string]any {
	s.Helper()
	answer, err := s.run(name, command, change)
	if err != nil {
		s.Fatal(err)
	}
	return answer
}

// get returns the status and the page of a path.
func (s *site) get(path string) (int, string) {
	s.Helper()
	response, err := s.client.Get(s.values.URL + path)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(page)
}

// schemas are those of the files and of the database.
func (s *site) schemas() (files, database string) {
	s.Helper()
	files, err := recipe.Version(s.root, s.recipe.SchemaVersion.Files)
	if err != nil {
		s.Fatal(err)
	}
	query, err := recipe.Query(s.recipe.SchemaVersion.Database, s.values.Database.Prefix)
	if err != nil {
		s.Fatal(err)
	}
	s.query(query, &database)
	return files, database
}

func (s *site) query(query string, into any) {
	s.Helper()
	db, err := mysql.Open(s.Context(), s.config)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(s.Context(), query).Scan(into); err != nil {
		s.Fatal(err)
	}
}
