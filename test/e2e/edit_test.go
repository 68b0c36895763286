package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// TestEdit changes a real WordPress that exists by its Install's spec and Secrets, looks at what it has become, and moves it.
func TestEdit(t *testing.T) {
	k := newCluster(t, "e2e-edit")
	k.locations()
	e := &edited{cluster: k}
	for _, s := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"title and administrator", e.settings},
		{"passwords in Secrets", e.passwords},
		{"what the application refuses", e.refuses},
		{"inspection", e.inspects},
		{"another URL, under load", e.moves},
		{"back to the URL before", e.goesBack},
		{"a backup from before the edits", e.restores},
		{"another version of PHP", e.reruns},
	} {
		ok := t.Run(s.name, func(t *testing.T) { e.on(t); s.run(t) })
		e.on(t)
		if !ok {
			t.Fatalf("%s failed: what follows builds on it", s.name)
		}
	}
}

// edited is the site that is edited.
type edited struct {
	*cluster
	blog    *browser
	content content
}

func (e *edited) on(t *testing.T) {
	e.t = t
	if e.blog != nil {
		e.blog.t = t
	}
}

// patch changes the spec, and waits for the site to have it.
func (e *edited) patch(patch string) *api.Install {
	e.t.Helper()
	e.mustKubectl("", "patch", "install", "blog", "--type=merge", "-p", patch)
	in := &api.Install{}
	e.eventually("the site to be as its spec says", func() (bool, string) {
		conditions := e.read(in, "blog")
		if c := meta.FindStatusCondition(conditions, api.ConditionStalled); c != nil && c.ObservedGeneration == in.Generation {
			e.t.Fatalf("it cannot be: %s", c.Message)
		}
		c := meta.FindStatusCondition(conditions, api.ConditionReady)
		return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == in.Generation, fmt.Sprint(conditions)
	})
	return in
}

// look has the site looked at now, and waits for that.
func (e *edited) look() *api.Install {
	e.t.Helper()
	e.mustKubectl("", "annotate", "install", "blog", api.AnnotationInspect+"=now")
	in := &api.Install{}
	e.eventually("the site to be inspected", func() (bool, string) {
		e.read(in, "blog")
		return in.Annotations[api.AnnotationInspect] == "" && in.Status.Operation == nil, fmt.Sprintf("%+v", in.Status.Inspection)
	})
	return in
}

// refusesLogin sees that a login is wrong.
func (e *edited) refusesLogin(user, password string) {
	e.t.Helper()
	b := newBrowser(e.t, e.blog.site)
	form := strings.NewReplacer("U", user, "P", password).Replace("log=U&pwd=P&testcookie=1")
	if status, text := b.do(http.MethodPost, "/wp-login.php", "application/x-www-form-urlencoded", []byte(form)); status != http.StatusOK || !strings.Contains(text, "login_error") {
		e.t.Errorf("the login %s is still good: status %d: %.200s", user, status, text)
	}
}

func (e *edited) settings(t *testing.T) {
	e.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, version: 6.8.7, url: "http://edit.localtest/", title: First}
