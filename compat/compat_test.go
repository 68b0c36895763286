package compat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/access"
	"github.com/sitewright/sitewright/compat/wire"
)

func TestID(t *testing.T) {
	for uid, want := range map[string]string{
		"00000000-0000-0000-0000-000000000000": "0000000000000000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff": "f5lxx1zz5pnorynqglhzmsp33",
	} {
		if got := ID(types.UID(uid)); got != want {
			t.Errorf("%s is %s, not %s", uid, got, want)
		}
	}
}

func TestSiteName(t *testing.T) {
	names := map[string]string{}
	for _, text := range []string{"http://example.com/", "example.com/My-Blog", "http://a-b.com", "http://a.b.com", "http://1.test/", "http://" + strings.Repeat("long.", 30) + "test/x"} {
		u, err := siteURL(text)
		if err != nil {
			t.Fatal(err)
		}
		name := siteName(u)
		if len(name) > 52 || name[0] < 'a' || names[name] != "" {
			t.Errorf("%s is called %s, like %s", text, name, names[name])
		}
		names[name] = text
	}
	one, _ := siteURL("https://EXAMPLE.com")
	if !strings.HasPrefix(siteName(one), "example-com-") || names[siteName(one)] == "" {
		t.Errorf("https has another name: %s", siteName(one))
	}
}

// TestCommands: every argument is documented, and every command does something or says why it does not.
func TestCommands(t *testing.T) {
	if len(Commands) != 15 {
		t.Errorf("there are %d commands; the reference has 15", len(Commands))
	}
	for _, c := range Commands {
		if c.Summary == "" || (c.handle == nil) == (c.Unsupported == "") {
			t.Errorf("%s is neither supported nor refused", c.Name)
		}
		for _, a := range c.Arguments {
			if c.Unsupported == "" && (a.Becomes == "") == (a.Unsupported == "") {
				t.Errorf("%s: nobody knows what becomes of %s", c.Name, a.Name)
			}
		}
	}
}

func TestInstallInTheBackground(t *testing.T) {
	p := newPanel(t)
	got := p.well("cmd=install", "application=blog", "version=6.8.7", "url=Shop.Example.com/My-blog", "background=1", "login=boss", "passwd=s3cret word", "email=boss@example.com",
		"sitetitle=My shop", "language=zh-TW", "autoup=1", "autoup_backup=0", "autobk=custom", "autobk_daily=7", "notification=update,update_error",
		"fields[sitetagline]=All you need", "bkloc=sftp://me:hidden@backup.example/sites", "db-prefix=x_", "background=quick")
	id, _ := got.Task["install"].(string)
	if len(id) != 25 || got.Task["status"] != "processing" || got.Task["cmd"] != "install" || got.Task["url"] != "http://shop.example.com/My-blog" || got.Task["user"] != p.name {
		t.Fatalf("the task is %v", got.Task)
	}
	var list api.InstallList
	in := play(t, p.namespace, &list, func(in *api.Install) {
		in.Status.ObservedGeneration = in.Generation
		in.Status.Progress = &api.Progress{Percent: 20, Until: 60, Rate: 1500, Message: "unpacking"}
	})
	s := in.Spec
	if s.Version != "6.8.7" || s.Admin.Login != "boss" || s.Admin.Email != "boss@example.com" || s.Title != "My shop" || s.Language != "zh_tw" || s.Fields["sitetagline"] != "All you need" ||
		s.Updates.Policy != api.UpdateMinor || *s.Updates.Backup || *s.Backups.Daily != 7 || len(s.Notifications.Events) != 2 || s.Database.Prefix != "x_" {
		t.Errorf("the Install is %+v", s)
	}
	var secret corev1.Secret
	if err := world.Get(t.Context(), client.ObjectKey{Namespace: p.namespace, Name: s.Admin.PasswordSecretRef.Name}, &secret); err != nil || string(secret.Data[s.Admin.PasswordSecretRef.Key]) != "s3cret word" {
		t.Errorf("the password is %q: %v", secret.Data, err)
	}
	if len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].UID != in.UID {
		t.Errorf("the password is owned by %+v", secret.OwnerReferences)
	}
	var place api.BackupLocation
	if err := world.Get(t.Context(), client.ObjectKey{Namespace: p.namespace, Name: s.Backups.LocationRef.Name}, &place); err != nil || place.Spec.SFTP.Host != "backup.example" {
		t.Errorf("the location is %+v: %v", place.Spec, err)
	}
	p.known(in)
	task := p.well("cmd=tasks", "id="+id).rows(t)[0]
	if task["percentMin"] != 20.0 || task["percentMax"] != 60.0 || task["rate"] != 1500.0 || task["message"] != "unpacking" || task["title"] != "My shop" {
		t.Errorf("the task is %v", task)
	}
	p.known(play(t, p.namespace, &list, serving("6.8.7")))
	if task := p.well("cmd=tasks", "id="+id).rows(t)[0]; task["status"] != "complete" || task["percentMin"] != 100.0 {
		t.Errorf("the task is %v", task)
	}
	shown := p.well("cmd=view", "id="+id).row(t)
	if shown["bkloc"] != "sftp://backup.example:22/sites" || shown["autobk_daily"] != 7.0 || shown["autoup"] != "1" || shown["link-admin"] != "http://shop.example.com/My-blog/wp-admin/" {
		t.Errorf("the site is %v", shown)
	}
	if text := world.log.String(); strings.Contains(text, "s3cret") || strings.Contains(text, "hidden") || strings.Contains(text, p.key) {
		t.Error("the log has a secret")
	}
	if !strings.Contains(world.log.String(), `"object":"Install `+p.namespace+"/"+in.Name) {
		t.Error("the log does not say who made the Install")
	}
}

