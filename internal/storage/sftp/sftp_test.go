package sftp_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

// keyFile makes a key pair and returns the private key, with a passphrase unless that is empty, and the public one.
func keyFile(t *testing.T, passphrase string) (private []byte, public string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line)))
}

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
	program, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		t.Fatalf("%v: install the package openssh-server", err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" { // sshd separates privileges there.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	private, public := keyFile(t, "")
	state := t.TempDir()
	address := storagetest.FreeAddress(t)
	host, port, _ := strings.Cut(address, ":")
	config := write(t, filepath.Join(state, "sshd_config"), strings.Join([]string{
		"ListenAddress " + address,
		"HostKey " + write(t, filepath.Join(state, "host_key"), hostKey),
		"AuthorizedKeysFile " + write(t, filepath.Join(state, "authorized_keys"), public+"\n"),
		"PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no", "PermitRootLogin prohibit-password",
		"MaxStartups 50:30:100", "Subsystem sftp internal-sftp", "",
	}, "\n"))
	number, _ := strconv.Atoi(port)
	return sshServer{
		daemon: storagetest.StartDaemon(t, address, program, "-D", "-e", "-f", config),
		config: sftp.Config{Host: host, Port: number, Path: dir, User: me.Username, PrivateKey: private},
	}
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
	hostKey, hostLine := keyFile(t, "")
	otherKey, otherLine := keyFile(t, "")
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
	hostKey, hostLine := keyFile(t, "")
	otherKey, _ := keyFile(t, "")
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
	encrypted, _ := keyFile(t, "open sesame")
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
	hostKey, _ := keyFile(t, "")
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
