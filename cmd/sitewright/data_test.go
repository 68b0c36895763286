package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/rewrite"
)

// TestMain runs the tests, or the program itself for those that want it as a process.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(mysqltest.Main(m))
}

// run is one run of "sitewright data".
type run struct {
	out, errs string
	err       error
}

// code is the exit code.
func (r run) code() int {
	if e, ok := errors.AsType[*exitError](r.err); ok {
		return e.code
	}
	if r.err != nil {
		return 1
	}
	return 0
}

// data runs a verb.
func data(t *testing.T, stdin string, args ...string) run {
	t.Helper()
	root := newRoot()
	var out, errs bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(append([]string{"data"}, args...))
	err := root.ExecuteContext(t.Context())
	return run{out.String(), errs.String(), err}
}

// must is data for what has to work.
func must(t *testing.T, stdin string, args ...string) run {
	t.Helper()
	r := data(t, stdin, args...)
	if r.err != nil {
		t.Fatalf("data %s: %v\n%s", strings.Join(args, " "), r.err, r.errs)
	}
	return r
}

// result reads the JSON that a verb answered.
func result[T any](t *testing.T, text string) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func dsn(c mysql.Config) string {
	return fmt.Sprintf("mysql://%s@%s:%d/%s", c.User, c.Host, c.Port, c.Database)
}

func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const old = "http://old.example"

// blog makes a database with two tables of a site and one of somebody else.
func blog(t *testing.T) mysql.Config {
	t.Helper()
	config := mysqltest.Start(t).Database(t)
	t.Setenv(databasePassword.env, config.Password)
	serialized := fmt.Sprintf(`a:1:{s:3:"url";s:%d:"%s";}`, len(old), old)
	fill(t, config,
		"CREATE TABLE wp_options (id INT PRIMARY KEY, name VARCHAR(100) NOT NULL, value LONGTEXT, KEY (name))",
		"CREATE TABLE wp_posts (id INT PRIMARY KEY, content LONGTEXT, option_id INT, FOREIGN KEY (option_id) REFERENCES wp_options (id))",
		"CREATE TABLE shop_items (id INT PRIMARY KEY)",
		"INSERT INTO wp_options VALUES (1, 'widgets', "+mysql.QuoteString(serialized)+")",
		"INSERT INTO wp_posts VALUES (1, 'See "+old+"/page and "+old+".org/', 1)")
	return config
}

