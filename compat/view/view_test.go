package view

import (
	"encoding/json"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

var noon = metav1.NewTime(time.Date(2021, 1, 1, 12, 0, 0, 0, time.UTC))

func golden(t *testing.T, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil || string(text) != want {
		t.Errorf("got\n%s\nnot\n%s (%v)", text, want, err)
	}
}

func site() *api.Install {
	in := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "blog", Namespace: "acme", CreationTimestamp: noon, Generation: 1}}
	in.Spec = api.InstallSpec{
		Application: "wordpress", URL: "http://example.com/My-blog", Title: "My blog", Updates: &api.UpdatesSpec{Policy: api.UpdateMinor},
		Backups: &api.BackupsSpec{Daily: new(int32(2))}, Notifications: &api.NotificationsSpec{Events: []api.NotificationEvent{"update", "install"}},
	}
	in.Status = api.InstallStatus{
		ObservedGeneration: 1, Generation: 1, Version: "6.8.7", LatestVersion: "6.8.12", URL: "http://example.com/My-blog",
		Database: &api.DatabaseStatus{Server: "main", Name: "sw_1", User: "sw", Prefix: "wp_"}, Admin: &api.AdminStatus{Login: "boss"},
		Size:       &api.SizeStatus{Files: 3, Bytes: 100, DatabaseBytes: 50},
		Conditions: []metav1.Condition{{Type: api.ConditionReady, Status: metav1.ConditionTrue, Message: "serving generation 1"}},
	}
	return in
}

func TestInstall(t *testing.T) {
	around := &Around{ID: "1", Owner: "acme", AdminPath: "wp-admin/", DatabaseHost: "db.test", Location: "ftp://backup.test/x", Backups: 4}
	golden(t, OfInstall(site(), around), `{"id":"1","installer":"wordpress","version":"6.8.7","version-latest":"6.8.12","language":"en","time":1609502400,"agent":"sitewright","owner":"acme",`+
		`"path":"/site/www","file":"/site/www","path-created":true,"url":"http://example.com/My-blog","url-domain":"example.com","db-host":"db.test","db-type":"mysql","db-name":"sw_1","db-user":"sw",`+
		`"db-pass":"","db-prefix":"wp_","title":"My blog","list-files":[],"list-tables":[],"autoup":"1","autoup_backup":"1","autobk":"custom","autobk_daily":2,"autobk_weekly":null,"autobk_monthly":null,`+
		`"bkloc":"ftp://backup.test/x","notification":"update,install","cf-login":"boss","cf-passwd":"","cf-email":"admin@example.com","cf-sitetitle":"My blog","cf-sitetagline":"",`+
		`"cf-limitloginattempts":"no","link-admin":"http://example.com/My-blog/wp-admin/","cache-tables":50,"cache-files":100,"cache-time":1609502400,"cache-numbackups":4,"status":"serving",`+
		`"status-message":"serving generation 1"}`)
}

func TestBackup(t *testing.T) {
	b := &api.Backup{ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: "acme", CreationTimestamp: noon}, Spec: api.BackupSpec{Note: "before the move"}}
	b.Status = api.BackupStatus{
		Application: "wordpress", Version: "6.8.7", URL: "http://example.com/My-blog", Title: "My blog",
		Snapshot: &api.SnapshotStatus{ID: "0", Location: "here", Time: &noon, Bytes: 100, DatabaseBytes: 50}, Database: &api.DatabaseStatus{Name: "sw_1", User: "sw", Prefix: "wp_"},
	}
	golden(t, OfBackup(b, site(), &Around{ID: "2", Owner: "acme", DatabaseHost: "db.test"}), `{"id":"2","pid":"","installer":"wordpress","owner":"acme",`+
		`"backup-filename":"wordpress_example-com_My-blog_2021-01-01_12-00-00.tar.gz","backup-note":"before the move","bkloc":"","path":"/site/www","file":"/site/www","version":"6.8.7","time":1609502400,`+
		`"time-expires":0,"size":150,"list-files":[],"url":"http://example.com/My-blog","url-domain":"example.com","title":"My blog","cf-email":"admin@example.com","db-host":"db.test","db-name":"sw_1",`+
		`"db-user":"sw","db-pass":"","db-prefix":"wp_"}`)
}

