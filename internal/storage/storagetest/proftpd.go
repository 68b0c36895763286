package storagetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// FTP is a running FTP server, and who can log in.
type FTP struct {
	*Daemon
	Host string
	Port int
	User string
}

// StartProFTPD runs ProFTPD on dir with a user of its own until the test ends. tls is None, Explicit or Implicit; more is added to its
// configuration.
func StartProFTPD(t testing.TB, dir, password, tls string, ca CA, more ...string) FTP {
	t.Helper()
	program, err := exec.LookPath("/usr/sbin/proftpd")
	if err != nil {
		t.Fatalf("%v: install the packages proftpd-core and proftpd-mod-crypto", err)
	}
	hash, err := exec.Command("openssl", "passwd", "-6", password).Output()
	if err != nil {
		t.Fatalf("hash a password: %v: install the package openssl", err)
	}
	state := t.TempDir()
	users := writeFile(t, filepath.Join(state, "users"), fmt.Sprintf("backup:%s:%d:%d::%s:/bin/false\n", strings.TrimSpace(string(hash)), os.Getuid(), os.Getgid(), dir))
	address := FreeAddress(t)
	host, port, _ := strings.Cut(address, ":")
	lines := []string{
		"ServerType standalone", "DefaultAddress " + host, "Port " + port, "UseIPv6 off", "User root", "Group root", "RootLogin on",
		"RequireValidShell off", "WtmpLog off", "MaxInstances 60", "AllowOverwrite on", "AllowStoreRestart on", "AllowRetrieveRestart on",
		"AuthOrder mod_auth_file.c", "AuthUserFile " + users, "PidFile " + filepath.Join(state, "pid"),
		"ScoreboardFile " + filepath.Join(state, "scoreboard"), "DelayEngine off", "TransferLog none", "SystemLog none",
	}
	if tls != "None" {
		lines = append(lines, "LoadModule mod_tls.c", "TLSEngine on", "TLSRequired on", "TLSRSACertificateFile "+ca.CertFile,
			"TLSRSACertificateKeyFile "+ca.KeyFile, "TLSVerifyClient off", "TLSLog none")
		// Without options the data connection must continue the control connection's TLS session.
		if tls == "Implicit" {
			lines = append(lines, "TLSOptions UseImplicitSSL")
		}
	}
	config := writeFile(t, filepath.Join(state, "proftpd.conf"), strings.Join(append(append(lines, more...), ""), "\n"))
	number, _ := strconv.Atoi(port)
	return FTP{StartDaemon(t, address, program, "--nodaemon", "--config", config), host, number, "backup"}
}
