package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat"
	"github.com/sitewright/sitewright/compat/access"
	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/stream"
)

// panelAddress is where the API for hosting panels is on this machine.
const panelAddress = "127.0.0.1:8088"

// panel is the billing code of a hosting company: it knows nothing but the API.
type panel struct {
	t    *testing.T
	user string
	key  string
}

func (k *cluster) panel(user string) *panel {
	k.t.Helper()
	accounts := access.NewAccounts(k.Client, "sitewright-keys")
	if err := accounts.CreateUser(k.t.Context(), access.User{Name: user, Namespace: k.namespace}); err != nil {
		k.t.Fatal(err)
	}
	key, err := accounts.CreateKey(k.t.Context(), user)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		id, _, _ := strings.Cut(strings.TrimPrefix(key, "swk_"), "_")
		if err := accounts.DeleteKey(k.t.Context(), id); err != nil && k.t.Context().Err() == nil {
			k.t.Error(err)
		}
	})
	return &panel{k.t, user, key}
}

type panelReply struct {
	Result  bool
	Message string
	ErrCode string
	Data    json.RawMessage
	Task    map[string]any
	text    string
}

// ask sends a command as a form with HTTP Basic authentication, as many clients do.
func (p *panel) ask(command string, arguments ...string) panelReply {
	p.t.Helper()
	form := url.Values{}
	for _, a := range arguments {
		name, value, _ := strings.Cut(a, "=")
		form.Add(name, value)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+panelAddress+"/installatron/index.cgi?api=json&cmd="+command, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.SetBasicAuth(p.user, p.key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	return p.read(response.Body)
}

func (p *panel) read(body io.Reader) panelReply {
	p.t.Helper()
	text, err := io.ReadAll(body)
	if err != nil {
		p.t.Fatal(err)
	}
	reply := panelReply{text: string(text)}
	if err := json.Unmarshal(text, &reply); err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
	return reply
}

// well is the table, or the only row of the list, that a command which has to go well answers with.
func (p *panel) well(command string, arguments ...string) map[string]any {
	p.t.Helper()
	reply := p.ask(command, arguments...)
	if !reply.Result {
		p.t.Fatalf("%s %q: %s", command, arguments, reply.text)
	}
	var row map[string]any
	var rows []map[string]any
	if json.Unmarshal(reply.Data, &row) == nil {
		return row
	}
	if err := json.Unmarshal(reply.Data, &rows); err != nil || len(rows) > 1 {
		p.t.Fatalf("%s %q: %s", command, arguments, reply.text)
	}
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

// background starts a command in the background and polls tasks until it has ended; what it saw on the way has to make sense.
func (p *panel) background(command string, arguments ...string) map[string]any {
	p.t.Helper()
	reply := p.ask(command, append(arguments, "background=1")...)
	if !reply.Result || reply.Task == nil {
		p.t.Fatalf("%s %q: %s", command, arguments, reply.text)
	}
	percent := 0.0
	for deadline := time.Now().Add(6 * time.Minute); time.Now().Before(deadline); time.Sleep(300 * time.Millisecond) {
		task := p.well("tasks", "id="+reply.Task["id"].(string))
		from, to := task["percentMin"].(float64), task["percentMax"].(float64)
		if task["cmd"] != command || task["user"] != p.user || from < percent || to < from {
			p.t.Fatalf("after %v percent the task is %v", percent, task)
		}
		percent = from
		switch task["status"] {
		case "complete":
			return task
		case "error":
			p.t.Fatalf("%s ended with %v", command, task)
		}
	}
	p.t.Fatalf("%s does not end", command)
	return nil
}

// malformed asks for the installs with the header block that several PHP clients send.
func (p *panel) malformed() panelReply {
	p.t.Helper()
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(p.t.Context(), "tcp", panelAddress)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	login := base64.StdEncoding.EncodeToString([]byte(p.user + ":" + p.key))
	body := "api=json&cmd=installs"
	_, err = fmt.Fprintf(c, "POST /CMD_PLUGINS/installatron/index.raw HTTP/1.1\r\nHost: panel\r\nAuthorization: Basic %s\n\r\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", login, len(body), body)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	return p.read(response.Body)
}

// archive puts a backup's snapshot beside the repository, as an archive that came from elsewhere.
func (k *cluster) archive(id, name string) {
	k.t.Helper()
	var list api.BackupList
	if err := k.List(k.t.Context(), &list, client.InNamespace(k.namespace)); err != nil {
		k.t.Fatal(err)
	}
	i := slices.IndexFunc(list.Items, func(b api.Backup) bool { return compat.ID(b.UID) == id })
	if i < 0 {
		k.t.Fatalf("there is no backup %s", id)
	}
	r, err := k.Repository(k.t.Context(), k.t.TempDir())
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() {
		if err := r.Close(context.WithoutCancel(k.t.Context())); err != nil {
			k.t.Error(err)
		}
	}()
	store, err := k.Store(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	defer store.Close()
	content := stream.Of(func(w io.Writer) error {
		_, err := archive.Export(k.t.Context(), r, list.Items[i].Status.Snapshot.ID, w, archive.ExportOptions{Format: archive.TarGzip})
		return err
	})
	if err := errors.Join(store.Put(k.t.Context(), name, content, -1), content.Close()); err != nil {
		k.t.Fatal(err)
	}
}

// edits gives a site another title, password and URL, and the old ones back; what it cannot have leaves it as it is.
func (p *panel) edits(id string, c content) {
	p.t.Helper()
	edited := p.well("edit", "id="+id, "sitetitle=Another & better", "passwd=another password", "url=http://panel-new.localtest/", "email=new@example.com")
	if edited["url"] != "http://panel-new.localtest/" || edited["title"] != "Another & better" || edited["cf-email"] != "new@example.com" {
		p.t.Errorf("after the edit: %v", edited)
	}
	visitor := newBrowser(p.t, "http://panel-new.localtest/")
	visitor.login("keeper", "another password")
	visitor.check(c, "before")
	if site := p.well("view", "id="+id); site["cf-passwd"] != "another password" {
		p.t.Errorf("after the edit: %v", site)
	}
	reply := p.ask("edit", "id="+id, "language=fr", "sitetitle=Un autre")
	if reply.ErrCode != "failed_edit" || !strings.Contains(reply.Message, "language fr is not among the site's") {
		p.t.Errorf("a language that is not there: %s", reply.text)
	}
	if site := p.well("view", "id="+id); site["title"] != "Another & better" || site["status"] != "serving" {
		p.t.Errorf("after an edit that failed: %v", site)
	}
	p.well("edit", "id="+id, "sitetitle=Panel's site", `passwd=Kee/per's "word" 1`, "url=http://panel-test.localtest/")
}

// TestPanel goes through the whole life of a WordPress by the API for hosting panels alone.
func TestPanel(t *testing.T) {
	k := newCluster(t, "e2e-panel")
	k.locations()
	p := k.panel("e2e-customer")

	app := p.well("browser", "application=wordpress", "version=6.8.7")
	if app["name"] != "WordPress" || app["requirement_db_type"] != "mysql" {
		t.Errorf("the application is %v", app)
	}
	if reply := p.ask("install", "application=wordpress", "url=http://panel-test.localtest/", "version=6.8.7", "dryrun=2"); !reply.Result {
		t.Errorf("a dry run: %s", reply.text)
	}
	task := p.background("install", "application=wordpress", "url=http://panel-test.localtest/", "version=6.8.7", "login=keeper", "passwd=Kee/per's \"word\" 1",
		"email=keeper@example.com", "sitetitle=Panel's site", "autobk=custom", "autobk_daily=2")
	id := task["install"].(string)
	site := p.well("view", "id="+id)
	if site["version"] != "6.8.7" || site["cf-login"] != "keeper" || site["cf-passwd"] != `Kee/per's "word" 1` || site["db-pass"] == "" || site["db-host"] == "" || site["owner"] != p.user {
		t.Errorf("the site is %v", site)
	}
	visitor := newBrowser(t, "http://panel-test.localtest/")
	visitor.login("keeper", `Kee/per's "word" 1`)
	before := visitor.fill("before")
	if reply := p.malformed(); !reply.Result || !strings.Contains(reply.text, id) {
		t.Errorf("a malformed head: %s", reply.text)
	}

	if edited := p.well("edit", "id="+id, "autoup=0", "autobk_daily=3"); edited["autobk_daily"] != 3.0 {
		t.Errorf("after the edit: %v", edited)
	}
	p.edits(id, before)
	visitor = newBrowser(t, "http://panel-test.localtest/")
	visitor.login("keeper", `Kee/per's "word" 1`)     // Another password ended the session.
	backup := p.well("backup", "id="+id, "expiry=30") // In the foreground.
	if !strings.HasPrefix(fmt.Sprint(backup["backup-filename"]), "wordpress_panel-test-localtest_") {
		t.Errorf("the backup is %v", backup)
	}
	copied := p.well("clone", "id="+id, "url=http://panel-copy.localtest/")
	other := newBrowser(t, "http://panel-copy.localtest/")
	other.login("keeper", `Kee/per's "word" 1`)
	other.check(before, "before")

	visitor.fill("after")
	p.background("upgrade", "id="+id, "version=6.8.12", "revert=yes")
	if site := p.well("view", "id="+id); site["version"] != "6.8.12" {
		t.Errorf("after the upgrade: %v", site)
	}
	p.background("restore", "id="+backup["id"].(string))
	if site := p.well("view", "id="+id); site["version"] != "6.8.7" {
		t.Errorf("after the restore: %v", site)
	}
	visitor = newBrowser(t, "http://panel-test.localtest/")
	visitor.login("keeper", `Kee/per's "word" 1`)
	visitor.check(before, "before")
	k.archive(backup["id"].(string), "old/site.tar.gz")
	imported := p.well("importbackup", "path=old/site.tar.gz")
	if imported["version"] != "6.8.7" || imported["url"] != "http://panel-test.localtest/" || imported["installer"] != "wordpress" {
		t.Errorf("the imported backup is %v", imported)
	}
	if reply := p.ask("importbackup", "path=old/no-site.tar.gz"); reply.ErrCode != "failed_importbackup" || !strings.Contains(reply.Message, "no archive") {
		t.Errorf("of an archive that is not there: %s", reply.text)
	}
	moved := p.well("restore", "id="+imported["id"].(string), "url=http://panel-moved.localtest/sub")
	if moved["url"] != "http://panel-moved.localtest/sub" {
		t.Errorf("the restored site is %v", moved)
	}
	newBrowser(t, "http://panel-moved.localtest/sub").reached("/")

	for _, row := range []map[string]any{copied, moved} {
		p.well("uninstall", "id="+row["id"].(string))
	}
	p.well("uninstall", "id="+id, "force=1")
	if reply := p.ask("installs"); string(reply.Data) != "[]" {
		t.Errorf("there are still %s", reply.text)
	}
	p.well("delete", "id="+backup["id"].(string))
	if reply := p.ask("backups", "id="+backup["id"].(string)); reply.ErrCode != "backup_not_found" {
		t.Errorf("the backup is still there: %s", reply.text)
	}
}
