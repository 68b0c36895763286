package sftp_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// sshServer is a running server, and a login to it.
type sshServer struct {
	daemon *storagetest.Daemon
	config sftp.Config
}

// startOpenSSH runs OpenSSH's sshd, which lets the user of the test log in with a key.
func startOpenSSH(t *testing.T, dir, hostKey string) sshServer {
	t.Helper()
	s := storagetest.StartOpenSSH(t, hostKey)
	return sshServer{daemon: s.Daemon, config: sftp.Config{Host: s.Host, Port: s.Port, Path: dir, User: s.User, PrivateKey: s.PrivateKey}}
}

const password = "ssh-secret: do not print"

// startProFTPD runs ProFTPD's mod_sftp, which has users of its own and lets them log in with passwords.
func startProFTPD(t *testing.T, dir, hostKey string) sshServer {
	t.Helper()
	program, err := exec.LookPath("/usr/sbin/proftpd")
	if err != nil {
		t.Fatalf("%v: install the packages proftpd-core and proftpd-mod-crypto", err)
	}
	state := t.TempDir()
	hash, err := exec.Command("openssl", "passwd", "-6", password).Output()
	if err != nil {
		t.Fatalf("hash a password: %v: install the package openssl", err)
	}
	users := write(t, filepath.Join(state, "users"), fmt.Sprintf("backup:%s:%d:%d::%s:/bin/false\n",
		strings.TrimSpace(string(hash)), os.Getuid(), os.Getgid(), dir))
	address := storagetest.FreeAddress(t)
	host, port, _ := strings.Cut(address, ":")
	config := write(t, filepath.Join(state, "proftpd.conf"), strings.Join([]string{
		"ServerType standalone", "DefaultAddress " + host, "Port " + port, "UseIPv6 off",
		"User root", "Group root", "RootLogin on", "RequireValidShell off", "WtmpLog off", "MaxInstances 60",
		"LoadModule mod_sftp.c", "SFTPEngine on", "SFTPHostKey " + write(t, filepath.Join(state, "host_key"), hostKey),
		"SFTPAuthMethods password", "AuthOrder mod_auth_file.c", "AuthUserFile " + users, "AllowOverwrite on",
		"PidFile " + filepath.Join(state, "pid"), "ScoreboardFile " + filepath.Join(state, "scoreboard"),
		"DelayEngine off", "TransferLog none", "SystemLog none", "",
	}, "\n"))
	number, _ := strconv.Atoi(port)
	return sshServer{
		daemon: storagetest.StartDaemon(t, address, program, "--nodaemon", "--config", config),
		config: sftp.Config{Host: host, Port: number, Path: dir, User: "backup", Password: password},
	}
}

func open(t *testing.T, c sftp.Config) *sftp.Store {
	t.Helper()
	s, err := sftp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	for name, start := range map[string]func(*testing.T, string, string) sshServer{
		"OpenSSH": startOpenSSH, "ProFTPD": startProFTPD,
	} {
		t.Run(name, func(t *testing.T) { conformance(t, start) })
	}
}