func fill(t *testing.T, config mysql.Config, statements ...string) {
	t.Helper()
	db, err := mysql.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func value(t *testing.T, config mysql.Config, query string) (v string) {
	t.Helper()
	db, err := mysql.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func TestDumpRewriteLoad(t *testing.T) {
	source, target := blog(t), mysqltest.Start(t).Database(t)
	dump := must(t, "", "dump", dsn(source)+"?prefix=wp_")
	if strings.Contains(dump.out, "shop_items") || !strings.Contains(dump.errs, "writers had to wait for ") {
		t.Errorf("the dump of one prefix: %s\n%s", dump.out, dump.errs)
	}
	moved := must(t, dump.out, "rewrite", "--from", old, "--to", "https://new.example/blog", "--from-prefix", "wp_", "--to-prefix", "new_")
	lines := strings.Split(strings.TrimSpace(moved.errs), "\n")
	report := result[rewrite.Report](t, lines[len(lines)-1])
	if report.Values != 2 || report.Serialized != 1 || report.Occurrences != 2 || report.Names == 0 {
		t.Errorf("the report: %s", moved.errs)
	}
	for _, line := range []string{"2 values changed, 1 of them serialized, ", `  table "wp_options"  1        1           0` + "\n", `  table "wp_posts"    1        0           0` + "\n"} {
		if !strings.Contains(moved.errs, line) {
			t.Errorf("%q is not in the report:\n%s", line, moved.errs)
		}
	}
	if quiet := must(t, dump.out, "rewrite", "--quiet", "--from", old, "--to", "https://new.example/blog"); strings.Count(quiet.errs, "\n") != 1 {
		t.Errorf("--quiet prints %s", quiet.errs)
	}
	loaded := result[loaded](t, must(t, moved.out, "load", dsn(target)).out)
	if loaded.Tables != 2 || !loaded.Complete || loaded.Bytes != int64(len(moved.out)) {
		t.Errorf("loaded %+v of %d bytes", loaded, len(moved.out))
	}
	if got := value(t, target, "SELECT value FROM new_options"); got != `a:1:{s:3:"url";s:24:"https://new.example/blog";}` {
		t.Errorf("the option is %s", got)
	}
	if got := value(t, target, "SELECT content FROM new_posts"); got != "See https://new.example/blog/page and "+old+".org/" {
		t.Errorf("the post is %s", got)
	}
}

func TestDumpAndLoadParts(t *testing.T) {
	source, target := blog(t), mysqltest.Start(t).Database(t)
	dir := filepath.Join(t.TempDir(), "parts")
	dump := result[dumped](t, must(t, "", "dump", "--dir", dir, "--workers", "3", dsn(source)).out)
	if dump.Tables != 3 || dump.Bytes == 0 {
		t.Errorf("dumped %+v", dump)
	}
	loaded := result[loaded](t, must(t, "", "load", "--dir", dir, "--workers", "3", dsn(target)).out)
	if loaded.Tables != 3 || !loaded.Complete || loaded.Bytes != dump.Bytes {
		t.Errorf("loaded %+v of %+v", loaded, dump)
	}
	if a, b := must(t, "", "dump", dsn(source)).out, must(t, "", "dump", dsn(target)).out; a != b {
		t.Errorf("the databases differ:\n%s\n%s", a, b)
	}
	if r := data(t, "", "dump", "--dir", dir, dsn(source)); r.code() != plan.ExitTerminal || !strings.Contains(r.err.Error(), "not empty") {
		t.Errorf("a directory that is not empty: %d, %v", r.code(), r.err)
	}
}

func TestCopy(t *testing.T) {
	source, target := blog(t), mysqltest.Start(t).Database(t)
	fill(t, target, "CREATE TABLE wp_stale (id INT)", "CREATE TABLE kept (id INT)")
	t.Setenv(databasePassword.env, "wrong")
	file := write(t, target.Password+"\n")
	t.Setenv(fromPassword.env, source.Password)
	for _, stream := range []bool{false, true} {
		copied := result[copied](t, must(t, "", "copy", "--to-password-file", file, "--clear", fmt.Sprintf("--stream=%v", stream),
			dsn(source)+"?prefix=wp_", dsn(target)+"?prefix=wp_").out)
		if copied.Tables != 2 || copied.InServer == stream {
			t.Errorf("stream %v: %+v", stream, copied)
		}
	}
	if got := value(t, target, "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"); got != "kept,wp_options,wp_posts" {
		t.Errorf("the target holds %s", got)
	}
}

func TestNothingIsOverwrittenUnasked(t *testing.T) {
	source, target := blog(t), blog(t)
	fill(t, target, "UPDATE wp_posts SET content = 'mine'")
	script := must(t, "", "dump", dsn(source)).out
	byName := source
	byName.Host = "localhost"
	for name, r := range map[string]run{
		"load":             data(t, script, "load", dsn(target)),
		"copy":             data(t, "", "copy", dsn(source), dsn(target)),
		"both":             data(t, script, "load", "--clear", "--replace", dsn(target)),
		"nothing":          data(t, "", "load", "--clear", dsn(target)),
		"no parts":         data(t, "", "load", "--clear", "--dir", t.TempDir(), dsn(target)),
		"itself":           data(t, "", "copy", "--clear", dsn(source), dsn(byName)),
		"a missing source": data(t, "", "copy", "--clear", dsn(source)+"_missing", dsn(target)),
	} {
		if r.code() != plan.ExitTerminal {
			t.Errorf("%s: exit code %d, %v", name, r.code(), r.err)
		}
	}
	if got := value(t, target, "SELECT content FROM wp_posts"); got != "mine" {
		t.Errorf("the target has %q", got)
	}
	if got := value(t, source, "SELECT COUNT(*) FROM wp_posts"); got != "1" {
		t.Errorf("the source has %s posts", got)
	}
	must(t, script, "load", "--replace", dsn(target))
	if got := value(t, target, "SELECT content FROM wp_posts"); got == "mine" {
		t.Error("--replace replaced nothing")
	}
}

func TestHostileScript(t *testing.T) {
	target := blog(t)
	r := data(t, "GRANT ALL ON *.* TO 'x'@'%';\n", "load", "--replace", dsn(target))
	if r.code() != plan.ExitTerminal || !errors.Is(r.err, mysql.ErrRefused) {
		t.Errorf("%d, %v", r.code(), r.err)
	}
	cut := must(t, "CREATE TABLE cut (id INT);\n", "load", "--replace", dsn(target))
	if result[loaded](t, cut.out).Complete || !strings.Contains(cut.errs, "may have been cut off") {
		t.Errorf("%s\n%s", cut.out, cut.errs)
	}
}

func TestRewriteTruncated(t *testing.T) {
	r := data(t, "INSERT INTO a VALUES ('"+old, "rewrite", "--from", old, "--to", "http://new.example")
	if r.code() != plan.ExitTerminal || !errors.Is(r.err, rewrite.ErrTruncated) {
		t.Errorf("%d, %v", r.code(), r.err)
	}
}

// TestSecretsStaySecret: whatever is wrong, no password is in what is printed.
func TestSecretsStaySecret(t *testing.T) {
	const secret = "S3CRET/pass@word"
	config := blog(t)
	t.Setenv(databasePassword.env, secret)
	closed := config
	closed.Port = 1
	for _, c := range []struct {
		code int
		args []string
	}{
		{3, []string{"dump", dsn(config)}},
		{3, []string{"dump", "--password-file", write(t, secret), dsn(config)}},
		{3, []string{"load", dsn(config)}},
		{1, []string{"dump", dsn(closed)}},
		{3, []string{"dump", "--password-file", "/nowhere", dsn(config)}},
		{3, []string{"dump", "mysql://u:" + secret + "@127.0.0.1/db"}},
		{3, []string{"dump", "mysql://u:" + secret + "%zz@127.0.0.1/db"}},
		{3, []string{"dump", "u:" + secret + "@127.0.0.1/db"}},
		{3, []string{"dump", "mysql://u@127.0.0.1/db?password=" + secret}},
		{3, []string{"dump", "mysql://" + secret}},
		{3, []string{"dump", "-p" + secret, dsn(config)}},
		{3, []string{"dump", "--password=" + secret, dsn(config)}},
		{3, []string{"dump", dsn(config), secret}},
		{3, []string{"copy", "mysql://u:" + secret + "@h/a", dsn(config)}},
		{3, []string{secret}},
		{3, []string{"rewrite", "--from", "http://u:" + secret + "@old.example", "--to", "http://new.example"}},
		{3, []string{"rewrite"}},
		{3, []string{"rewrite", "--from", "http://old.example"}},
		{3, []string{"rewrite", "--from", "old.example", "--to", "new.example"}},
		{3, []string{"dump", "--dir", t.TempDir(), "--workers", "0", dsn(config)}},
		{3, []string{"dump", "--workers", "many", dsn(config)}},
		{3, []string{"dump"}},
	} {
		r := data(t, "SELECT 1", c.args...)
		if r.code() != c.code {
			t.Errorf("%.60q: exit code %d, want %d: %v", c.args, r.code(), c.code, r.err)
		}
		if shown := fmt.Sprint(r.err) + r.out + r.errs; strings.Contains(shown, "S3CRET") {
			t.Errorf("%.60q shows the password: %s", c.args, shown)
		}
	}
}

// TestHelp: every verb says what goes in and out, and gives examples.
func TestHelp(t *testing.T) {
	for _, command := range newDataCommand().Commands() {
		help := must(t, "", command.Name(), "--help").out
		for _, part := range []string{"\nIn: ", "\nOut: ", "\nExamples:\n  sitewright data ", "\nFlags:\n", "exit code"} {
			if !strings.Contains(strings.ToLower(help), strings.ToLower(part)) {
				t.Errorf("the help of %s has no %q", command.Name(), part)
			}
		}
		command.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || !strings.Contains(help, "--"+f.Name) {
				t.Errorf("the help of %s does not explain --%s", command.Name(), f.Name)
			}
		})
	}
}