func TestInstallInTheForeground(t *testing.T) {
	p := newPanel(t)
	var list api.InstallList
	done := make(chan reply)
	go func() { done <- p.ask("cmd=install", "application=blog", "url=http://fore.example/", "background=0") }()
	in := play(t, p.namespace, &list, serving("6.10"))
	got := <-done
	row := got.row(t)
	if !got.Result || got.Task != nil || strings.Contains(got.text, `"task"`) || row["version"] != "6.10" || row["id"] != ID(in.UID) || row["db-host"] != "db.example" || row["cf-login"] != "boss" {
		t.Errorf("the reply is %s", got.text)
	}
	if again := p.ask("cmd=install", "application=blog", "url=https://fore.example"); again.ErrCode != "invalid_argument_url" || again.ErrField != "url" {
		t.Errorf("a second one is told %s", again.text)
	}
}

// TestFailedInstall: a client hears why, and another request for the same place is not in the way of the first.
func TestFailedInstall(t *testing.T) {
	p := newPanel(t)
	var list api.InstallList
	done := make(chan reply)
	try := func() {
		done <- p.ask("cmd=install", "application=blog", "url=fail.example", "db_host=db:3307", "db_name=n", "db_user=u", "db_pass=first")
	}
	go try()
	failed := play(t, p.namespace, &list, func(in *api.Install) {
		in.Status.ObservedGeneration, in.Status.Conditions = in.Generation, stalled(api.ReasonFailed, "the database cannot be reached: check db_host")
	})
	got := <-done
	if got.ErrCode != "failed_install" || got.Message != "Error: the database cannot be reached: check db_host\n" || string(got.Data) != "null" {
		t.Errorf("the reply is %s", got.text)
	}
	if e := failed.Spec.Database.Existing; e.Host != "db" || e.Port != 3307 || e.Name != "n" || e.User != "u" {
		t.Errorf("the database is %+v", e)
	}
	go try()
	eventually(t, "the failed one to make room", func() error {
		err := world.List(t.Context(), &list, client.InNamespace(p.namespace))
		if len(list.Items) == 1 && list.Items[0].UID != failed.UID {
			return err
		}
		return fmt.Errorf("there are %d", len(list.Items))
	})
	play(t, p.namespace, &list, serving("6.10"))
	if got := <-done; !got.Result {
		t.Errorf("the second reply is %s", got.text)
	}
}

// TestRace: of fifty identical requests one makes the site, and every other is told so. No password is left over.
func TestRace(t *testing.T) {
	p := newPanel(t)
	replies := make([]reply, 50)
	var group sync.WaitGroup
	for i := range replies {
		group.Go(func() {
			replies[i] = p.ask("cmd=install", "application=blog", "url=http://race.example/", "passwd=p", "background=quick")
		})
	}
	group.Wait()
	won := 0
	for _, r := range replies {
		switch {
		case r.Result:
			won++
		case r.ErrCode != "invalid_argument_url":
			t.Errorf("a loser is told %s", r.text)
		}
	}
	var secrets corev1.SecretList
	if err := world.List(t.Context(), &secrets, client.InNamespace(p.namespace)); err != nil {
		t.Fatal(err)
	}
	if won != 1 || len(secrets.Items) != 1 {
		t.Errorf("%d won, and there are %d Secrets", won, len(secrets.Items))
	}
}