func conformance(t *testing.T, start func(*testing.T, string, string) sshServer) {
	hostKey, hostLine := storagetest.SSHKey(t, "")
	otherKey, otherLine := storagetest.SSHKey(t, "")
	dir := storagetest.SmallDisk(t, 512<<20)
	server := start(t, dir, string(hostKey))
	with := func(change func(*sftp.Config)) func(t *testing.T) storage.Store {
		return func(t *testing.T) storage.Store {
			c := server.config
			c.HostKey = hostLine
			change(&c)
			return open(t, c)
		}
	}
	storagetest.Conformance(t, storagetest.Target{
		Open: with(func(*sftp.Config) {}),
		Full: func(t *testing.T) storage.Store {
			return open(t, start(t, storagetest.SmallDisk(t, 8<<20), string(hostKey)).config)
		},
		Denied: with(func(c *sftp.Config) {
			if c.Password != "" {
				c.Password = "wrong-secret"
			} else {
				c.PrivateKey = otherKey
			}
		}),
		NoContainer: with(func(c *sftp.Config) { c.Path = filepath.Join(dir, "missing") }),
		Unreachable: with(func(c *sftp.Config) {
			_, port, _ := net.SplitHostPort(storagetest.FreeAddress(t))
			c.Port, _ = strconv.Atoi(port)
		}),
		Untrusted: with(func(c *sftp.Config) { c.HostKey = otherLine }),
		Cut: func(t *testing.T) (storage.Store, func()) {
			proxy := storagetest.StartProxy(t, net.JoinHostPort(server.config.Host, strconv.Itoa(server.config.Port)))
			_, port, _ := net.SplitHostPort(proxy.Address)
			return with(func(c *sftp.Config) { c.Port, _ = strconv.Atoi(port) })(t), proxy.Cut
		},
		Mortal: func(t *testing.T) (s storage.Store, kill, revive func()) {
			mortal := start(t, storagetest.SmallDisk(t, 128<<20), string(hostKey))
			return open(t, mortal.config), mortal.daemon.Kill, func() { mortal.daemon.Start(t) }
		},
		Secrets: []string{password, "wrong-secret", string(otherKey)},
	})
}

// TestHostKey: the first key is pinned and told, and a server that shows another one later is not trusted.
func TestHostKey(t *testing.T) {
	hostKey, hostLine := storagetest.SSHKey(t, "")
	otherKey, _ := storagetest.SSHKey(t, "")
	dir := t.TempDir()
	first, second := startOpenSSH(t, dir, string(hostKey)), startOpenSSH(t, dir, string(otherKey))
	s := open(t, first.config)
	if s.HostKey() != "" {
		t.Errorf("a key is known before the first connection: %s", s.HostKey())
	}
	if err := s.Put(t.Context(), "a", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	if s.HostKey() != hostLine {
		t.Errorf("pinned %q, want %q", s.HostKey(), hostLine)
	}
	second.config.HostKey = "[server.example]:2222 " + s.HostKey() + " comment"
	_, err := open(t, second.config).Stat(t.Context(), "a")
	if !errors.Is(err, storage.ErrUntrusted) || strings.Count(fmt.Sprint(err), "SHA256:") != 2 {
		t.Errorf("another key than the pinned one: %v", err)
	}
}

func TestPrivateKey(t *testing.T) {
	encrypted, _ := storagetest.SSHKey(t, "open sesame")
	c := sftp.Config{Host: "vault.example", User: "backup", PrivateKey: encrypted}
	for passphrase, want := range map[string]string{"": "give its passphrase", "wrong": "cannot be opened", "open sesame": ""} {
		c.Passphrase = passphrase
		_, err := sftp.New(c)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("passphrase %q: %v", passphrase, err)
		}
	}
	for name, c := range map[string]sftp.Config{
		"no login":       {Host: "h", User: "u"},
		"no user":        {Host: "h", Password: "p"},
		"no host":        {User: "u", Password: "p"},
		"not a key":      {Host: "h", User: "u", PrivateKey: []byte("key")},
		"not a host key": {Host: "h", User: "u", Password: "p", HostKey: "ssh-ed25519 nonsense"},
	} {
		if _, err := sftp.New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestMake: only who sets a location up makes its directory.
func TestMake(t *testing.T) {
	hostKey, _ := storagetest.SSHKey(t, "")
	server := startOpenSSH(t, filepath.Join(t.TempDir(), "a", "b"), string(hostKey))
	s := open(t, server.config)
	if err := s.Put(t.Context(), "x", strings.NewReader("x"), 1); !errors.Is(err, storage.ErrNoContainer) {
		t.Errorf("put into a directory that is not there: %v", err)
	}
	for range 2 {
		if err := s.Make(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), "x", strings.NewReader("x"), 1); err != nil {
		t.Error(err)
	}
}
