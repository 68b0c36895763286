package storagetest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// SSHKey makes a key pair and returns the private key, with a passphrase unless that is empty, and the public one.
func SSHKey(t testing.TB, passphrase string) (private []byte, public string) {
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

// SSH is a running OpenSSH server, and the login of the user who runs the test.
type SSH struct {
	*Daemon
	Host       string
	Port       int
	User       string
	PrivateKey []byte
}

// StartOpenSSH runs OpenSSH's sshd, with a host key as SSHKey makes it, until the test ends.
func StartOpenSSH(t testing.TB, hostKey string) SSH {
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
	private, public := SSHKey(t, "")
	state := t.TempDir()
	address := FreeAddress(t)
	host, port, _ := strings.Cut(address, ":")
	config := writeFile(t, filepath.Join(state, "sshd_config"), strings.Join([]string{
		"ListenAddress " + address,
		"HostKey " + writeFile(t, filepath.Join(state, "host_key"), hostKey),
		"AuthorizedKeysFile " + writeFile(t, filepath.Join(state, "authorized_keys"), public+"\n"),
		"PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no", "PermitRootLogin prohibit-password",
		"MaxStartups 50:30:100", "Subsystem sftp internal-sftp", "",
	}, "\n"))
	number, _ := strconv.Atoi(port)
	return SSH{StartDaemon(t, address, program, "-D", "-e", "-f", config), host, number, me.Username, private}
}

func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