func TestErrors(t *testing.T) {
	p := newPanel(t)
	_, id := p.site("errors.example")
	for request, want := range map[string]string{
		"":                                    "empty_argument_cmd",
		"cmd=nonsense":                        "invalid_argument_cmd",
		"cmd=installs&api=xml":                "invalid_argument_api",
		"cmd=install":                         "empty_argument_application",
		"cmd=install&application=blog":        "empty_argument_url",
		"cmd=install&application=no&url=a.b":  "application_not_found",
		"cmd=install&application=blog&url=%%": "invalid_argument",
		"cmd=install&application=blog&url=http://":                                     "invalid_argument_url",
		"cmd=install&application=blog&url=ftp://a.b/":                                  "invalid_argument_url",
		"cmd=install&application=blog&url=a.b&version=1.0":                             "invalid_argument_version",
		"cmd=install&application=blog&url=a.b&language=xx":                             "invalid_argument_language",
		"cmd=install&application=blog&url=a.b&url_ip=here":                             "invalid_argument_url_ip",
		"cmd=install&application=blog&url=a.b&db_name=n":                               "empty_argument_db_host",
		"cmd=install&application=blog&url=a.b&db=manual":                               "empty_argument_db_host",
		"cmd=install&application=blog&url=a.b&autoup=9":                                "invalid_argument_autoup",
		"cmd=install&application=blog&url=a.b&autobk=daily":                            "invalid_argument_autobk",
		"cmd=install&application=blog&url=a.b&autobk=custom&autobk_daily=x":            "invalid_argument_autobk_daily",
		"cmd=install&application=blog&url=a.b&autobk=custom&autobk_daily=999&dryrun=2": "invalid_argument_autobk_daily",
		"cmd=install&application=blog&url=a.b&bkloc=gopher://x":                        "invalid_argument_bkloc",
		"cmd=install&application=blog&url=a.b&notification=weather&dryrun=2":           "invalid_argument_notification",
		"cmd=install&application=blog&url=a.b&login=%3Cb%3E&dryrun=2":                  "invalid_argument_login",
		"cmd=install&application=blog&url=a.b&email=nobody&dryrun=2":                   "invalid_argument_email",
		"cmd=install&application=blog&url=a.b/../c&dryrun=2":                           "invalid_argument_url",
		"cmd=install&application=blog&url=errors.example&user=nobody":                  "user_not_found",
		"cmd=browser&application=no":                                                   "application_not_found",
		"cmd=browser&version=6.8.7":                                                    "invalid_argument_application",
		"cmd=browser&application=blog&version=1":                                       "invalid_argument_version",
		"cmd=installs&user=nobody":                                                     "user_not_found",
		"cmd=installs&id=nothing":                                                      "install_not_found",
		"cmd=view":                                                                     "empty_argument_id",
		"cmd=view&id=0":                                                                "install_not_found",
		"cmd=edit&id=0":                                                                "install_not_found",
		"cmd=edit&id=" + id + "&url=http://b.c/../d":                                   "invalid_argument_url",
		"cmd=edit&id=" + id + "&language=xx":                                           "invalid_argument_language",
		"cmd=edit&id=" + id + "&email=nobody":                                          "invalid_argument_email",
		"cmd=edit&id=" + id + "&db_prefix=x_":                                          "invalid_argument_db_prefix",
		"cmd=edit&id=" + id + "&db_pass=another":                                       "invalid_argument_db_pass",
		"cmd=backup&id=0":                                                              "install_not_found",
		"cmd=backup&id=" + id + "&expiry=soon":                                         "invalid_argument_expiry",
		"cmd=clone&id=" + id:                                                           "empty_argument_url",
		"cmd=clone&id=" + id + "&url=http://errors.example/x y":                        "invalid_argument_url",
		"cmd=upgrade&id=" + id + "&version=0.1":                                        "invalid_argument_version",
		"cmd=upgrade&id=" + id + "&revert=perhaps":                                     "invalid_argument_revert",
		"cmd=restore&id=" + id:                                                         "backup_not_found",
		"cmd=uninstall&id=0":                                                           "install_not_found",
		"cmd=delete&id=" + id:                                                          "backup_not_found",
		"cmd=import&application=blog&url=a.b":                                          "not_supported",
		"cmd=importbackup":                                                             "empty_argument_path",
		"cmd=importbackup&user=nobody&path=y":                                          "user_not_found",
		"cmd=importbackup&path=../y":                                                   "invalid_argument_path",
		"cmd=tasks&user=nobody":                                                        "user_not_found",
	} {
		query := request
		if !strings.HasSuffix(request, "%%") {
			values, err := url.ParseQuery(request)
			if err != nil {
				t.Fatal(err)
			}
			query = values.Encode()
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, world.http.URL+"/?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-KEY", p.key)
		got := do(t, r)
		if got.Result || got.ErrCode != want || !strings.HasPrefix(got.Message, "Error: ") || !strings.HasSuffix(got.Message, "\n") || string(got.Data) != "null" || got.status != http.StatusOK {
			t.Errorf("%s: %d %s, not %s", request, got.status, got.text, want)
		}
	}
}

func TestDryRun(t *testing.T) {
	p := newPanel(t)
	for _, n := range []string{"1", "2"} {
		if got := p.well("cmd=install", "application=blog", "url=dry.example", "passwd=x", "bkloc=ftp://u:p@f.example/", "dryrun="+n); string(got.Data) != "null" {
			t.Errorf("the reply is %s", got.text)
		}
	}
	for _, list := range []client.ObjectList{&api.InstallList{}, &corev1.SecretList{}, &api.BackupLocationList{}} {
		if err := world.List(t.Context(), list, client.InNamespace(p.namespace)); err != nil {
			t.Fatal(err)
		}
		if n := meta.LenList(list); n != 0 {
			t.Errorf("a dry run made %d of %T", n, list)
		}
	}
}

