package storagetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Apache is a running Apache with mod_dav. Its collection /backups is there, and user backup can log in.
type Apache struct {
	*Daemon
	Address string
	CA      []byte // nil without TLS
}

// StartApache serves dir, a new directory when empty, until the test ends. auth is Basic or Digest.
func StartApache(t testing.TB, password, dir, auth string, tls bool) Apache {
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
	a := Apache{Address: FreeAddress(t)}
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %q\nServerName localhost\nListen %s\nPidFile pid\nErrorLog /dev/stderr\nLogLevel error\n", state, a.Address)
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
		run(t, password+"\n", "htpasswd", "-ic", passwords, "backup")
		fmt.Fprintf(&b, "<Location />\nAuthUserFile %q\n", passwords)
	} else {
		run(t, password+"\n"+password+"\n", "htdigest", "-c", passwords, "test", "backup")
		fmt.Fprintf(&b, "<Location />\nAuthUserFile %q\nAuthDigestDomain /\n", passwords)
	}
	fmt.Fprintf(&b, "AuthType %s\nAuthName test\nRequire valid-user\n</Location>\n", auth)
	fmt.Fprintf(&b, "DavLockDB %q\n<Directory %q>\nDav On\n</Directory>\n", filepath.Join(state, "locks"), root)
	if tls {
		ca := NewCA(t)
		a.CA = ca.PEM
		fmt.Fprintf(&b, "SSLEngine on\nSSLCertificateFile %q\nSSLCertificateKeyFile %q\n", ca.CertFile, ca.KeyFile)
	}
	config := filepath.Join(state, "httpd.conf")
	if err := os.WriteFile(config, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	a.Daemon = StartDaemon(t, a.Address, program, "-f", config, "-DFOREGROUND")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Apache says:\n%s", a.Log())
		}
	})
	return a
}

// openPath lets the server's own user through to directories of the test.
func openPath(t testing.TB, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		for ; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func run(t testing.TB, input, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}
