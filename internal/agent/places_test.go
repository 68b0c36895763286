package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

// TestPlaces backs a site up to servers of every protocol that can run here, and restores it.
func TestPlaces(t *testing.T) {
	w := newWorld(t)
	site := w.site("blog", "http://blog.test/", "n_", 1)
	w.run(w.install(site))
	want := w.dump(site.Database)
	for name, place := range map[string]func(t *testing.T) plan.Location{
		"s3": w.onS3, "ftps": w.onFTP, "sftp": w.onSFTP, "webdavs": w.onWebDAV,
	} {
		t.Run(name, func(t *testing.T) {
			there := *w
			there.t, there.location = t, place(t)
			opened := there.run(&plan.Plan{Open: &plan.Open{Location: there.location, MakeDirectory: true}})
			if (opened.HostKey != "") != (name == "sftp") {
				t.Errorf("the server's key is %q", opened.HostKey)
			}
			made := there.run(there.backup(site, "first-"+name))
			again := there.site("again-"+name, site.URL, "n_", 1)
			there.run(&plan.Plan{Restore: &plan.Restore{Site: again, Location: there.location, Snapshot: made.Snapshot}})
			if there.dump(again.Database) != want {
				t.Error("the restored database is another one")
			}
			there.run(&plan.Plan{Forget: &plan.Forget{Location: there.location, Snapshot: made.Snapshot}})
		})
	}
}

func (w *world) onS3(t *testing.T) plan.Location {
	s := storagetest.StartS3(t, t.TempDir())
	s.Bucket(t, "backups")
	return plan.Location{Name: "bucket", PasswordFile: w.location.PasswordFile, S3: &plan.S3{Endpoint: s.Endpoint, Bucket: "backups",
		Prefix: "sites", Addressing: "path", AccessKeyFile: w.file("access", s.AccessKey), SecretKeyFile: w.file("secret", s.SecretKey)}}
}

func (w *world) onFTP(t *testing.T) plan.Location {
	ca := storagetest.NewCA(t)
	s := storagetest.StartProFTPD(t, t.TempDir(), "ftp password", "Explicit", ca)
	return plan.Location{Name: "ftp", PasswordFile: w.location.PasswordFile, FTP: &plan.FTP{Host: s.Host, Port: s.Port, Path: "made/for/this", TLS: "Explicit",
		CA: string(ca.PEM), Login: plan.Login{UserFile: w.file("ftp-user", s.User), PasswordFile: w.file("ftp-password", "ftp password")}}}
}

func (w *world) onSFTP(t *testing.T) plan.Location {
	key, _ := storagetest.SSHKey(t, "")
	s := storagetest.StartOpenSSH(t, string(key))
	return plan.Location{Name: "vault", PasswordFile: w.location.PasswordFile, SFTP: &plan.SFTP{Host: s.Host, Port: s.Port,
		Path:           filepath.Join(t.TempDir(), "made/for/this"),
		Login:          plan.Login{UserFile: w.file("ssh-user", s.User), PasswordFile: filepath.Join(w.dir, "no-such-key-in-the-secret")},
		PrivateKeyFile: w.file("ssh-key", string(s.PrivateKey)), PassphraseFile: filepath.Join(w.dir, "no-such-key-in-the-secret")}}
}

func (w *world) onWebDAV(t *testing.T) plan.Location {
	s := storagetest.StartApache(t, "dav password", "", "Basic", true)
	return plan.Location{Name: "dav", PasswordFile: w.location.PasswordFile, WebDAV: &plan.WebDAV{URL: "https://" + s.Address + "/backups/made/for/this",
		CA: string(s.CA), Login: plan.Login{UserFile: w.file("dav-user", "backup"), PasswordFile: w.file("dav-password", "dav password")}}}
}

// TestPlaceRefuses: whatever is wrong with a server is said with the location's name, the server and what to do, and without secrets.
func TestPlaceRefuses(t *testing.T) {
	w := newWorld(t)
	right := w.onSFTP(t)
	open := func(change func(*plan.SFTP), directory bool) *plan.Plan {
		l := right
		l.SFTP = new(*right.SFTP)
		change(l.SFTP)
		return &plan.Plan{Open: &plan.Open{Location: l, MakeDirectory: directory}}
	}
	w.fails(open(func(*plan.SFTP) {}, false), plan.ReasonMissing, true, "BackupLocation vault", right.SFTP.Path)
	if _, err := os.Stat(filepath.Dir(right.SFTP.Path)); err == nil {
		t.Error("a directory that was to be there was made")
	}
	shown := w.run(open(func(*plan.SFTP) {}, true)).HostKey
	w.run(open(func(s *plan.SFTP) { s.HostKey = shown }, false))
	_, other := storagetest.SSHKey(t, "")
	w.fails(open(func(s *plan.SFTP) { s.HostKey = other }, false), plan.ReasonDenied, true, "BackupLocation vault", "ssh-ed25519 SHA256:", "new host key")
	stranger, _ := storagetest.SSHKey(t, "")
	w.fails(open(func(s *plan.SFTP) { s.PrivateKeyFile = w.file("stranger", string(stranger)) }, false), plan.ReasonDenied, true, "BackupLocation vault",
		"check the user name and the password or private key")
	w.fails(open(func(s *plan.SFTP) { s.PrivateKeyFile = s.PassphraseFile }, false), plan.ReasonInvalid, true, "BackupLocation vault",
		"a password or a private key is needed")
	locked, _ := storagetest.SSHKey(t, "key phrase")
	w.fails(open(func(s *plan.SFTP) { s.PrivateKeyFile = w.file("locked", string(locked)) }, false), plan.ReasonInvalid, true, "BackupLocation vault", "passphrase")

	dav := w.onWebDAV(t)
	dav.WebDAV.CA = ""
	w.fails(&plan.Plan{Open: &plan.Open{Location: dav}}, plan.ReasonDenied, true, "BackupLocation dav", "CA")
	ftp := w.onFTP(t)
	ftp.FTP.PasswordFile = w.file("wrong", "a wrong password")
	r := Run(t.Context(), &plan.Plan{Open: &plan.Open{Location: ftp}}, Options{StateDir: w.mkdir("state")})
	if r.Failure == nil || r.Failure.Reason != plan.ReasonDenied || strings.Contains(r.Failure.Message, "wrong password") {
		t.Errorf("a wrong password: %+v", r.Failure)
	}
}
