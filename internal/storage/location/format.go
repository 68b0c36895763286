package location

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/sitewright/sitewright/internal/storage/ftp"
	"github.com/sitewright/sitewright/internal/storage/s3"
)

// URI is the location as Parse reads it, with its secrets; what a URI cannot say (certificates, passphrases) is left out.
func (l Location) URI() string { return l.format(true) }

func (l Location) format(secrets bool) string {
	w := &uri{secrets: secrets, options: url.Values{}}
	switch {
	case l.S3 != nil:
		c := l.S3
		w.begin("s3", c.AccessKey, c.SecretKey, c.Bucket+"."+c.Region, 0, c.Prefix)
		if c.Endpoint != amazon(c.Region) {
			w.options.Set("endpoint", c.Endpoint)
		}
		if c.Addressing != s3.AddressingAuto {
			w.options.Set("addressing", string(c.Addressing))
		}
	case l.FTP != nil:
		w.ftp(l.FTP)
	case l.SFTP != nil:
		c := l.SFTP
		secret := c.Password
		if len(c.PrivateKey) > 0 {
			secret = string(c.PrivateKey)
		}
		w.begin("sftp", c.User, secret, c.Host, c.Port, c.Path)
		if c.HostKey != "" {
			w.options.Set("hostkey", c.HostKey)
		}
	case l.WebDAV != nil:
		scheme, rest, _ := strings.Cut(l.WebDAV.URL, "://")
		w.login(scheme, l.WebDAV.User, l.WebDAV.Password)
		w.b.WriteString(rest)
	case l.Dropbox != nil:
		c := l.Dropbox
		user, secret := c.AppSecret, c.RefreshToken
		if !secrets {
			user = ""
		}
		w.begin("dropbox2", user, secret, c.AppKey, 0, c.Folder)
	case l.Volume != nil:
		w.begin("file", "", "", "", 0, strings.TrimPrefix(l.Volume.Path, "/"))
	}
	if len(w.options) > 0 {
		w.b.WriteString("?" + w.options.Encode())
	}
	return w.b.String()
}

// uri is written from left to right.
type uri struct {
	b       strings.Builder
	secrets bool
	options url.Values
}

func (w *uri) begin(scheme, user, secret, host string, port int, dir string) {
	w.login(scheme, user, secret)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	w.b.WriteString(host)
	if port != 0 {
		w.b.WriteString(":" + strconv.Itoa(port))
	}
	w.b.WriteString("/" + escape(dir, '/'))
}

func (w *uri) login(scheme, user, secret string) {
	w.b.WriteString(scheme + "://")
	if user == "" && (secret == "" || !w.secrets) {
		return
	}
	w.b.WriteString(escape(user, 0))
	if w.secrets && secret != "" {
		w.b.WriteString(":" + escape(secret, 0))
	}
	w.b.WriteByte('@')
}

func (w *uri) ftp(c *ftp.Config) {
	scheme := "ftps"
	switch {
	case c.TLS == ftp.TLSNone:
		scheme = "ftp"
	case c.TLS == ftp.TLSImplicit && c.Port != ftp.DefaultImplicitPort:
		w.options.Set("tls", "implicit")
	case c.TLS != ftp.TLSImplicit && c.Port == ftp.DefaultImplicitPort:
		w.options.Set("tls", "explicit")
	}
	w.begin(scheme, c.User, c.Password, c.Host, c.Port, c.Path)
}

// escape percent-encodes everything but letters, digits, "-._~" and one more character.
func escape(s string, keep byte) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 || keep != 0 && c == keep {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
