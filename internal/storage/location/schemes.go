package location

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sitewright/sitewright/internal/storage/dropbox"
	"github.com/sitewright/sitewright/internal/storage/ftp"
	"github.com/sitewright/sitewright/internal/storage/s3"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/volume"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

// noSecret stands in the place of a password in the URI of a login by key, whose key is somewhere else.
const noSecret = "public-key"

func (p *parts) ftp() (Location, error) {
	c := &ftp.Config{Host: p.name(), Port: p.port, Path: p.dir(), TLS: ftp.TLSNone, User: p.user, Password: p.secret}
	if p.scheme == "ftps" {
		mode := strings.ToLower(p.options.take("tls"))
		switch {
		case mode == "implicit", mode == "" && p.port == ftp.DefaultImplicitPort:
			c.TLS = ftp.TLSImplicit
		case mode == "explicit", mode == "":
			c.TLS = ftp.TLSExplicit
		default:
			return Location{}, errors.New("the option tls must be explicit or implicit")
		}
	}
	return Location{FTP: c}, p.login()
}

func (p *parts) sftp() (Location, error) {
	c := &sftp.Config{Host: p.name(), Port: p.port, Path: p.dir(), User: p.user, HostKey: p.options.take("hostkey")}
	setSSHSecret(c, p.secret)
	return Location{SFTP: c}, p.login()
}

func setSSHSecret(c *sftp.Config, secret string) {
	c.Password, c.PrivateKey = "", nil
	switch {
	case secret == noSecret:
	case strings.HasPrefix(secret, "-----BEGIN "):
		c.PrivateKey = []byte(secret)
	default:
		c.Password = secret
	}
}

func (p *parts) webdav() (Location, error) {
	if p.host == "" {
		return Location{}, errors.New("the host is missing")
	}
	if slices.Contains(strings.Split(p.path, "/"), "..") {
		return Location{}, errors.New("the collection must not hold '..'")
	}
	host := p.host
	if p.port != 0 {
		host += ":" + strconv.Itoa(p.port)
	}
	u := url.URL{Scheme: p.scheme, Host: host, Path: "/" + strings.Trim(p.path, "/")}
	return Location{WebDAV: &webdav.Config{URL: u.String(), User: p.user, Password: p.secret}}, nil
}

func (p *parts) dropbox() (Location, error) {
	if p.host == "" || p.port != 0 {
		return Location{}, errors.New("the app's key must be in the host's place")
	}
	return Location{Dropbox: &dropbox.Config{AppKey: p.host, AppSecret: p.user, RefreshToken: p.secret, Folder: strings.Trim(p.path, "/")}}, nil
}

func (p *parts) s3() (Location, error) {
	c := &s3.Config{AccessKey: p.user, SecretKey: p.secret, Prefix: strings.Trim(p.path, "/"), Endpoint: p.options.take("endpoint"),
		Addressing: s3.Addressing(p.options.take("addressing"))}
	i := strings.LastIndexByte(p.host, '.')
	if i <= 0 || i == len(p.host)-1 || p.port != 0 {
		return Location{}, errors.New("what follows the '@' must be bucket.region, as in backups.eu-central-1")
	}
	c.Bucket, c.Region = p.host[:i], p.host[i+1:]
	if p.user == "" {
		return Location{}, errors.New("the access key is missing")
	}
	if c.Addressing != s3.AddressingAuto && c.Addressing != s3.AddressingPath && c.Addressing != s3.AddressingVirtualHost {
		return Location{}, fmt.Errorf("the option addressing must be %s or %s", s3.AddressingPath, s3.AddressingVirtualHost)
	}
	if c.Endpoint == "" {
		c.Endpoint = amazon(c.Region)
	}
	return Location{S3: c}, nil
}

// amazon is the endpoint of a region of Amazon's.
func amazon(region string) string {
	suffix := ""
	if strings.HasPrefix(region, "cn-") {
		suffix = ".cn"
	}
	return "https://s3." + region + ".amazonaws.com" + suffix
}

func (p *parts) file() (Location, error) {
	if p.host != "" || p.user != "" || p.hasSecret {
		return Location{}, errors.New("a directory is written as file:///directory, without host and login")
	}
	return Location{Volume: &volume.Config{Path: path.Clean("/" + p.path)}}, nil
}
