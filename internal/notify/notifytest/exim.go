// Package notifytest runs a real mail server, Exim, for tests.
package notifytest

import (
	"fmt"
	"io/fs"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/notify"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

// User and Password log in to the server.
const (
	User     = "operator"
	Password = "pass'word"
)

// configuration takes mails for everybody but nobody@, who does not exist, and later@, who cannot be reached for now; from who logs in over TLS.
const configuration = `primary_hostname = mail.localtest
keep_environment =
host_lookup =
rfc1413_hosts =
smtp_accept_max = 20
spool_directory = DIR/spool
log_file_path = DIR/log/%%slog
pid_file_path = DIR/pid
local_interfaces = <; %s
daemon_smtp_ports = %s
tls_advertise_hosts = *
tls_on_connect_ports = %s
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny message = there is nobody
       local_parts = nobody
  defer message = not now
       local_parts = later
  accept authenticated = *
  deny message = log in first
begin routers
all:
  driver = accept
  transport = files
begin transports
files:
  driver = appendfile
  directory = DIR/mail
  maildir_format
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{` + User + `}}{eq{$auth3}{` + Password + `}}}}
  server_set_id = $auth2
  server_advertise_condition = ${if def:tls_in_cipher}
`

// Server is Exim on loopback.
type Server struct {
	*storagetest.Daemon
	// Server is how to reach it.
	notify.Server
	dir string
}

// Start runs Exim until the test ends, which speaks TLS from the beginning or by STARTTLS.
func Start(t testing.TB, security notify.Security) *Server {
	t.Helper()
	program, err := exec.LookPath("/usr/sbin/exim4")
	if err != nil {
		t.Fatalf("%v: install the package exim4-daemon-light", err)
	}
	// Exim gives up root's rights, so the way to its directory must be open to others.
	dir, err := os.MkdirTemp("", "exim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ca, address := storagetest.NewCA(t), storagetest.FreeAddress(t)
	host, port, _ := strings.Cut(address, ":")
	implicit := ""
	if security == notify.TLS {
		implicit = port
	}
	for name, content := range map[string]string{
		"exim.conf": strings.ReplaceAll(fmt.Sprintf(configuration, host, port, implicit), "DIR", dir),
		"cert.pem":  read(t, ca.CertFile), "key.pem": read(t, ca.KeyFile), "ca.pem": string(ca.PEM), "password": Password + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"spool", "log", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	give(t, dir)
	number, _ := strconv.Atoi(port)
	return &Server{
		Daemon: storagetest.StartDaemon(t, address, program, "-bdf", "-C", filepath.Join(dir, "exim.conf")),
		Server: notify.Server{
			Host: host, Port: number, Security: security, User: User, PasswordFile: filepath.Join(dir, "password"), CAFile: filepath.Join(dir, "ca.pem"),
			From: "Sites <sites@panel.example>",
		},
		dir: dir,
	}
}

// give makes everything but the configuration, which only root may write, Exim's.
func give(t testing.TB, dir string) {
	t.Helper()
	u, err := user.Lookup("Debian-exim")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) == "exim.conf" {
			return err
		}
		return os.Chown(path, uid, gid)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "exim.conf"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Mails are those that were delivered, in the order of their delivery.
func (s *Server) Mails(t testing.TB) []*mail.Message {
	t.Helper()
	return Mails(t, filepath.Join(s.dir, "mail"))
}

// Mails are those in a folder of the Maildir format, in the order of their delivery.
func Mails(t testing.TB, folder string) []*mail.Message {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "new/*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var list []*mail.Message
	for _, name := range files {
		m, err := mail.ReadMessage(strings.NewReader(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