func TestLists(t *testing.T) {
	p := newPanel(t)
	if got := p.well("cmd=installs"); string(got.Data) != "[]" {
		t.Errorf("nothing is %s", got.Data)
	}
	first, id := p.site("one.example")
	p.site("two.example")
	first.Status.LatestVersion = "6.8.12"
	if err := world.Status().Update(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	p.known(first)
	for query, want := range map[string]int{
		"q=ONE": 1, "q=Site of": 2, "q=" + id: 1, "q=blog": 2, "q=" + p.name: 2, "q=nothing": 0, "id=" + id: 1,
		"filter-version-available=yes": 1, "filter-version-available-minor=yes": 1, "filter-ownedaccounts=": 2, "user=" + p.name: 2,
	} {
		if rows := p.well("cmd=installs", query).rows(t); len(rows) != want {
			t.Errorf("%s finds %d, not %d", query, len(rows), want)
		}
	}
	row := p.well("cmd=view", "id="+id).row(t)
	if row["cf-passwd"] != "admin's password" || row["db-pass"] != "database's password" {
		t.Errorf("the passwords are %v and %v", row["cf-passwd"], row["db-pass"])
	}
	for _, row := range p.well("cmd=installs").rows(t) {
		if row["db-pass"] != "" {
			t.Errorf("a list has passwords: %v", row)
		}
	}
	for query, want := range map[string]int{"application=blog": 4, "application[]=blog": 4, "": 1, "application=blog&from-version=6.8.7": 3, "application=blog&version=6.8.7": 1} {
		if rows := p.well(append([]string{"cmd=browser"}, strings.Split(query, "&")...)...).rows(t); len(rows) != want {
			t.Errorf("browser with %s finds %d, not %d", query, len(rows), want)
		}
	}
	rows := p.well("cmd=browser", "application=blog", "from-version=6.8.7").rows(t)
	if rows[0]["upgrade_from"] != "none" || rows[1]["upgrade_from"] != "auto" || rows[1]["upgrade"] != "minor" || rows[2]["upgrade"] != "major" || rows[2]["version"] != "6.10" {
		t.Errorf("from 6.8.7 there are %v", rows)
	}
	from := p.well("cmd=browser", "application=blog", "versions-available-from=6.8.7").row(t)
	if fmt.Sprint(from) != "map[versions-available:[6.8.12 6.10] versions-available-minor:[6.8.12]]" {
		t.Errorf("available are %v", from)
	}
}

func TestTasks(t *testing.T) {
	p := newPanel(t)
	in, id := p.site("tasks.example")
	end := func(s *api.TaskStatus) {
		s.ObservedGeneration, s.Conditions = 1, ready("done")
		s.StartTime, s.CompletionTime = new(metav1.Now()), new(metav1.Now())
	}
	done := make(chan reply)
	ask := func(arguments ...string) { done <- p.ask(arguments...) }

	go ask("cmd=backup", "id="+id, "expiry=auto")
	var list api.BackupList
	b := play(t, p.namespace, &list, func(b *api.Backup) {
		end(&b.Status.TaskStatus)
		b.Status.Snapshot = &api.SnapshotStatus{ID: "0123456789abcdef", Location: "here", Bytes: 10, Time: new(metav1.Now())}
		b.Status.Application, b.Status.URL, b.Status.Title, b.Status.Install = "blog", "http://tasks.example/My-blog", "Site", in.Name
	})
	got := <-done
	backupID := ID(b.UID)
	row := got.row(t)
	if b.Spec.TTL.Duration != autoExpiry || row["id"] != backupID || row["pid"] != id || !strings.HasPrefix(row["backup-filename"].(string), "blog_tasks-example_My-blog_2") {
		t.Errorf("the backup is %s", got.text)
	}
	p.known(b)
	for query, want := range map[string]int{"pid=" + id: 1, "pid=other": 0, "id=" + backupID: 1, "q=my-blog": 1, "q=other": 0} {
		if rows := p.well("cmd=backups", query).rows(t); len(rows) != want {
			t.Errorf("%s finds %d, not %d", query, len(rows), want)
		}
	}

	go ask("cmd=clone", "id="+id, "url=copy.example")
	c := play(t, p.namespace, &api.CloneList{}, func(c *api.Clone) {
		if err := world.Get(t.Context(), client.ObjectKey{Namespace: p.namespace, Name: c.Spec.To.Name}, &api.Install{}); apierrors.IsNotFound(err) {
			made := &api.Install{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: c.Spec.To.Name}, Spec: api.InstallSpec{Application: "blog", URL: c.Spec.To.URL}}
			made.Spec.Bootstrap = &api.BootstrapSpec{Clone: &api.CloneBootstrap{SourceRef: c.Spec.SourceRef}}
			if err := world.Create(t.Context(), made); err != nil {
				t.Error(err)
			}
		}
		end(&c.Status.TaskStatus)
	})
	if got := <-done; got.row(t)["url"] != "http://copy.example/" || c.Spec.SourceRef.Name != in.Name {
		t.Errorf("the copy is %s", got.text)
	}

	go ask("cmd=update", "id="+id, "revert=yes", "plugin=a,b", "theme=*", "version=6.8.12")
	u := play(t, p.namespace, &api.UpgradeList{}, func(u *api.Upgrade) { end(&u.Status.TaskStatus) })
	if got := <-done; !got.Result || !u.Spec.Backup || fmt.Sprint(u.Spec.Plugins, u.Spec.Themes) != "[a b] [*]" {
		t.Errorf("the upgrade is %+v: %s", u.Spec, got.text)
	}

	go ask("cmd=importbackup", "path=/old/site.tar.gz", "background=quick")
	if got := <-done; got.Task["cmd"] != "importbackup" || got.Task["backup"] == "" {
		t.Errorf("the import is %s", got.text)
	}
	if err := world.List(t.Context(), &list, client.InNamespace(p.namespace)); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		if imported := &list.Items[i]; imported.Spec.Archive != nil {
			if err := world.Delete(t.Context(), imported); err != nil || imported.Spec.Archive.Path != "old/site.tar.gz" {
				t.Errorf("the import is %+v: %v", imported.Spec, err)
			}
		}
	}
	go ask("cmd=restore", "id="+backupID, "background=1")
	r := play(t, p.namespace, &api.RestoreList{}, func(r *api.Restore) {
		r.Status.ObservedGeneration, r.Status.StartTime = 1, new(metav1.Now())
		r.Status.Conditions = ready("working")
		r.Status.Conditions[0].Status, r.Status.Conditions[0].Reason = metav1.ConditionFalse, api.ReasonQueued
	})
	got = <-done
	if got.Task["status"] != "queued" || got.Task["cmd"] != "restore" || got.Task["install"] != id || got.Task["backup"] != backupID || got.Task["id"] != ID(r.UID) {
		t.Errorf("the restore is %s", got.text)
	}

	// A task that is refused before it began is told of, and is not left to begin later.
	go ask("cmd=backup", "id="+id, "background=1")
	eventually(t, "a second backup", func() error {
		if err := world.List(t.Context(), &list, client.InNamespace(p.namespace)); err != nil || len(list.Items) < 2 {
			return fmt.Errorf("%d: %w", len(list.Items), err)
		}
		return nil
	})
	for i := range list.Items {
		if refused := &list.Items[i]; refused.UID != b.UID {
			refused.Status.ObservedGeneration, refused.Status.Conditions = 1, stalled(api.ReasonInvalidSpec, "there is no location: set one")
			if err := world.Status().Update(t.Context(), refused); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := <-done; got.ErrCode != "failed_backup" || got.Message != "Error: there is no location: set one\n" {
		t.Errorf("the refusal is %s", got.text)
	}
	if err := world.List(t.Context(), &list, client.InNamespace(p.namespace)); err != nil || len(list.Items) != 1 {
		t.Errorf("there are %d backups: %v", len(list.Items), err)
	}

	commands := map[string]int{}
	for _, task := range p.well("cmd=tasks").rows(t) {
		commands[task["cmd"].(string)]++
	}
	if fmt.Sprint(commands) != "map[backup:1 clone:1 delete:2 install:1 restore:1 upgrade:1]" {
		t.Errorf("the tasks are %v", commands)
	}
	if got := p.well("cmd=delete", "id="+backupID); string(got.Data) != "[]" {
		t.Errorf("the reply is %s", got.text)
	}
	if got := p.well("cmd=uninstall", "id="+id); string(got.Data) != "[]" {
		t.Errorf("the reply is %s", got.text)
	}
	if task := p.well("cmd=tasks", "id="+id).rows(t)[0]; task["cmd"] != "uninstall" || task["status"] != "complete" {
		t.Errorf("the task is %v", task)
	}
}

func TestEdit(t *testing.T) {
	p := newPanel(t)
	in, id := p.site("edit.example")
	schedule := &api.BackupSchedule{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "nightly"}, Spec: api.BackupScheduleSpec{At: "02:00", Keep: api.KeepSpec{Daily: new(int32(3))}}}
	if err := world.Create(t.Context(), schedule); err != nil {
		t.Fatal(err)
	}
	p.known(schedule)
	row := p.well("cmd=edit", "id="+id, "autoup=2", "autobk="+ID(schedule.UID), "notification=", "bkloc=webdavs://u:p@dav.example/x").row(t)
	if row["autoup"] != "2" || row["autobk"] != ID(schedule.UID) || row["notification"] != "" || row["autoup_backup"] != "1" {
		t.Errorf("the site is %v", row)
	}
	if err := world.Get(t.Context(), client.ObjectKeyFromObject(in), in); err != nil {
		t.Fatal(err)
	}
	p.known(in)
	place := in.Spec.Backups.LocationRef.Name
	row = p.well("cmd=edit", "id="+id, "autobk=custom", "autobk_weekly=2", "url=http://edit.example", "passwd=admin's password", "bkloc=webdavs://u:another@dav.example/x").row(t)
	if row["autobk"] != "custom" || row["autobk_weekly"] != 2.0 || row["autoup"] != "2" {
		t.Errorf("the site is %v", row)
	}
	var secret corev1.Secret
	if err := world.Get(t.Context(), client.ObjectKey{Namespace: p.namespace, Name: place}, &secret); err != nil || string(secret.Data["password"]) != "another" || len(secret.OwnerReferences) != 1 {
		t.Errorf("the login is %s, owned by %+v: %v", secret.Data, secret.OwnerReferences, err)
	}
	backup := &api.Backup{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "kept", Finalizers: []string{"test/keeps"}}}
	backup.Spec.InstallRef = &api.LocalReference{Name: in.Name}
	if err := world.Create(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	p.well("cmd=edit", "id="+id, "delete-backups=true")
	if err := world.Get(t.Context(), client.ObjectKeyFromObject(backup), backup); err != nil || backup.DeletionTimestamp == nil || backup.Spec.DeletionPolicy != api.DeletionOrphan {
		t.Errorf("the backup is %+v: %v", backup, err)
	}
	backup.Finalizers = nil
	if err := world.Update(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	p.well("cmd=edit", "id="+id, "delete=true")
	if got := p.ask("cmd=view", "id="+id); got.ErrCode != "install_not_found" {
		t.Errorf("it is still there: %s", got.text)
	}
}

// editing sends an edit, and plays the controllers when the Install has changed.
func (p *panel) editing(in *api.Install, status func(*api.Install), arguments ...string) reply {
	p.t.Helper()
	done := make(chan reply, 1)
	go func() { done <- p.ask(append([]string{"cmd=edit", "id=" + ID(in.UID)}, arguments...)...) }()
	before := in.Generation
	eventually(p.t, "the Install to be changed", func() error {
		if err := world.Get(p.t.Context(), client.ObjectKeyFromObject(in), in); err != nil {
			return err
		}
		if in.Generation == before {
			return errors.New("it has not changed")
		}
		return nil
	})
	select {
	case r := <-done:
		p.t.Fatalf("the edit was answered before the site had it: %s", r.text)
	case <-time.After(200 * time.Millisecond):
	}
	status(in)
	if err := world.Status().Update(p.t.Context(), in); err != nil {
		p.t.Fatal(err)
	}
	return <-done
}

func TestEditSettings(t *testing.T) {
	p := newPanel(t)
	in, _ := p.site("settings.example")
	secrets := func() (names []string) {
		var list corev1.SecretList
		if err := world.List(t.Context(), &list, client.InNamespace(p.namespace), client.MatchingLabels{api.LabelInstall: in.Name}); err != nil {
			t.Fatal(err)
		}
		for _, s := range list.Items {
			names = append(names, s.Name)
		}
		return names
	}
	edits := []string{"url=HTTP://New.example/deep", "sitetitle=New", "language=ZH-tw", "login=chief", "email=a@b.example", "passwd=new password", "sitetagline=short"}
	r := p.editing(in, serving("6.8.7"), edits...)
	spec := in.Spec
	if !r.Result || spec.URL != "http://new.example/deep" || spec.Title != "New" || spec.Language != "zh_tw" || spec.Admin.Login != "chief" || spec.Admin.Email != "a@b.example" || spec.Fields["sitetagline"] != "short" {
		t.Fatalf("%s: the spec is %+v", r.text, spec)
	}
	first := secrets()
	var secret corev1.Secret
	if err := world.Get(t.Context(), client.ObjectKey{Namespace: p.namespace, Name: spec.Admin.PasswordSecretRef.Name}, &secret); err != nil || len(first) != 1 ||
		string(secret.Data[spec.Admin.PasswordSecretRef.Key]) != "new password" || secret.OwnerReferences[0].UID != in.UID {
		t.Fatalf("the password is in %+v of %v: %v", secret, first, err)
	}
	if row := r.row(t); row["url"] != "http://new.example/deep" || row["title"] != "New" {
		t.Errorf("the reply is %s", r.text)
	}
	p.known(in)

	// What the site cannot have is taken back; the password before stays.
	r = p.editing(in, func(in *api.Install) {
		in.Status.ObservedGeneration, in.Status.Conditions = in.Generation, stalled(api.ReasonFailed, "the disk is full")
	}, "sitetitle=Newer", "passwd=newer password", "url=http://newer.example")
	if r.Result || r.ErrCode != "failed_edit" || !strings.Contains(r.Message, "the disk is full") {
		t.Errorf("the reply is %s", r.text)
	}
	if err := world.Get(t.Context(), client.ObjectKeyFromObject(in), in); err != nil || !reflect.DeepEqual(in.Spec, spec) || !reflect.DeepEqual(secrets(), first) {
		t.Errorf("the spec is %+v with %v, and was %+v with %v: %v", in.Spec, secrets(), spec, first, err)
	}
	serving("6.8.7")(in)
	if err := world.Status().Update(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	p.known(in)
	r = p.editing(in, serving("6.8.7"), "passwd=third password")
	if got := secrets(); !r.Result || len(got) != 1 || got[0] == first[0] {
		t.Errorf("%s: the Secrets are %v after %v", r.text, got, first)
	}

}

// TestInstallWhereASiteHasMovedAway: the Install that has the name of the URL is elsewhere.
func TestInstallWhereASiteHasMovedAway(t *testing.T) {
	p := newPanel(t)
	u, err := siteURL("moved.example")
	if err != nil {
		t.Fatal(err)
	}
	in := &api.Install{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: siteName(u)}, Spec: api.InstallSpec{Application: "blog", URL: "http://elsewhere.example/"}}
	if err := world.Create(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	serving("6.8.7")(in)
	if err := world.Status().Update(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	p.well("cmd=install", "application=blog", "url=http://moved.example", "background=2")
	var list api.InstallList
	if err := world.List(t.Context(), &list, client.InNamespace(p.namespace)); err != nil || len(list.Items) != 2 {
		t.Fatalf("the Installs are %+v: %v", list.Items, err)
	}
}

// TestTenancy: no command reaches across a border, and none tells whether there is something beyond it.
func TestTenancy(t *testing.T) {
	alice := newPanel(t)
	bob := newPanel(t)
	reseller := newPanel(t)
	customer := newPanel(t, func(u *access.User) { u.Name, u.Owner = "customer-"+u.Name[len(u.Name)-9:], reseller.name })
	admin := newPanel(t, func(u *access.User) { u.Name, u.Administrator = "admin-"+u.Name[len(u.Name)-9:], true })
	site, id := alice.site("alice.example")
	_, owned := customer.site("customer.example")
	backup := &api.Backup{ObjectMeta: metav1.ObjectMeta{Namespace: alice.namespace, Name: "b"}, Spec: api.BackupSpec{InstallRef: &api.LocalReference{Name: site.Name}}}
	if err := world.Create(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	alice.known(backup)
	for _, stranger := range []*panel{bob, reseller, customer} {
		where := map[string]string{"clone": "url=http://x.example"}
		for command, missing := range map[string]string{
			"installs": "install_not_found", "view": "install_not_found", "edit": "install_not_found", "backup": "install_not_found", "clone": "install_not_found",
			"upgrade": "install_not_found", "uninstall": "install_not_found", "backups": "backup_not_found", "restore": "backup_not_found", "delete": "backup_not_found",
		} {
			target := id
			if strings.HasPrefix(missing, "backup") {
				target = ID(backup.UID)
			}
			began := time.Now()
			there := stranger.ask("cmd="+command, "id="+target, where[command])
			if took := time.Since(began); took < lag {
				t.Errorf("%s to %s: that there is something is told by the time, %s", command, stranger.name, took)
			}
			nowhere := stranger.ask("cmd="+command, "id=0123456789012345678901234", where[command])
			if there.ErrCode != missing || there.text != nowhere.text {
				t.Errorf("%s to %s: %s, and of nothing %s", command, stranger.name, there.text, nowhere.text)
			}
		}
		for _, command := range []string{"installs", "backups", "tasks", "install"} {
			there, nowhere := stranger.ask("cmd="+command, "user="+alice.name, "application=blog", "url=y.example"), stranger.ask("cmd="+command, "user=nobody-at-all", "application=blog", "url=y.example")
			if there.ErrCode != "user_not_found" || there.text != nowhere.text {
				t.Errorf("%s for another: %s, and for nobody %s", command, there.text, nowhere.text)
			}
		}
	}
	count := func(p *panel, arguments ...string) int {
		return len(p.well(append(arguments, "cmd=installs")...).rows(t))
	}
	if n := count(reseller); n != 0 {
		t.Errorf("the reseller has %d sites", n)
	}
	if n := count(reseller, "filter-ownedaccounts="); n != 1 {
		t.Errorf("the reseller's customers have %d sites", n)
	}
	if n := count(reseller, "user="+customer.name); n != 1 {
		t.Errorf("the customer has %d sites", n)
	}
	if row := reseller.well("cmd=view", "id="+owned).row(t); row["owner"] != customer.name {
		t.Errorf("the owner is %v", row["owner"])
	}
	if n := count(admin, "filter-ownedaccounts="); n < 2 {
		t.Errorf("the administrator sees %d sites", n)
	}
	if n := count(admin, "user="+alice.name); n != 1 {
		t.Errorf("the administrator sees %d sites of alice", n)
	}
	got := admin.well("cmd=install", "user="+bob.name, "application=blog", "url=for-bob.example", "background=quick")
	if got.Task["user"] != bob.name {
		t.Errorf("it was made for %v", got.Task["user"])
	}
}

// TestCallers: whoever has no credentials that are of use is denied, in one way.
func TestCallers(t *testing.T) {
	p := newPanel(t)
	request := func(header, value, query string) reply {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, world.http.URL+"/installatron/?cmd=installs&"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			r.Header.Set(header, value)
		}
		return do(t, r)
	}
	basic := func(user, password string) string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: access.AccountName}}
	token := &authenticationv1.TokenRequest{}
	if err := world.SubResource("token").Create(t.Context(), account, token); err != nil {
		t.Fatal(err)
	}
	_, id := p.site("callers.example")
	for name, r := range map[string]reply{
		"a service account's token": request("Authorization", "Bearer "+token.Status.Token, "id="+id),
		"the token as a password":   request("Authorization", basic(p.name, token.Status.Token), "id="+id),
		"X-API-KEY":                 request("X-Api-Key", p.key, ""), "key": request("", "", "key="+p.key), "bearer": request("Authorization", "Bearer "+p.key, ""),
		"WHM": request("Authorization", "WHM root:"+p.key, ""), "basic": request("Authorization", basic(p.name, p.key), ""), "cp": request("", "", "cp-username="+p.name+"&cp-password="+p.key),
	} {
		if !r.Result {
			t.Errorf("%s: %s", name, r.text)
		}
	}
	for name, r := range map[string]reply{
		"nothing": request("", "", ""), "no token": request("Authorization", "Bearer "+token.Status.Token+"x", ""), "a cookie": request("Cookie", "key="+p.key, ""), "another's name": request("Authorization", basic("another", p.key), ""),
	} {
		if r.ErrCode != "invalid_api_key" || r.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
	}
	// Who may see a site, and not its Secrets, sees no passwords.
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "looks"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{api.GroupVersion.Group}, Resources: []string{"installs"}, Verbs: []string{"get", "list"}},
	}}
	other := newPanel(t)
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "looks"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "looks"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: other.namespace, Name: access.AccountName}},
	}
	for _, o := range []client.Object{role, binding} {
		if err := world.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if row := other.well("cmd=view", "id="+id).row(t); row["url"] != "http://callers.example/" || row["cf-passwd"] != "" || row["db-pass"] != "" {
		t.Errorf("who may not read Secrets sees %v", row)
	}
	if got := other.ask("cmd=backup", "id="+id); got.ErrCode != "permission_denied" || got.status != http.StatusForbidden {
		t.Errorf("who may not make a Backup is told %d %s", got.status, got.text)
	}
	keys, err := world.users.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.User == p.name {
			if err := world.users.DeleteKey(t.Context(), k.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	var secrets corev1.SecretList
	if err := world.List(t.Context(), &secrets, client.InNamespace(keysNamespace)); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(secrets)
	if err != nil || strings.Contains(string(text), p.key) {
		t.Errorf("a key is kept: %v", err)
	}
}

// TestDrain: when the program ends, who waits is answered with the task.
func TestDrain(t *testing.T) {
	p := newPanel(t)
	drain := make(chan struct{})
	server, err := newServer(t.Context(), drain)
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(server)
	defer listening.Close()
	p.server = listening.URL
	done := make(chan reply)
	go func() { done <- p.ask("cmd=install", "application=blog", "url=drain.example") }()
	eventually(t, "the Install", func() error {
		var list api.InstallList
		if err := world.List(context.WithoutCancel(t.Context()), &list, client.InNamespace(p.namespace)); err != nil || len(list.Items) == 0 {
			return fmt.Errorf("there is none: %w", err)
		}
		return nil
	})
	close(drain)
	if got := <-done; !got.Result || got.Task["status"] != "processing" {
		t.Errorf("the reply is %s", got.text)
	}
}

// TestLongWait: the time that a request may take to arrive does not bound how long it waits for its task.
func TestLongWait(t *testing.T) {
	p := newPanel(t)
	server, err := newServer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewUnstartedServer(server)
	listening.Config.ReadTimeout = 300 * time.Millisecond
	listening.Listener = wire.Listen(listening.Listener)
	listening.Start()
	defer listening.Close()
	p.server = listening.URL
	done := make(chan reply)
	go func() { done <- p.ask("cmd=install", "application=blog", "url=long.example") }()
	time.Sleep(time.Second)
	play(t, p.namespace, &api.InstallList{}, serving("6.10"))
	if got := <-done; !got.Result {
		t.Errorf("the reply is %s", got.text)
	}
}
