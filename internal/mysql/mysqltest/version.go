package mysqltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// MySQL is the version of StartVersion that is a MySQL server.
const MySQL = "mysql"

// release is a server of a Debian suite, unpacked into a directory with all the libraries it needs.
type release struct {
	suite    string
	packages []string
	mysql    bool // else MariaDB
	root     string
}

// releases are those which StartVersion knows. The only MySQL that Debian has is the one in unstable, 9.7 at this writing;
// MySQL 8 is in none of its suites.
var releases = map[string]release{
	"10.5": {suite: "bullseye", packages: []string{"mariadb-server-core-10.5"}},
	"11.8": {suite: "trixie", packages: []string{"mariadb-server-core"}},
	MySQL:  {suite: "sid", packages: []string{"mysql-server-core", "mysql-client-core"}, mysql: true},
}

// versions are the servers of StartVersion, one of each for the test program.
var versions struct {
	mu      sync.Mutex
	servers map[string]*Server
}

// StartVersion is Start for another server than the machine's: MariaDB "10.5" or "11.8", or MySQL. Its packages come from
// Debian's archive and are kept, unpacked, in the user's cache directory; nothing is installed.
func StartVersion(t testing.TB, version string) *Server {
	t.Helper()
	versions.mu.Lock()
	defer versions.mu.Unlock()
	if s := versions.servers[version]; s != nil {
		return s
	}
	r, known := releases[version]
	if !known {
		t.Fatalf("start the database server %s: only 10.5, 11.8 and %s are known", version, MySQL)
	}
	if err := r.fetch(version); err != nil {
		t.Fatalf("get the database server %s from Debian %s: %v", version, r.suite, err)
	}
	dir, err := os.MkdirTemp("", "mysqltest-")
	if err != nil {
		t.Fatal(err)
	}
	s, err := (&Server{dir: dir, release: &r}).begin()
	if err != nil {
		t.Fatalf("start the database server %s: %v", version, err)
	}
	if versions.servers == nil {
		versions.servers = map[string]*Server{}
	}
	versions.servers[version] = s
	return s
}

func stopVersions() {
	versions.mu.Lock()
	defer versions.mu.Unlock()
	for _, s := range versions.servers {
		s.stop()
	}
	versions.servers = nil
}

// fetch makes sure that the release is in the cache. Several test programs may do so at the same time.
func (r *release) fetch(version string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "sitewright", "mariadb")
	r.root = filepath.Join(cache, version)
	if _, err := os.Stat(r.root); err == nil {
		return nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	apt := privateAPT{dir: work}
	if err := apt.download(r.suite, r.packages...); err != nil {
		return err
	}
	root := filepath.Join(work, "root")
	packages, err := filepath.Glob(filepath.Join(work, "cache/archives/*.deb"))
	if err != nil || len(packages) == 0 {
		return errors.Join(err, errors.New("no package was downloaded"))
	}
	for _, p := range packages {
		if err := command(nil, io.Discard, "dpkg-deb", "-x", p, root); err != nil {
			return err
		}
	}
	err = os.Rename(root, r.root)
	if _, there := os.Stat(r.root); there == nil {
		return nil // by this program, or by another one in the meantime
	}
	return err
}

// server is the command which runs the server: the machine's own, or the release's.
func (r *release) server(args ...string) *exec.Cmd {
	if r == nil {
		return exec.Command("mariadbd", args...)
	}
	own := []string{"--lc-messages-dir=" + r.share(), "--character-sets-dir=" + filepath.Join(r.share(), "charsets")}
	if len(args) > 0 && args[0] == "--no-defaults" { // which must come first
		own, args = append([]string{args[0]}, own...), args[1:]
	}
	program := "usr/sbin/mariadbd"
	if r.mysql {
		program = "usr/sbin/mysqld"
	}
	return r.command(program, append(own, args...)...)
}

// options are those that only the one kind of server knows.
func (r *release) options() []string {
	if r != nil && r.mysql {
		return []string{"--mysqlx=OFF", "--innodb-redo-log-capacity=64M"}
	}
	return []string{"--innodb-log-file-size=64M"}
}

// Client is the command that runs a stock client program as an administrator: "mariadb" or "mariadb-dump", or what MySQL
// has in their places. Those of MySQL are the server's own release, the others are the machine's.
func (s *Server) Client(program string, args ...string) *exec.Cmd {
	args = append(s.ClientArgs(), args...)
	if s.release == nil || !s.release.mysql {
		return exec.Command(program, args...)
	}
	program = map[string]string{"mariadb": "mysql", "mariadb-dump": "mysqldump"}[program]
	return s.release.command(filepath.Join("usr/bin", program), args...)
}

// command runs a program of the release with the release's own loader and libraries.
func (r *release) command(program string, args ...string) *exec.Cmd {
	var libraries []string
	loader := "no-loader"
	for _, pattern := range []string{"lib/*-linux-gnu", "usr/lib/*-linux-gnu"} {
		dirs, _ := filepath.Glob(filepath.Join(r.root, pattern)) // the pattern is well formed
		libraries = append(libraries, dirs...)
		for _, dir := range dirs {
			if found, _ := filepath.Glob(filepath.Join(dir, "ld-linux-*.so.*")); len(found) > 0 {
				loader = found[0]
			}
		}
	}
	own := []string{"--library-path", strings.Join(libraries, ":"), filepath.Join(r.root, program)}
	return exec.Command(loader, append(own, args...)...)
}

// share is the directory of the release's messages and scripts.
func (r *release) share() string {
	share := filepath.Join(r.root, "usr/share/mariadb")
	if _, err := os.Stat(filepath.Join(share, "mariadb_system_tables.sql")); err != nil {
		share = filepath.Join(r.root, "usr/share/mysql")
	}
	return share
}

// install makes the system tables.
func (r *release) install(data string) error {
	if !r.mysql {
		return r.installMariaDB(data)
	}
	if out, err := r.server("--no-defaults", "--initialize-insecure", "--user="+osUser(), "--datadir="+data).CombinedOutput(); err != nil {
		return fmt.Errorf("make the system tables: %w: %s", err, out)
	}
	return nil
}

// installMariaDB does what mariadb-install-db does.
func (r *release) installMariaDB(data string) error {
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	script := bytes.NewBufferString("CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n")
	for _, name := range []string{"system_tables.sql", "performance_tables.sql", "system_tables_data.sql"} {
		found, err := filepath.Glob(filepath.Join(r.share(), "m*_"+name))
		if err != nil || len(found) == 0 {
			return errors.Join(err, fmt.Errorf("%s has no %s", r.share(), name))
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			return err
		}
		script.Write(text)
		script.WriteByte('\n')
	}
	cmd := r.server("--no-defaults", "--bootstrap", "--user="+osUser(), "--datadir="+data, "--log-warnings=0", "--enforce-storage-engine=",
		"--loose-innodb-log-file-size=16M", "--max-allowed-packet=8M", "--net-buffer-length=16K")
	cmd.Stdin = script
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the system tables: %w: %s", err, out)
	}
	return nil
}

// command runs a program; its error holds what the program said.
func command(stdin io.Reader, stdout io.Writer, name string, args ...string) error {
	var complaint bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &complaint
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(complaint.String()))
	}
	return nil
}