`)
	e.blog = e.open("blog", "http://edit.localtest/")
	e.content = e.blog.fill("kept")
	e.apply(`{apiVersion: sitewright.dev/v1alpha1, kind: Backup, metadata: {name: first}, spec: {installRef: {name: blog}}}`)
	e.ready(&api.Backup{}, "first")
	user, password := e.credentials("blog")
	e.apply(`{apiVersion: v1, kind: Secret, metadata: {name: chosen}, stringData: {password: "Chosen/by \"hand\" 1"}}`)
	in := e.patch(`{"spec": {"title": "Zweiter <Titel>", "fields": {"sitetagline": "kurz & gut"},
		"admin": {"login": "chief", "email": "chief@example.com", "passwordSecretRef": {"name": "chosen", "key": "password"}}}}`)
	if in.Status.Generation != 1 || in.Status.Admin.Login != "chief" {
		t.Errorf("generation %d serves, and the login is %s", in.Status.Generation, in.Status.Admin.Login)
	}
	if now, secret := e.credentials("blog"); now != "chief" || secret != `Chosen/by "hand" 1` {
		t.Errorf("the Secret has %s", now)
	}
	e.refusesLogin(user, password)
	e.blog = e.open("blog", "http://edit.localtest/")
	e.blog.check(e.content, "kept")
	var site struct{ Name, Description string }
	e.blog.rest("GET", "/", nil, &site)
	if site.Name != "Zweiter &lt;Titel&gt;" || site.Description != "kurz &amp; gut" {
		t.Errorf("the site is %+v", site)
	}
	var me struct {
		Slug, Email string
		ID          int
	}
	e.blog.rest("GET", "/wp/v2/users/me&context=edit", nil, &me)
	if me.Email != "chief@example.com" || me.ID != 1 {
		t.Errorf("the administrator is %+v: not the one that was there", me)
	}
}

// passwords are changed where they are kept: in the Secret that was generated for the database, and in the user's own.
func (e *edited) passwords(t *testing.T) {
	var secret corev1.Secret
	if err := e.Get(t.Context(), client.ObjectKey{Namespace: e.namespace, Name: "blog-database"}, &secret); err != nil {
		t.Fatal(err)
	}
	old, user := string(secret.Data["password"]), string(secret.Data["username"])
	e.mustKubectl("", "patch", "secret", "blog-database", "--type=merge", "-p", `{"stringData": {"password": "it's 'new'"}}`)
	e.mustKubectl("", "patch", "secret", "chosen", "--type=merge", "-p", `{"stringData": {"password": "second choice"}}`)
	in := e.look() // Has it looked at at once, too.
	e.ready(in, "blog")
	if in.Status.Inspection.Message != "" {
		t.Errorf("the inspection says %s", in.Status.Inspection.Message)
	}
	e.refusesLogin("chief", `Chosen/by "hand" 1`)
	e.blog = e.open("blog", "http://edit.localtest/")
	e.blog.check(e.content, "kept")
	for password, want := range map[string]bool{old: false, "it's 'new'": true} {
		config, err := e.Administrator(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		config.User, config.Passwd, config.DBName = user, password, in.Status.Database.Name
		db, err := sql.Open("mysql", config.FormatDSN())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.PingContext(t.Context()); (err == nil) != want {
			t.Errorf("whether the database takes a password is not %t: %v", want, err)
		}
		_ = db.Close()
	}
	e.apply(`{apiVersion: sitewright.dev/v1alpha1, kind: Backup, metadata: {name: saved}, spec: {installRef: {name: blog}}}`)
	e.ready(&api.Backup{}, "saved")
}

// refuses asks for what cannot be had: nothing changes but what is said, and the site goes on.
func (e *edited) refuses(t *testing.T) {
	e.mustKubectl("", "patch", "install", "blog", "--type=merge", "-p", `{"spec": {"language": "fr", "title": "Third"}}`)
	e.complains(&api.Install{}, "blog", stalled, "serving generation 1", "spec.language", "language fr is not among the site's")
	e.eventually("the site to be free", func() (bool, string) {
		in := &api.Install{}
		e.read(in, "blog")
		return in.Status.Operation == nil, fmt.Sprintf("%+v", in.Status.Operation)
	})
	e.apply(`{apiVersion: sitewright.dev/v1alpha1, kind: Backup, metadata: {name: all-the-same}, spec: {installRef: {name: blog}}}`)
	e.ready(&api.Backup{}, "all-the-same")
	e.patch(`{"spec": {"language": null}}`)
	if page := e.blog.get("/"); !strings.Contains(page, "<title>Third") {
		t.Errorf("the front page has not the new title: %.300s", page)
	}
}

// inspects changes the site by its own means, and sees that the status says so.
func (e *edited) inspects(t *testing.T) {
	e.mustKubectl("", "exec", "deploy/blog", "-c", "web", "--", "sh", "-c", `mkdir -p /site/www/wp-content/plugins/mine && `+
		`printf '<?php\n/*\nPlugin Name: Mine\nVersion: 3.1\n*/\n' > /site/www/wp-content/plugins/mine/mine.php`)
	var plugin map[string]any
	e.blog.rest("POST", "/wp/v2/plugins/mine/mine", map[string]any{"status": "active"}, &plugin)
	e.blog.rest("POST", "/wp/v2/settings", map[string]any{"title": "By its own page"}, nil)
	in := e.look()
	i := slices.IndexFunc(in.Status.Plugins, func(c api.ComponentStatus) bool { return c.Name == "mine" })
	if i < 0 || in.Status.Plugins[i].Version != "3.1" || !in.Status.Plugins[i].Active {
		t.Errorf("the plugins are %+v", in.Status.Plugins)
	}
	if !slices.ContainsFunc(in.Status.Themes, func(c api.ComponentStatus) bool { return c.Active && c.Version != "" }) {
		t.Errorf("the themes are %+v", in.Status.Themes)
	}
	if in.Status.Inspection.Title != "By its own page" || in.Status.Inspection.Message != "" || in.Status.Size.Files < 1000 || in.Status.Version != "6.8.7" {
		t.Errorf("the inspection found %+v, %+v, %s", in.Status.Inspection, in.Status.Size, in.Status.Version)
	}
	e.ready(in, "blog")
	if page := e.blog.get("/"); !strings.Contains(page, "<title>By its own page") {
		t.Errorf("the title that was set in the site itself was taken back: %.300s", page)
	}
}

// moves takes the site to another URL. Until it answers there it answers here, but for its maintenance page; the agent is killed once.
func (e *edited) moves(t *testing.T) {
	e.fatten("blog")
	watch := newBrowser(t, e.blog.site)
	done, report := make(chan struct{}), make(chan string, 1)
	go func() {
		defer close(report)
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
			status, text := watch.do(http.MethodGet, "/", "", nil)
			moved := status == http.StatusNotFound && strings.TrimSpace(text) == "404 page not found" || status == http.StatusMovedPermanently || strings.Contains(text, "newplace.localtest")
			if moved {
				return
			}
			if status != http.StatusOK && (status != http.StatusServiceUnavailable || !strings.Contains(text, "maintenance")) {
				report <- fmt.Sprintf("status %d: %.300s", status, text)
				return
			}
		}
	}()
	e.mustKubectl("", "patch", "install", "blog", "--type=merge", "-p", `{"spec": {"url": "http://newplace.localtest/deep"}}`)
	var move api.Upgrade
	e.eventually("the Upgrade that moves the site", func() (bool, string) {
		var list api.UpgradeList
		if err := e.List(t.Context(), &list, client.InNamespace(e.namespace)); err != nil || len(list.Items) == 0 {
			return false, fmt.Sprint(err)
		}
		move = list.Items[0]
		return true, ""
	})
	killed := e.killAgent("upgrade-"+move.Name, 10)
	in := &api.Install{}
	e.ready(in, "blog")
	close(done)
	if wrong := <-report; wrong != "" {
		t.Errorf("a visitor was answered with %s", wrong)
	}
	e.ready(&move, move.Name)
	t.Logf("the agent was killed at %+v; it took %v", killed, move.Status.CompletionTime.Sub(move.Status.StartTime.Time))
	if in.Status.URL != "http://newplace.localtest/deep" || in.Status.Generation != 2 || in.Status.PreviousGeneration != 1 || len(move.Status.Warnings) > 0 {
		t.Errorf("the site is at %s in generation %d, after %d; warnings: %q", in.Status.URL, in.Status.Generation, in.Status.PreviousGeneration, move.Status.Warnings)
	}
	e.blog = e.open("blog", "http://newplace.localtest/deep")
	e.blog.check(e.content, "kept")
	e.noTrace("blog", "://edit.localtest")
	if status, text := newBrowser(t, "http://edit.localtest").do(http.MethodGet, "/", "", nil); status != http.StatusNotFound {
		t.Errorf("the place before still answers: status %d: %.200s", status, text)
	}
	out := e.mustKubectl("", "get", "secret", "blog-admin", "-o", "go-template={{base64decode .data.url}}")
	if out != "http://newplace.localtest/deep" {
		t.Errorf("the Secret says that the site is at %s", out)
	}
}

// goesBack takes the site back to where it was, as it was.
func (e *edited) goesBack(t *testing.T) {
	e.mustKubectl("", "annotate", "install", "blog", api.AnnotationGoBack+"=1")
	e.eventually("the generation before to serve", func() (bool, string) {
		in := &api.Install{}
		conditions := e.read(in, "blog")
		return in.Status.Generation == 1 && in.Status.Operation == nil, fmt.Sprint(conditions)
	})
	e.complains(&api.Install{}, "blog", stalled, "the site is at http://edit.localtest/", "delete the Upgrade")
	in := e.patch(`{"spec": {"url": "http://edit.localtest/"}}`)
	if !meta.IsStatusConditionTrue(in.Status.Conditions, api.ConditionServing) || in.Status.URL != "http://edit.localtest/" {
		t.Errorf("the site is at %s: %v", in.Status.URL, in.Status.Conditions)
	}
	e.blog = e.open("blog", "http://edit.localtest/")
	e.blog.check(e.content, "kept")
}

// restores brings back what the site was at first. Its administrator logs in with what the Secret says all the same.
func (e *edited) restores(t *testing.T) {
	e.apply(`{apiVersion: sitewright.dev/v1alpha1, kind: Restore, metadata: {name: first}, spec: {backupRef: {name: first}}}`)
	e.ready(&api.Restore{}, "first")
	in := &api.Install{}
	e.eventually("the login to be told again", func() (bool, string) {
		conditions := e.read(in, "blog")
		return meta.IsStatusConditionTrue(conditions, api.ConditionReady) && !in.Status.Settings.LoginLost && in.Status.Operation == nil, fmt.Sprint(conditions)
	})
	if user, password := e.credentials("blog"); user != "chief" || password != "second choice" {
		t.Errorf("the Secret has %s", user)
	}
	e.blog = e.open("blog", "http://edit.localtest/")
	e.blog.check(e.content, "kept")
	if page := e.blog.get("/"); !strings.Contains(page, "<title>First") {
		t.Errorf("the title is not the one of the backup: %.300s", page)
	}
}

// reruns brings the site to another version of PHP, and nothing else.
func (e *edited) reruns(t *testing.T) {
	in := e.patch(`{"spec": {"runtime": {"name": "php-7.4"}}}`)
	if in.Status.Runtime != "php-7.4" || in.Status.Version != "6.8.7" {
		t.Errorf("the site is %s on %s", in.Status.Version, in.Status.Runtime)
	}
	if out := e.mustKubectl("", "exec", "deploy/blog", "-c", "web", "--", "php", "-r", "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;"); out != "7.4" {
		t.Errorf("it runs on PHP %s", out)
	}
	e.blog = e.open("blog", "http://edit.localtest/")
	e.blog.check(e.content, "kept")
}
