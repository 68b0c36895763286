// Package location names stores of every protocol in one way: by the configuration of one of them, or by a URI that
// hosting panels use for where backups go, such as sftp://user:password@vault.example/backups.
package location

import (
	"errors"
	"fmt"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/dropbox"
	"github.com/sitewright/sitewright/internal/storage/ftp"
	"github.com/sitewright/sitewright/internal/storage/s3"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/volume"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

// Location is where a store is and who logs in to it. Exactly one of the pointers is set.
type Location struct {
	S3      *s3.Config
	FTP     *ftp.Config
	SFTP    *sftp.Config
	WebDAV  *webdav.Config
	Dropbox *dropbox.Config
	Volume  *volume.Config
}

// Open makes the store. It does not talk to a server: the first operation does.
func (l Location) Open() (storage.Store, error) {
	switch {
	case l.S3 != nil:
		return opened(s3.New(*l.S3))
	case l.FTP != nil:
		return opened(ftp.New(*l.FTP))
	case l.SFTP != nil:
		return opened(sftp.New(*l.SFTP))
	case l.WebDAV != nil:
		return opened(webdav.New(*l.WebDAV))
	case l.Dropbox != nil:
		return opened(dropbox.New(*l.Dropbox))
	case l.Volume != nil:
		return opened(volume.New(*l.Volume))
	}
	return nil, errors.New("the location names no place")
}

// opened keeps a nil pointer from becoming a store that is not nil.
func opened[S storage.Store](s S, err error) (storage.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// SetSecret puts the one secret that belongs to the login's name: a password, an S3 secret key, a Dropbox refresh token.
// For SFTP it may be a private key.
func (l Location) SetSecret(secret string) {
	switch {
	case l.S3 != nil:
		l.S3.SecretKey = secret
	case l.FTP != nil:
		l.FTP.Password = secret
	case l.SFTP != nil:
		setSSHSecret(l.SFTP, secret)
	case l.WebDAV != nil:
		l.WebDAV.Password = secret
	case l.Dropbox != nil:
		l.Dropbox.RefreshToken = secret
	}
}

// HasSecret tells whether the location holds one.
func (l Location) HasSecret() bool {
	switch {
	case l.S3 != nil:
		return l.S3.SecretKey != ""
	case l.FTP != nil:
		return l.FTP.Password != ""
	case l.SFTP != nil:
		return l.SFTP.Password != "" || len(l.SFTP.PrivateKey) > 0
	case l.WebDAV != nil:
		return l.WebDAV.Password != ""
	case l.Dropbox != nil:
		return l.Dropbox.RefreshToken != "" || l.Dropbox.AppSecret != ""
	}
	return false
}

// String is the URI without secrets.
func (l Location) String() string { return l.format(false) }

// GoString is String, so that %#v shows no secret either.
func (l Location) GoString() string { return fmt.Sprintf("location.Location(%s)", l) }
