package location

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/internal/plan"
)

var (
	keys   = api.LocalReference{Name: "keys"}
	ssh    = api.SSHSource{Host: "ssh.test", Port: 22, Path: "backups", CredentialsSecretRef: keys}
	secret = func(i string) string { return "/secrets/secret-" + i + "/value" }
	given  = plan.Login{UserFile: "/secrets/secret-0/value", PasswordFile: "/secrets/secret-1/value"}
)

// places are a location of each kind.
func places() map[string]api.BackupLocationSpec {
	return map[string]api.BackupLocationSpec{
		"s3":      bucket,
		"ftp":     {FTP: &api.FTPSource{Host: "ftp.test", Port: 2121, Path: "/srv", TLS: api.TLSImplicit, CABundle: "PEM", CredentialsSecretRef: keys}},
		"sftp":    {SFTP: &ssh},
		"webdav":  {WebDAV: &api.WebDAVLocation{URL: "https://dav.test/x", CABundle: "PEM", CredentialsSecretRef: keys}},
		"dropbox": {Dropbox: &api.DropboxLocation{Path: "sites", CredentialsSecretRef: keys}},
		"volume":  {Volume: &api.VolumeLocation{}},
	}
}

func TestPlan(t *testing.T) {
	want := map[string]plan.Location{
		"s3": {S3: &plan.S3{Endpoint: "https://s3.test", Region: "eu", Bucket: "backups", Prefix: "a/", Addressing: "path", CA: "PEM",
			AccessKeyFile: secret("0"), SecretKeyFile: secret("1")}, PasswordFile: secret("2")},
		"ftp": {FTP: &plan.FTP{Host: "ftp.test", Port: 2121, Path: "/srv", TLS: "Implicit", CA: "PEM", Login: given}, PasswordFile: secret("2")},
		"sftp": {SFTP: &plan.SFTP{Host: "ssh.test", Port: 22, Path: "backups", Login: given, PrivateKeyFile: secret("2"), PassphraseFile: secret("3")},
			PasswordFile: secret("4")},
		"webdav": {WebDAV: &plan.WebDAV{URL: "https://dav.test/x", CA: "PEM", Login: given}, PasswordFile: secret("2")},
		"dropbox": {Dropbox: &plan.Dropbox{Path: "sites", AppKeyFile: secret("0"), AppSecretFile: secret("1"), RefreshTokenFile: secret("2")},
			PasswordFile: secret("3")},
		"volume": {Volume: &plan.Volume{Path: job.RepositoryVolume}, PasswordFile: secret("0")},
	}
	for kind, spec := range places() {
		expected := want[kind]
		expected.Name = "place"
		if got := Plan(place(spec), &job.Mounts{}); !reflect.DeepEqual(got, expected) {
			t.Errorf("the plan for %s is\n%+v, not\n%+v", kind, got, expected)
		}
	}
}

// TestHostKey: what a server showed first is asked for from then on, of that server alone, and what the spec says comes before.
func TestHostKey(t *testing.T) {
	const shown = "ssh-ed25519 AAAA"
	spec := ssh
	l := place(api.BackupLocationSpec{SFTP: &spec})
	asked := func() string { return Plan(l, &job.Mounts{}).SFTP.HostKey }
	if asked() != "" {
		t.Errorf("before the first connection %q is asked for", asked())
	}
	if l.Status.HostKey = Pin(l, shown); l.Status.HostKey != "ssh.test ssh-ed25519 AAAA" || asked() != shown {
		t.Errorf("%q is remembered and %q asked for", l.Status.HostKey, asked())
	}
	if spec.Port = 2222; asked() != "" {
		t.Errorf("another port is asked for %q", asked())
	}
	if l.Status.HostKey = Pin(l, shown); l.Status.HostKey != "[ssh.test]:2222 ssh-ed25519 AAAA" || asked() != shown {
		t.Errorf("%q is remembered and %q asked for", l.Status.HostKey, asked())
	}
	if spec.Host = "other.test"; asked() != "" {
		t.Errorf("another server is asked for %q", asked())
	}
	if spec.HostKey = "ssh-rsa BBBB"; asked() != "ssh-rsa BBBB" || Pin(l, shown) != "" {
		t.Errorf("the spec's key is %q, and %q is remembered beside it", asked(), Pin(l, shown))
	}
	if got := Pin(place(bucket), shown); got != "" {
		t.Errorf("of s3 %q is remembered", got)
	}
}

