package main

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sitewright/sitewright/internal/agent"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

// TestProtocols: the flags of every protocol do what they say, against real servers.
func TestProtocols(t *testing.T) {
	const password, passphrase = "S3CRET of the server", "S3CRET of the key"
	ca := storagetest.NewCA(t)
	secret, authority := write(t, password), write(t, string(ca.PEM))
	hostKey, _ := storagetest.SSHKey(t, "")
	sshd := storagetest.StartOpenSSH(t, string(hostKey))
	ftpd := storagetest.StartProFTPD(t, t.TempDir(), password, "Explicit", ca)
	apache := storagetest.StartApache(t, password, "", "Basic", true)
	s3 := storagetest.StartS3(t, t.TempDir(), "--cert", ca.CertFile, "--key", ca.KeyFile)
	s3.Bucket(t, "backups")
	key := write(t, encrypted(t, sshd.PrivateKey, passphrase))
	for name, c := range map[string]struct {
		location string
		flags    []string
	}{
		"sftp": {fmt.Sprintf("sftp://%s@%s:%d/%s", sshd.User, sshd.Host, sshd.Port, t.TempDir()),
			[]string{"--location-key-file", key, "--location-passphrase-file", write(t, passphrase)}},
		"ftps":    {fmt.Sprintf("ftps://%s@%s:%d/", ftpd.User, ftpd.Host, ftpd.Port), []string{"--location-password-file", secret, "--ca-file", authority}},
		"webdavs": {"webdavs://backup@" + apache.Address + "/backups", []string{"--location-password-file", secret, "--ca-file", write(t, string(apache.CA))}},
		"s3": {fmt.Sprintf("s3://%s@backups.us-east-1/?endpoint=%s&addressing=path", s3.AccessKey, strings.Replace(s3.Endpoint, "http:", "https:", 1)),
			[]string{"--location-password-file", write(t, s3.SecretKey), "--ca-file", authority}},
	} {
		t.Run(name, func(t *testing.T) { onServer(t, c.location, c.flags) })
	}
}

func encrypted(t *testing.T, private []byte, passphrase string) string {
	t.Helper()
	raw, err := ssh.ParseRawPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(raw, "", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func onServer(t *testing.T, location string, flags []string) {
	t.Setenv(repositoryPassword.env, repositorySecret)
	files := t.TempDir()
	put(t, filepath.Join(files, "index.html"), "hello")
	call := func(verb string, args ...string) run {
		return must(t, "", append(append([]string{verb}, flags...), args...)...)
	}
	first := call("create", location)
	if strings.HasPrefix(location, "sftp:") {
		_, named, _ := strings.Cut(strings.TrimSpace(first.errs), "name the location ")
		if named == "" {
			t.Fatalf("the host's key is not told: %s", first.errs)
		}
		location = named // As it says: from here on the key is insisted on.
	}
	call("snapshot", "--site", "acme/page", "--application", "html", "--url", "http://page.example", "--files", files, location)
	if v := result[verified](t, call("verify", "--full", location).out); !v.OK {
		t.Errorf("verify answers %+v", v)
	}
	out := filepath.Join(t.TempDir(), "out")
	if r := call("restore", "--files", out, location, "acme/page"); strings.Contains(r.errs, "the host's key") {
		t.Errorf("a key that was given is taken as it comes: %s", r.errs)
	}
	same(t, files, out)
	wrong := append([]string{"list", flags[0], write(t, "S3CRET wrong")}, flags[2:]...)
	r := data(t, "", append(wrong, location)...)
	if shown := fmt.Sprint(r.err) + r.out + r.errs; r.code() != plan.ExitTerminal || strings.Contains(shown, "S3CRET") {
		t.Errorf("with another secret: %d, %s", r.code(), shown)
	}
}

// TestOneShapeWithTheAgent: what a cluster made is restored by hand, and what was made by hand in a cluster.
func TestOneShapeWithTheAgent(t *testing.T) {
	s, location := newSite(t), t.TempDir()
	must(t, "", "create", location)
	application, err := readApplication(wordpress)
	if err != nil {
		t.Fatal(err)
	}
	recipe := application.Spec.Recipe
	recipe.SchemaVersion, recipe.Configuration, recipe.Commands.Configure = nil, nil, nil
	recipe.Commands.Install = nil
	generation := func(db plan.Database, n int64, volume string) plan.Site {
		return plan.Site{Namespace: "acme", Name: "blog", UID: "uid-of-blog", Application: "wordpress", Recipe: recipe, URL: old, Volume: volume,
			Generation: n, Database: &db}
	}
	login := plan.Database{Host: s.Host, Port: s.Port, Name: s.Database, User: s.User, PasswordFile: write(t, s.Password), Prefix: "wp_"}
	where := plan.Location{Name: "hand", Volume: &plan.Volume{Path: location}, PasswordFile: write(t, repositorySecret)}
	volume := t.TempDir()
	task := func(p *plan.Plan) plan.Result {
		t.Helper()
		r := agent.Run(t.Context(), p, agent.Options{})
		if r.Failure != nil {
			t.Fatalf("%s: %s", p.Task(), r.Failure.Message)
		}
		return r
	}

	byHand := result[taken](t, must(t, "", s.snapshotArgs(location, "--backup", "from-before")...).out)
	found := task(&plan.Plan{Find: &plan.Find{Location: where}}).Found
	if len(found) != 1 || found[0].ID != byHand.Snapshot || found[0].Name != "from-before" {
		t.Errorf("a cluster finds %+v", found)
	}
	adopted := task(&plan.Plan{Adopt: &plan.Adopt{Location: where, Snapshot: byHand.Snapshot}})
	if adopted.Install != "blog" || adopted.Application != "wordpress" || adopted.Version != "7.1.3" || adopted.SourceURL != old || adopted.Prefix != "wp_" {
		t.Errorf("a cluster adopts %+v", adopted)
	}
	target := blog(t)
	fill(t, target, "DROP TABLE wp_posts", "DROP TABLE wp_options", "DROP TABLE shop_items")
	into := login
	into.Name, into.User, into.PasswordFile = target.Database, target.User, write(t, target.Password)
	task(&plan.Plan{Restore: &plan.Restore{Site: generation(into, 1, volume), Location: where, Snapshot: byHand.Snapshot}})
	same(t, s.files, filepath.Join(volume, "gen", "1", "www"), "cache", "debug.log")
	if got := value(t, target, "SELECT content FROM wp_posts"); !strings.Contains(got, old) {
		t.Errorf("the post is %s", got)
	}

	clustered := task(&plan.Plan{Backup: &plan.Backup{Site: generation(into, 1, volume), Location: where, Name: "blog-1", UID: "uid-of-blog-1"}})
	t.Setenv(databasePassword.env, target.Password)
	out := filepath.Join(t.TempDir(), "out")
	r := result[restored](t, must(t, "", "restore", "--files", out, "--database", dsn(target), "--clear", "--to", "http://new.example", location, clustered.Snapshot).out)
	if r.Tables != 2 || r.Application != "wordpress" || r.Rewritten != 2 {
		t.Errorf("restore answers %+v", r)
	}
	same(t, filepath.Join(volume, "gen", "1", "www"), out)
	if entries, err := os.ReadDir(filepath.Dir(out)); err != nil || len(entries) != 1 {
		t.Errorf("left beside: %v, %v", entries, err)
	}
}
