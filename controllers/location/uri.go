package location

import (
	"errors"
	"strings"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/storage/dropbox"
	"github.com/sitewright/sitewright/internal/storage/ftp"
	"github.com/sitewright/sitewright/internal/storage/location"
	"github.com/sitewright/sitewright/internal/storage/s3"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

// FromURI makes a BackupLocation of a URI as location.Parse reads it, and what belongs into the Secret that its credentialsSecretRef,
// which is left empty, is to name. Errors show nothing of the URI but its scheme and host.
func FromURI(uri string) (api.BackupLocationSpec, map[string]string, error) {
	l, err := location.Parse(uri)
	if err != nil {
		return api.BackupLocationSpec{}, nil, err
	}
	var spec api.BackupLocationSpec
	secret := map[string]string{}
	switch {
	case l.S3 != nil:
		c := l.S3
		spec.S3 = &api.S3Location{Endpoint: c.Endpoint, Region: c.Region, Bucket: c.Bucket, Prefix: c.Prefix, Addressing: apiAddressing(c.Addressing)}
		secret[keyAccess], secret[keySecret] = c.AccessKey, c.SecretKey
	case l.FTP != nil:
		c := l.FTP
		spec.FTP = &api.FTPSource{Host: c.Host, Port: int32(c.Port), Path: c.Path, TLS: api.TLSMode(c.TLS)}
		secret[keyUser], secret[keyPassword] = c.User, c.Password
	case l.SFTP != nil:
		c := l.SFTP
		spec.SFTP = &api.SSHSource{Host: c.Host, Port: int32(c.Port), Path: c.Path, HostKey: c.HostKey}
		secret[keyUser], secret[keyPassword], secret[keyPrivate] = c.User, c.Password, string(c.PrivateKey)
	case l.WebDAV != nil:
		spec.WebDAV = &api.WebDAVLocation{URL: "http" + strings.TrimPrefix(l.WebDAV.URL, "webdav")}
		secret[keyUser], secret[keyPassword] = l.WebDAV.User, l.WebDAV.Password
	case l.Dropbox != nil:
		c := l.Dropbox
		spec.Dropbox = &api.DropboxLocation{Path: c.Folder}
		secret[keyAppKey], secret[keyAppSecret], secret[keyRefreshToken] = c.AppKey, c.AppSecret, c.RefreshToken
	default:
		return api.BackupLocationSpec{}, nil, errors.New("backup location file://: a cluster cannot keep backups in a directory of one machine; use a volume")
	}
	for key, value := range secret {
		if value == "" {
			delete(secret, key)
		}
	}
	return spec, secret, nil
}

// ToURI is the URI that FromURI reads, with the login of the Secret's data, or without it where that is nil. What a URI cannot say
// is left out: certificates, a key's passphrase. It is empty for a volume.
func ToURI(spec api.BackupLocationSpec, secret map[string][]byte) string {
	get := func(key string) string { return string(secret[key]) }
	var l location.Location
	switch {
	case spec.S3 != nil:
		s := spec.S3
		l.S3 = &s3.Config{Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix, Addressing: addressing(s.Addressing),
			AccessKey: get(keyAccess), SecretKey: get(keySecret)}
	case spec.FTP != nil:
		s := spec.FTP
		l.FTP = &ftp.Config{Host: s.Host, Port: int(s.Port), Path: s.Path, TLS: ftp.TLS(s.TLS), User: get(keyUser), Password: get(keyPassword)}
	case spec.SFTP != nil:
		s := spec.SFTP
		l.SFTP = &sftp.Config{Host: s.Host, Port: int(s.Port), Path: s.Path, HostKey: s.HostKey,
			User: get(keyUser), Password: get(keyPassword), PrivateKey: secret[keyPrivate]}
	case spec.WebDAV != nil:
		l.WebDAV = &webdav.Config{URL: "webdav" + strings.TrimPrefix(spec.WebDAV.URL, "http"), User: get(keyUser), Password: get(keyPassword)}
	case spec.Dropbox != nil:
		l.Dropbox = &dropbox.Config{Folder: spec.Dropbox.Path, AppKey: get(keyAppKey), AppSecret: get(keyAppSecret), RefreshToken: get(keyRefreshToken)}
	default:
		return ""
	}
	if secret == nil {
		return l.String()
	}
	return l.URI()
}

func apiAddressing(a s3.Addressing) api.S3Addressing {
	switch a {
	case s3.AddressingPath:
		return api.S3Path
	case s3.AddressingVirtualHost:
		return api.S3VirtualHost
	}
	return ""
}