func TestCredentials(t *testing.T) {
	for kind, spec := range places() {
		field, ref, wanted := Credentials(place(spec))
		if kind == "volume" {
			if ref != nil || wanted != nil {
				t.Errorf("a volume wants %v of %v", wanted, ref)
			}
			continue
		}
		if field != "spec."+kind+".credentialsSecretRef" || ref.Name != "keys" || len(wanted) < 2 {
			t.Errorf("%s: %s names %v, of which %v are wanted", kind, field, ref, wanted)
		}
	}
	if _, _, wanted := Credentials(place(places()["sftp"])); !reflect.DeepEqual(wanted, [][]string{{"username"}, {"password", "ssh-privatekey"}}) {
		t.Errorf("sftp wants %v", wanted)
	}
}

func TestWhere(t *testing.T) {
	want := map[string]string{
		"s3":      `bucket backups at https://s3.test, prefix "a/"`,
		"volume":  "volume claim place-backups",
		"ftp":     `directory "/srv" at ftp.test:2121 by FTP`,
		"sftp":    `directory "backups" at ssh.test:22 by SFTP`,
		"webdav":  "https://dav.test/x",
		"dropbox": `Dropbox, folder "sites"`,
	}
	for kind, spec := range places() {
		if got := Where(place(spec)); got != want[kind] {
			t.Errorf("it is at %q, not %q", got, want[kind])
		}
	}
}

// TestURI: each URI becomes a location and its Secret, and comes back.
func TestURI(t *testing.T) {
	for uri, want := range map[string]struct {
		spec   api.BackupLocationSpec
		secret string
	}{
		"ftp://u:p@h/x":                  {api.BackupLocationSpec{FTP: &api.FTPSource{Host: "h", Path: "x", TLS: api.TLSNone}}, "password=p username=u"},
		"ftps://u:p@h/x":                 {api.BackupLocationSpec{FTP: &api.FTPSource{Host: "h", Path: "x", TLS: api.TLSExplicit}}, "password=p username=u"},
		"ftps://u:p@h:990/x":             {api.BackupLocationSpec{FTP: &api.FTPSource{Host: "h", Port: 990, Path: "x", TLS: api.TLSImplicit}}, "password=p username=u"},
		"sftp://u:p@h:2222//x?hostkey=k": {api.BackupLocationSpec{SFTP: &api.SSHSource{Host: "h", Port: 2222, Path: "/x", HostKey: "k"}}, "password=p username=u"},
		"sftp://u:-----BEGIN%20KEY@h/":   {api.BackupLocationSpec{SFTP: &api.SSHSource{Host: "h"}}, "ssh-privatekey=-----BEGIN KEY username=u"},
		"webdav://u:p@h/x":               {api.BackupLocationSpec{WebDAV: &api.WebDAVLocation{URL: "http://h/x"}}, "password=p username=u"},
		"webdavs://u:p@h:1/x":            {api.BackupLocationSpec{WebDAV: &api.WebDAVLocation{URL: "https://h:1/x"}}, "password=p username=u"},
		"dropbox2://s:t@a/x":             {api.BackupLocationSpec{Dropbox: &api.DropboxLocation{Path: "x"}}, "app-key=a app-secret=s refresh-token=t"},
		"s3://k:s@b.r/x": {api.BackupLocationSpec{S3: &api.S3Location{Endpoint: "https://s3.r.amazonaws.com", Region: "r", Bucket: "b", Prefix: "x"}},
			"access-key=k secret-key=s"},
		"s3://k:s@b.r/x?addressing=virtualHost&endpoint=http%3A%2F%2Fh": {api.BackupLocationSpec{S3: &api.S3Location{Endpoint: "http://h", Region: "r",
			Bucket: "b", Prefix: "x", Addressing: api.S3VirtualHost}}, "access-key=k secret-key=s"},
	} {
		spec, secret, err := FromURI(uri)
		if err != nil || !reflect.DeepEqual(spec, want.spec) || sorted(secret) != want.secret {
			t.Errorf("%s is %+v with %s, %v", uri, spec, sorted(secret), err)
			continue
		}
		data := map[string][]byte{}
		for key, value := range secret {
			data[key] = []byte(value)
		}
		if back := ToURI(spec, data); back != uri {
			t.Errorf("%s comes back as %s", uri, back)
		}
		if bare := ToURI(spec, nil); strings.Contains(bare, "@") {
			t.Errorf("%s without its login is %s", uri, bare)
		}
	}
	if _, _, err := FromURI("file:///var/backups"); err == nil || !strings.Contains(err.Error(), "use a volume") {
		t.Errorf("a directory of one machine: %v", err)
	}
	if got := ToURI(api.BackupLocationSpec{Volume: &api.VolumeLocation{}}, nil); got != "" {
		t.Errorf("a volume is %s", got)
	}
}

func sorted(secret map[string]string) string {
	var list []string
	for key, value := range secret {
		list = append(list, key+"="+value)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
