package agent

import (
	"errors"
	"io/fs"

	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/dropbox"
	"github.com/sitewright/sitewright/internal/storage/ftp"
	storagelocation "github.com/sitewright/sitewright/internal/storage/location"
	"github.com/sitewright/sitewright/internal/storage/s3"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/volume"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

// store opens the place that a location names.
func (a *agent) store(l *plan.Location) (storage.Store, error) {
	c := &credentials{agent: a, location: l.Name}
	place := c.place(l)
	if c.err != nil {
		return nil, c.err
	}
	if place == (storagelocation.Location{}) {
		return nil, invalid("BackupLocation %s names no place that this agent knows", l.Name)
	}
	s, err := place.Open()
	if _, failed := errors.AsType[*storage.Error](err); failed {
		return nil, aboutLocation(l, err)
	}
	if err != nil {
		return nil, invalid("BackupLocation %s: %v", l.Name, err)
	}
	return s, nil
}

// credentials reads the files that a location names, and keeps the first error.
type credentials struct {
	*agent
	location string
	err      error
}

func (c *credentials) place(l *plan.Location) (place storagelocation.Location) {
	switch {
	case l.S3 != nil:
		place.S3 = &s3.Config{Endpoint: l.S3.Endpoint, Region: l.S3.Region, Bucket: l.S3.Bucket, Prefix: l.S3.Prefix,
			Addressing: s3.Addressing(l.S3.Addressing), CA: []byte(l.S3.CA),
			AccessKey: c.secret("access key", l.S3.AccessKeyFile), SecretKey: c.secret("secret key", l.S3.SecretKeyFile)}
	case l.FTP != nil:
		place.FTP = &ftp.Config{Host: l.FTP.Host, Port: l.FTP.Port, Path: l.FTP.Path, TLS: ftp.TLS(l.FTP.TLS), CA: []byte(l.FTP.CA),
			User: c.name("user name", l.FTP.UserFile), Password: c.secret("password", l.FTP.PasswordFile)}
	case l.SFTP != nil:
		place.SFTP = &sftp.Config{Host: l.SFTP.Host, Port: l.SFTP.Port, Path: l.SFTP.Path, HostKey: l.SFTP.HostKey,
			User: c.name("user name", l.SFTP.UserFile), Password: c.optional("password", l.SFTP.PasswordFile),
			PrivateKey: []byte(c.optional("private key", l.SFTP.PrivateKeyFile)), Passphrase: c.optional("passphrase", l.SFTP.PassphraseFile)}
	case l.WebDAV != nil:
		place.WebDAV = &webdav.Config{URL: l.WebDAV.URL, CA: []byte(l.WebDAV.CA),
			User: c.name("user name", l.WebDAV.UserFile), Password: c.secret("password", l.WebDAV.PasswordFile)}
	case l.Dropbox != nil:
		place.Dropbox = &dropbox.Config{Folder: l.Dropbox.Path, AppKey: c.name("app key", l.Dropbox.AppKeyFile),
			AppSecret: c.secret("app secret", l.Dropbox.AppSecretFile), RefreshToken: c.secret("refresh token", l.Dropbox.RefreshTokenFile)}
	case l.Volume != nil:
		place.Volume = &volume.Config{Path: l.Volume.Path}
	}
	return place
}

// name reads what is no secret: messages may show it.
func (c *credentials) name(what, file string) string {
	s, err := readSecret(what+" of BackupLocation "+c.location, file)
	c.keep(err)
	return s
}

func (c *credentials) secret(what, file string) string {
	s, err := c.agent.secret(what+" of BackupLocation "+c.location, file)
	c.keep(err)
	return s
}

// optional is empty where the Secret has no such key.
func (c *credentials) optional(what, file string) string {
	s, err := c.agent.secret(what+" of BackupLocation "+c.location, file)
	if !errors.Is(err, fs.ErrNotExist) {
		c.keep(err)
	}
	return s
}

func (c *credentials) keep(err error) {
	if c.err == nil {
		c.err = err
	}
}
