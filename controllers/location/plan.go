package location

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh/knownhosts"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/storage/s3"
)

// The keys of a location's Secret.
const (
	keyAccess       = "access-key"
	keySecret       = "secret-key"
	keyUser         = "username"
	keyPassword     = "password"
	keyPrivate      = "ssh-privatekey" // as in Secrets of type kubernetes.io/ssh-auth
	keyPassphrase   = "passphrase"
	keyAppKey       = "app-key"
	keyAppSecret    = "app-secret"
	keyRefreshToken = "refresh-token"
)

// Credentials says which Secret holds a location's login: by which field, and with which keys. Of each list of keys one has to be
// there. It is nil where no login is needed.
func Credentials(l *api.BackupLocation) (field string, ref *api.LocalReference, keys [][]string) {
	login := [][]string{{keyUser}, {keyPassword}}
	switch s := l.Spec; {
	case s.S3 != nil:
		return "spec.s3.credentialsSecretRef", &s.S3.CredentialsSecretRef, [][]string{{keyAccess}, {keySecret}}
	case s.FTP != nil:
		return "spec.ftp.credentialsSecretRef", &s.FTP.CredentialsSecretRef, login
	case s.SFTP != nil:
		return "spec.sftp.credentialsSecretRef", &s.SFTP.CredentialsSecretRef, [][]string{{keyUser}, {keyPassword, keyPrivate}}
	case s.WebDAV != nil:
		return "spec.webdav.credentialsSecretRef", &s.WebDAV.CredentialsSecretRef, login
	case s.Dropbox != nil:
		return "spec.dropbox.credentialsSecretRef", &s.Dropbox.CredentialsSecretRef, [][]string{{keyAppKey}, {keyAppSecret}, {keyRefreshToken}}
	}
	return "", nil, nil
}

// Plan tells the agent where the repository is, and mounts what it needs for it.
func Plan(l *api.BackupLocation, m *job.Mounts) plan.Location {
	p := plan.Location{Name: l.Name}
	switch s := l.Spec; {
	case s.S3 != nil:
		name := s.S3.CredentialsSecretRef.Name
		p.S3 = &plan.S3{Endpoint: s.S3.Endpoint, Region: s.S3.Region, Bucket: s.S3.Bucket, Prefix: s.S3.Prefix, CA: s.S3.CABundle,
			Addressing: string(addressing(s.S3.Addressing)), AccessKeyFile: m.Secret(name, keyAccess), SecretKeyFile: m.Secret(name, keySecret)}
	case s.FTP != nil:
		p.FTP = &plan.FTP{Host: s.FTP.Host, Port: int(s.FTP.Port), Path: s.FTP.Path, TLS: string(s.FTP.TLS), CA: s.FTP.CABundle,
			Login: login(m, s.FTP.CredentialsSecretRef)}
	case s.SFTP != nil:
		name := s.SFTP.CredentialsSecretRef.Name
		p.SFTP = &plan.SFTP{Host: s.SFTP.Host, Port: int(s.SFTP.Port), Path: s.SFTP.Path, HostKey: hostKey(l),
			Login:          plan.Login{UserFile: m.Secret(name, keyUser), PasswordFile: m.OptionalSecret(name, keyPassword)},
			PrivateKeyFile: m.OptionalSecret(name, keyPrivate), PassphraseFile: m.OptionalSecret(name, keyPassphrase)}
	case s.WebDAV != nil:
		p.WebDAV = &plan.WebDAV{URL: s.WebDAV.URL, CA: s.WebDAV.CABundle, Login: login(m, s.WebDAV.CredentialsSecretRef)}
	case s.Dropbox != nil:
		name := s.Dropbox.CredentialsSecretRef.Name
		p.Dropbox = &plan.Dropbox{Path: s.Dropbox.Path, AppKeyFile: m.Secret(name, keyAppKey), AppSecretFile: m.Secret(name, keyAppSecret),
			RefreshTokenFile: m.Secret(name, keyRefreshToken)}
	case s.Volume != nil:
		m.Claim(names.LocationVolume(l.Name), job.RepositoryVolume, false)
		p.Volume = &plan.Volume{Path: job.RepositoryVolume}
	}
	password := Password(l)
	p.PasswordFile = m.Secret(password.Name, password.Key)
	return p
}

func login(m *job.Mounts, ref api.LocalReference) plan.Login {
	return plan.Login{UserFile: m.Secret(ref.Name, keyUser), PasswordFile: m.Secret(ref.Name, keyPassword)}
}

func addressing(a api.S3Addressing) s3.Addressing {
	switch a {
	case api.S3Path:
		return s3.AddressingPath
	case api.S3VirtualHost:
		return s3.AddressingVirtualHost
	}
	return s3.AddressingAuto
}

// hostKey is the key that an SSH server has to show: the one of the spec, else the pinned one as long as the location is on the server
// that showed it.
func hostKey(l *api.BackupLocation) string {
	if l.Spec.SFTP.HostKey != "" {
		return l.Spec.SFTP.HostKey
	}
	host, key, _ := strings.Cut(l.Status.HostKey, " ")
	if host != knownHost(l.Spec.SFTP) {
		return ""
	}
	return key
}

// Pin is what to remember of the key that an SSH server showed; empty where there is nothing to remember.
func Pin(l *api.BackupLocation, shown string) string {
	if l.Spec.SFTP == nil || l.Spec.SFTP.HostKey != "" || shown == "" {
		return ""
	}
	return knownHost(l.Spec.SFTP) + " " + shown
}

// knownHost is how known_hosts names a server.
func knownHost(s *api.SSHSource) string { return knownhosts.Normalize(address(s.Host, s.Port)) }

func address(host string, port int32) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(int(port)))
}

// Where describes a location in a few words.
func Where(l *api.BackupLocation) string {
	switch s := l.Spec; {
	case s.S3 != nil:
		return fmt.Sprintf("bucket %s at %s, prefix %q", s.S3.Bucket, s.S3.Endpoint, s.S3.Prefix)
	case s.Volume != nil:
		return "volume claim " + names.LocationVolume(l.Name)
	case s.FTP != nil:
		return directory("FTP", s.FTP.Path, s.FTP.Host, s.FTP.Port)
	case s.SFTP != nil:
		return directory("SFTP", s.SFTP.Path, s.SFTP.Host, s.SFTP.Port)
	case s.WebDAV != nil:
		return s.WebDAV.URL
	case s.Dropbox != nil:
		return fmt.Sprintf("Dropbox, folder %q", s.Dropbox.Path)
	}
	return ""
}

func directory(protocol, path, host string, port int32) string {
	if port != 0 {
		host = address(host, port)
	}
	return fmt.Sprintf("directory %q at %s by %s", path, host, protocol)
}