func TestTask(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: "because"}
	}
	working := []metav1.Condition{condition(api.ConditionReady, metav1.ConditionFalse, api.ReasonProgressing)}
	for name, c := range map[string]struct {
		work Work
		want string
	}{
		"new": {Work{Command: "backup", Began: noon.Time}, `{"id":"","user":"","ws_label":"","url":"","title":"","label":"_tasks_backuping","status":"processing","rate":0,"percentMin":0,"percentMax":0,` +
			`"message":"","cmd":"backup","install":"","time":1609502400}`},
		"in the middle": {Work{Command: "clone", Began: noon.Time, Conditions: working, Progress: &api.Progress{Percent: 50, Until: 99, Rate: 10150, Message: "copying files"}},
			`{"id":"","user":"","ws_label":"","url":"","title":"","label":"_tasks_cloning","status":"processing","rate":10150,"percentMin":50,"percentMax":99,` +
				`"message":"copying files","cmd":"clone","install":"","time":1609502400}`},
		"queued": {Work{Command: "restore", Began: noon.Time, Conditions: []metav1.Condition{condition(api.ConditionReady, metav1.ConditionFalse, api.ReasonQueued)}},
			`{"id":"","user":"","ws_label":"","url":"","title":"","label":"_tasks_restoring","status":"queued","rate":0,"percentMin":0,"percentMax":0,` +
				`"message":"because","cmd":"restore","install":"","time":1609502400}`},
		"failed": {Work{Command: "upgrade", Began: noon.Time, Ended: noon.Time, Progress: &api.Progress{Percent: 50, Until: 60, Rate: 5, Message: "copying"},
			Conditions: append(working, condition(api.ConditionStalled, metav1.ConditionTrue, api.ReasonFailed))},
			`{"id":"","user":"","ws_label":"","url":"","title":"","label":"_tasks_upgrading","status":"error","rate":0,"percentMin":50,"percentMax":50,` +
				`"message":"because","cmd":"upgrade","install":"","time":1609502400}`},
		"done": {Work{Command: "upgrade", Began: noon.Time, Ended: noon.Time, Progress: &api.Progress{Percent: 100, Message: "done"},
			Conditions: []metav1.Condition{condition(api.ConditionReady, metav1.ConditionTrue, api.ReasonSucceeded)}},
			`{"id":"","user":"","ws_label":"","url":"","title":"","label":"_tasks_upgrading","status":"complete","rate":0,"percentMin":100,"percentMax":100,` +
				`"message":"done","cmd":"upgrade","install":"","time":1609502400}`},
	} {
		t.Run(name, func(t *testing.T) { golden(t, OfWork(c.work), c.want) })
	}
}

func TestInstalling(t *testing.T) {
	in := site()
	serving := metav1.Condition{Type: api.ConditionServing, Status: metav1.ConditionTrue, Message: "answers", LastTransitionTime: noon}
	in.Status.Conditions = append(in.Status.Conditions, serving)
	if w := OfInstalling(in); !w.Over() || w.Failed() || !w.Ended.Equal(noon.Time) {
		t.Errorf("of a site that serves: %+v", w)
	}
	// An edit that cannot be is not how the installation went.
	in.Status.Conditions = append(in.Status.Conditions, metav1.Condition{Type: api.ConditionStalled, Status: metav1.ConditionTrue})
	if w := OfInstalling(in); !w.Over() || w.Failed() {
		t.Errorf("of a site that serves, with an edit that cannot be: %+v", w)
	}
	in.DeletionTimestamp = &noon
	if w := OfInstalling(in); w.Over() || w.Command != "uninstall" {
		t.Errorf("of one that is being deleted: %+v", w)
	}
	fresh := &api.Install{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
	fresh.Status.Conditions = []metav1.Condition{{Type: api.ConditionReady, Status: metav1.ConditionTrue}}
	if w := OfInstalling(fresh); w.Over() || len(w.Conditions) != 0 {
		t.Errorf("of what nobody has looked at: %+v", w)
	}
}

func TestRelease(t *testing.T) {
	space := resource.MustParse("40Mi")
	app := &api.Application{ObjectMeta: metav1.ObjectMeta{Name: "blog"}}
	app.Spec = api.ApplicationSpec{
		DisplayName: "Blog", TablePrefix: "b_", Releases: []api.Release{
			{Version: "1.0", Branch: "1", Requirements: api.Requirements{PHP: "7.1-,5.2.5-5.5.999", MySQL: "5-", DiskSpace: &space}},
			{Version: "1.1", Branch: "1", UpgradeFrom: "1.0-"}, {Version: "2.0", Branch: "2", Tags: []string{"security"}},
		},
	}
	first, second, third := OfRelease(app, &app.Spec.Releases[0]), OfRelease(app, &app.Spec.Releases[1]), OfRelease(app, &app.Spec.Releases[2])
	golden(t, first.Requirements, `{"diskspace":"40M","mysql":"5-","mysql_table_prefix":"b_","php":"7.1-,5.2.5-5.5.999"}`)
	if !first.Database || !first.DatabasePrefix || first.PHPMinimum != "5.2.5" || first.MySQLMinimum != "5" || second.Database {
		t.Errorf("the requirements are %+v and %+v", first, second)
	}
	if first.Upgrade != "major" || second.Upgrade != "minor" || third.Upgrade != "major" {
		t.Errorf("the steps are %s, %s, %s", first.Upgrade, second.Upgrade, third.Upgrade)
	}
	for from, want := range map[string]bool{"1.0": true, "1.1": false, "0.9": false, "2": false} {
		if got := Upgradable(&app.Spec.Releases[1], from); got != want {
			t.Errorf("from %s: %v", from, got)
		}
	}
}
