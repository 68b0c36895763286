package location

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/storage/dropbox"
	"github.com/sitewright/sitewright/internal/storage/ftp"
	"github.com/sitewright/sitewright/internal/storage/s3"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/volume"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

func TestParse(t *testing.T) {
	for uri, want := range map[string]Location{
		"ftp://user:pass@server":           {FTP: &ftp.Config{Host: "server", TLS: ftp.TLSNone, User: "user", Password: "pass"}},
		"ftp://user:pass@server/directory": {FTP: &ftp.Config{Host: "server", Path: "directory", TLS: ftp.TLSNone, User: "user", Password: "pass"}},
		"ftps://user:pass@server//srv/x/":  {FTP: &ftp.Config{Host: "server", Path: "/srv/x", TLS: ftp.TLSExplicit, User: "user", Password: "pass"}},
		"ftps://u:p@server:990/x":          {FTP: &ftp.Config{Host: "server", Port: 990, Path: "x", TLS: ftp.TLSImplicit, User: "u", Password: "p"}},
		"FTPS://u:p@server/x?tls=implicit": {FTP: &ftp.Config{Host: "server", Path: "x", TLS: ftp.TLSImplicit, User: "u", Password: "p"}},
		"sftp://user:pass@server/backups":  {SFTP: &sftp.Config{Host: "server", Path: "backups", User: "user", Password: "pass"}},
		"ssh://user:pass@[2001:db8::1]:2222/backups?hostkey=ssh-ed25519%20AAAA": {SFTP: &sftp.Config{Host: "2001:db8::1", Port: 2222, Path: "backups",
			User: "user", Password: "pass", HostKey: "ssh-ed25519 AAAA"}},
		"ssh://user:public-key@server/directory": {SFTP: &sftp.Config{Host: "server", Path: "directory", User: "user"}},
		"ssh://user:-----BEGIN%20OPENSSH%20PRIVATE%20KEY-----%0Aab/cd@server/x": {SFTP: &sftp.Config{Host: "server", Path: "x", User: "user",
			PrivateKey: []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nab/cd")}},
		"webdav://user:pass@server/backups":    {WebDAV: &webdav.Config{URL: "webdav://server/backups", User: "user", Password: "pass"}},
		"webdavs://user:pass@server:8443/a b/": {WebDAV: &webdav.Config{URL: "webdavs://server:8443/a%20b", User: "user", Password: "pass"}},
		"dropbox2://auth-id:token@app-id":      {Dropbox: &dropbox.Config{AppKey: "app-id", AppSecret: "auth-id", RefreshToken: "token"}},
		"s3://key:secret@bucket-id.eu-west-1": {S3: &s3.Config{Endpoint: "https://s3.eu-west-1.amazonaws.com", Region: "eu-west-1", Bucket: "bucket-id",
			AccessKey: "key", SecretKey: "secret"}},
		"s3://key:se/cr+et@my.bucket.us-east-1/a/b/?endpoint=http://s3.test:7070&addressing=path": {S3: &s3.Config{Endpoint: "http://s3.test:7070",
			Region: "us-east-1", Bucket: "my.bucket", Prefix: "a/b", AccessKey: "key", SecretKey: "se/cr+et", Addressing: s3.AddressingPath}},
		"file:///var/backups": {Volume: &volume.Config{Path: "/var/backups"}},
		// As clients write them.
		"ftp://me@example.com:p@ss:w0rd#?@server/x": {FTP: &ftp.Config{Host: "server", Path: "x", TLS: ftp.TLSNone, User: "me@example.com", Password: "p@ss:w0rd#?"}},
		"ftp://u:100%sure@server/x%20y":             {FTP: &ftp.Config{Host: "server", Path: "x y", TLS: ftp.TLSNone, User: "u", Password: "100%sure"}},
		"ftp://u:a/b@c@server/x":                    {FTP: &ftp.Config{Host: "server", Path: "x", TLS: ftp.TLSNone, User: "u", Password: "a/b@c"}},
		"ftp://u:p@server/mail@me":                  {FTP: &ftp.Config{Host: "server", Path: "mail@me", TLS: ftp.TLSNone, User: "u", Password: "p"}},
	} {
		got, err := Parse(uri)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%s)\n got %s, %v\nwant %s", uri, got.URI(), err, want.URI())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, uri := range []string{
		"", "server/directory", "http://u:SECRET@server", "ftp://server/x", "ftp://u:SECRET@/x", "ftp://u:SECRET@server:0/x", "ftp://u:SECRET@server:70000",
		"ftp://u:SECRET@server:x/y", "sftp://:SECRET@server/", "ftp://u:SECRET@ser ver/", "ssh://u:SECRET@[::1/x", "ssh://u:SECRET@[server]/x",
		"s3://key:SECRET@bucket", "s3://key:SECRET@.region", "s3://:SECRET@bucket.region", "dropbox2://a:SECRET@", "webdav://u:SECRET@/x",
		"webdav://u:SECRET@server/a/../b", "ftps://u:SECRET@server/?tls=none", "ftp://u:SECRET@server/?tls=implicit", "ftp://u:SECRET@server/x?a=SECRET&a=b",
		"ftp://u:SECRET@server/a%00b", "file://host/x", "file://u:SECRET@/x", "ftp://u:SECRET@server/?%zz", "\xff://", "ftp://" + strings.Repeat("x", MaxURI),
		"se cret://u:SECRET@server", "volume://u:SECRET@x", "s3://key:SECRET@bucket.region/?addressing=sideways",
	} {
		_, err := Parse(uri)
		if err == nil {
			t.Errorf("Parse(%s) succeeded", uri)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("Parse(%s): %v tells a secret", uri, err)
		}
	}
}

func TestStringHidesSecrets(t *testing.T) {
	for _, uri := range []string{
		"ftp://u:SECRET@server/x", "ssh://u:-----BEGIN%20SECRET@server/x", "webdavs://u:SECRET@server/x", "dropbox2://SECRET:SECRET@app/x", "s3://key:SECRET@b.r/x",
	} {
		l, err := Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		if shown := fmt.Sprintf("%v %+v %#v", l, l, l); strings.Contains(shown, "SECRET") || !l.HasSecret() {
			t.Errorf("%s is shown as %s", uri, shown)
		}
		bare, err := Parse(l.String())
		if err != nil || bare.HasSecret() {
			t.Errorf("%s: without secrets %s, %v", uri, l, err)
			continue
		}
		if l.Dropbox != nil {
			continue // It has two.
		}
		if bare.SetSecret(map[bool]string{true: "-----BEGIN SECRET", false: "SECRET"}[l.SFTP != nil]); !reflect.DeepEqual(bare, l) {
			t.Errorf("%s: %s after its secret was put back", uri, bare.URI())
		}
	}
}

// FuzzParse: what is read can be written and read again, and opens or is refused without a panic.
func FuzzParse(f *testing.F) {
	for _, uri := range []string{
		"ftp://user:pass@server/directory", "ftps://u:p@server:990/x", "ssh://user:pass@[2001:db8::1]:2222//b?hostkey=k", "webdavs://u:p@server/a b",
		"dropbox2://auth-id:token@app-id/x", "s3://key:se/cr+et@my.bucket.us-east-1/a?endpoint=http://h", "file:///var/backups", "ftp://u:%@h/%41%", "ftp://a@b:c@d/e@f",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		l, err := Parse(uri)
		if err != nil {
			return
		}
		again, err := Parse(l.URI())
		if err != nil || !reflect.DeepEqual(l, again) {
			t.Fatalf("%q is written as %q, which is %s, %v", uri, l.URI(), again.URI(), err)
		}
		if l.Volume == nil { // Opening one looks at the disk.
			if s, err := l.Open(); err == nil {
				s.Close()
			}
		}
	})
}
