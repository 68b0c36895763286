package webdav_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

const (
	user     = "backup"
	password = "dav-secret-do-not-print"
	wrong    = "wrong-secret"
)

// apache is a running Apache with mod_dav.
type apache struct {
	*storagetest.Daemon
	address string
	ca      []byte
}

// startApache serves dir, a new directory when empty, until the test ends. auth is Basic or Digest.
func startApache(t *testing.T, dir, auth string, tls bool) apache {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	const modules = "/usr/lib/apache2/modules"
	program, err := exec.LookPath("apache2")
	if err != nil {
		t.Fatalf("WebDAV is tested against Apache: %v; install the Debian packages apache2 and apache2-utils", err)
	}
	state, root := t.TempDir(), filepath.Join(dir, "root")
	if err := os.MkdirAll(filepath.Join(root, "backups"), 0o755); err != nil {
		t.Fatal(err)
	}
	a := apache{address: storagetest.FreeAddress(t)}
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %q\nServerName localhost\nListen %s\nPidFile pid\nErrorLog /dev/stderr\nLogLevel error\n", state, a.address)
	fmt.Fprintf(&b, "DefaultRuntimeDir %q\nDocumentRoot %q\nTimeout 10\nMaxRequestWorkers 150\n", state, root)
	for _, module := range []string{"mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "dav",
		"dav_fs", "dav_lock", "dir", "ssl", "socache_shmcb"} {
		fmt.Fprintf(&b, "LoadModule %s_module %s/mod_%s.so\n", module, modules, module)
	}
	if os.Getuid() == 0 { // It refuses to serve as root.
		b.WriteString("User www-data\nGroup www-data\n")
		run(t, "", "chown", "-R", "www-data:www-data", state, dir)
		openPath(t, state, dir)
	}
	passwords := filepath.Join(state, "passwords")
	if auth == "Basic" {
		run(t, password+"\n", "htpasswd", "-ic", passwords, user)
		fmt.Fprintf(&b, "<Location />\nAuthUserFile %q\n", passwords)
	} else {
		run(t, password+"\n"+password+"\n", "htdigest", "-c", passwords, "test", user)
		fmt.Fprintf(&b, "<Location />\nAuthUserFile %q\nAuthDigestDomain /\n", passwords)
	}
	fmt.Fprintf(&b, "AuthType %s\nAuthName test\nRequire valid-user\n</Location>\n", auth)
	fmt.Fprintf(&b, "DavLockDB %q\n<Directory %q>\nDav On\n</Directory>\n", filepath.Join(state, "locks"), root)
	if tls {
		ca := storagetest.NewCA(t)
		a.ca = ca.PEM
		fmt.Fprintf(&b, "SSLEngine on\nSSLCertificateFile %q\nSSLCertificateKeyFile %q\n", ca.CertFile, ca.KeyFile)
	}
	config := filepath.Join(state, "httpd.conf")
	if err := os.WriteFile(config, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	a.Daemon = storagetest.StartDaemon(t, a.address, program, "-f", config, "-DFOREGROUND")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Apache says:\n%s", a.Log())
		}
	})
	return a
}

// openPath lets the server's own user through to directories of the test.
func openPath(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		for ; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func run(t *testing.T, input, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

func open(t *testing.T, c webdav.Config) storage.Store {
	t.Helper()
	s, err := webdav.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		auth, scheme string
	}{{"Basic", "webdavs"}, {"Digest", "webdav"}} {
		t.Run(c.auth+" "+c.scheme, func(t *testing.T) { conformance(t, c.auth, c.scheme) })
	}
}

func conformance(t *testing.T, auth, scheme string) {
	start := func(t *testing.T, dir string) (apache, webdav.Config) {
		a := startApache(t, dir, auth, scheme == "webdavs")
		return a, webdav.Config{URL: scheme + "://" + a.address + "/backups", User: user, Password: password, CA: a.ca}
	}
	server, good := start(t, storagetest.SmallDisk(t, 512<<20))
	with := func(change func(*webdav.Config)) func(t *testing.T) storage.Store {
		return func(t *testing.T) storage.Store {
			c := good
			change(&c)
			return open(t, c)
		}
	}
	stranger := startApache(t, "", auth, true)
	storagetest.Conformance(t, storagetest.Target{
		Open:        with(func(*webdav.Config) {}),
		Denied:      with(func(c *webdav.Config) { c.Password = wrong }),
		NoContainer: with(func(c *webdav.Config) { c.URL = strings.Replace(c.URL, "backups", "missing", 1) }),
		Unreachable: with(func(c *webdav.Config) { c.URL = scheme + "://" + storagetest.FreeAddress(t) + "/backups" }),
		Untrusted:   with(func(c *webdav.Config) { c.URL = "webdavs://" + stranger.address + "/backups" }),
		Full: func(t *testing.T) storage.Store {
			_, c := start(t, storagetest.SmallDisk(t, 8<<20))
			return open(t, c)
		},
		Cut: func(t *testing.T) (storage.Store, func()) {
			proxy := storagetest.StartProxy(t, server.address)
			return with(func(c *webdav.Config) { c.URL = scheme + "://" + proxy.Address + "/backups" })(t), proxy.Cut
		},
		Mortal: func(t *testing.T) (s storage.Store, kill, revive func()) {
			a, c := start(t, "")
			return open(t, c), a.Kill, func() { a.Start(t) }
		},
		Secrets: []string{password, wrong},
	})
	if log := server.Log(); bytes.Contains([]byte(log), []byte(password)) {
		t.Error("the server's log holds the password")
	}
}
