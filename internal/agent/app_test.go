package agent

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"testing"

	api "github.com/sitewright/sitewright/api/recipe"
)

// The tests' application: a PHP program of a few lines that keeps what real ones keep: a configuration file, options
// with serialized values that carry its URL, rows that carry the table prefix, uploads, caches and data.
const (
	appInstall = `<?php
$in = json_decode(stream_get_contents(STDIN), true);
require 'config.php';
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli(getenv('TEST_DB_HOST') ?: DB_HOST, DB_USER, DB_PASSWORD, DB_NAME, DB_PORT);
$p = $table_prefix;
$db->query("CREATE TABLE {$p}options (name VARCHAR(100) PRIMARY KEY, value LONGTEXT)");
$db->query("CREATE TABLE {$p}notes (id INT PRIMARY KEY AUTO_INCREMENT, body LONGTEXT)");
$db->query("CREATE TABLE {$p}sessions (id INT PRIMARY KEY, who VARCHAR(100))");
$set = $db->prepare("INSERT INTO {$p}options VALUES (?, ?)");
$options = [
  'schema' => '3', 'url' => $in['url'], 'title' => $in['title'], 'admin' => $in['admin']['login'],
  'password' => password_hash($in['admin']['password'], PASSWORD_BCRYPT),
  $p . 'roles' => serialize(['admin' => true]),
  'widget' => serialize(['link' => $in['url'] . '/about', 'text' => "Grüße aus {$in['url']}!", 'n' => 3]),
  'block' => json_encode(['href' => $in['url'] . '/page']),
];
foreach ($options as $name => $value) { $set->execute([$name, $value]); }
$db->query("INSERT INTO {$p}sessions VALUES (1, 'someone')");
for ($i = 0; $i < 200; $i++) { $db->query("INSERT INTO {$p}notes (body) VALUES ('note $i at {$in['url']}/note/$i')"); }
mkdir('uploads');
file_put_contents('uploads/readme.txt', "see {$in['url']}/uploads/ or {$in['documentRoot']}\n");
file_put_contents($in['dataDir'] . '/files/one', str_repeat("data\0", 1000));
echo "installed\n", json_encode(['ok' => true]), "\n";
`
	appConfig = `<?php
define('DB_HOST', {{ php .Database.Host }});
define('DB_PORT', {{ php .Database.Port }});
define('DB_NAME', {{ php .Database.Name }});
define('DB_USER', {{ php .Database.User }});
define('DB_PASSWORD', {{ php .Database.Password }});
define('SALT', {{ php .Secrets.SALT }});
define('TMP', {{ php .TmpDir }});
$table_prefix = {{ php .Database.Prefix }};
`
	appVersion = "<?php $app_version = '1.2'; $app_schema = 3;\n"
)

func define(name string) api.Pattern {
	return api.Pattern(`define\('` + name + `', '?((?:[^'\\)]|\\.)*)'?\)`)
}

func appRecipe() api.Recipe {
	return api.Recipe{
		Layout: api.Layout{DocumentRoot: "public", Data: []api.Path{"files"}},
		Files:  api.Files{Caches: []api.Path{"cache"}, Remove: []api.Path{"setup.php"}},
		Configuration: []api.ConfigurationFile{{
			Path: "config.php", Syntax: api.SyntaxPHP, Template: appConfig, Generate: []string{"SALT"},
			Read: map[string]api.Pattern{
				"Database.Host": define("DB_HOST"), "Database.Port": define("DB_PORT"), "Database.Name": define("DB_NAME"),
				"Database.User": define("DB_USER"), "Database.Password": define("DB_PASSWORD"), "Secrets.SALT": define("SALT"),
				"Database.Prefix": `\$table_prefix = '([^']*)'`,
			},
		}},
		Version: &api.FilePattern{File: "version.php", Pattern: `\$app_version = '([^']+)'`},
		SchemaVersion: &api.SchemaVersion{Files: api.FilePattern{File: "version.php", Pattern: `\$app_schema = (\d+)`},
			Database: "SELECT value FROM {{ .Prefix }}options WHERE name = 'schema'"},
		Commands:    api.Commands{Install: &api.Command{Interpreter: api.InterpreterPHP, Script: appInstall}},
		Maintenance: &api.Maintenance{File: ".maintenance", Content: "closed"},
		Move: api.Move{
			Prefix: []api.PrefixRow{{Table: "options", Column: "name", Equals: "{{ .Old }}roles"}},
			Clear:  []string{"DELETE FROM {{ .Prefix }}sessions", "DELETE FROM {{ .Prefix }}plugin_cache"},
		},
	}
}

// served is the release's archive on a server of its own.
func served(t *testing.T) (url, sha string) {
	t.Helper()
	body := tarball(t, map[string]string{
		"app-1.2/public/index.php": "<?php require 'config.php';\n", "app-1.2/public/version.php": appVersion,
		"app-1.2/public/setup.php": "<?php // installer\n", "app-1.2/LICENSE": "free\n",
		"app-1.2/public/asset.bin": string(bytes.Repeat([]byte("\x00asset\xff"), 40_000)),
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	t.Cleanup(server.Close)
	sum := sha256.Sum256(body)
	return server.URL + "/app-1.2.tar.gz", hex.EncodeToString(sum[:])
}

func tarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func needPHP(t *testing.T) {
	t.Helper()
	out, err := exec.Command("php", "-m").Output()
	if err != nil {
		t.Fatal("php is missing: install the Debian package php-cli")
	}
	if !bytes.Contains(out, []byte("mysqli")) {
		t.Fatal("php has no mysqli: install the Debian package php-mysql")
	}
}
