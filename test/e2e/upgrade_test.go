package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/names"
)

// TestUpgrade takes real WordPress sites from release to release, on a version of PHP and to another, in each of the ways to ask for it, and back again.
func TestUpgrade(t *testing.T) {
	k := newCluster(t, "e2e-upgrade")
	k.locations()
	u := &upgrades{cluster: k}
	for _, s := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"minor on PHP 7.4, by spec.version", u.floor},
		{"to PHP 8.2", u.runtime},
		{"major under load, with a backup", u.underLoad},
		{"minor, by the policy", u.policy},
		{"back to the previous generation", u.goBack},
		{"killed in the middle", u.killed},
		{"that fails", u.fails},
	} {
		ok := t.Run(s.name, func(t *testing.T) { u.on(t); s.run(t) })
		u.on(t)
		if !ok {
			t.Fatalf("%s failed: what follows builds on it", s.name)
		}
	}
}

// upgrades are the sites that are upgraded.
type upgrades struct {
	*cluster
	blog    *browser
	content content
	posts   int
}

// on makes a test the one that failures are reported to.
func (u *upgrades) on(t *testing.T) {
	u.t = t
	if u.blog != nil {
		u.blog.t = t
	}
}

// upgraded waits for an Install to be Ready in a version, and holds the rest of its status against what else is there.
func (u *upgrades) upgraded(name, version, runtime string) *api.Install {
	u.t.Helper()
	in := &api.Install{}
	u.eventually(fmt.Sprintf("Install %s to be of version %s", name, version), func() (bool, string) {
		u.read(in, name)
		return in.Status.Version == version && in.Status.Operation == nil, fmt.Sprintf("%s, %v", in.Status.Version, in.Status.Conditions)
	})
	u.ready(in, name)
	if in.Status.Runtime != runtime {
		u.t.Errorf("Install %s runs on %s, not %s", name, in.Status.Runtime, runtime)
	}
	out := u.mustKubectl("", "exec", "deploy/"+name, "-c", "web", "--", "php", "-r",
		"require '/site/www/wp-includes/version.php'; echo 'php-', PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION, ' ', $wp_version, ' ', $wp_db_version;")
	if want := fmt.Sprintf("%s %s %s", runtime, version, in.Status.SchemaVersion); strings.TrimSpace(out) != want {
		u.t.Errorf("the pods have %q, and the status says %q", out, want)
	}
	var schema string
	query := fmt.Sprintf("SELECT option_value FROM `%s`.%soptions WHERE option_name = 'db_version'", in.Status.Database.Name, in.Status.Database.Prefix)
	if err := u.server().QueryRowContext(u.t.Context(), query).Scan(&schema); err != nil || schema != in.Status.SchemaVersion {
		u.t.Errorf("the database is of schema %q (%v), and the status says %s", schema, err, in.Status.SchemaVersion)
	}
	return in
}

func (u *upgrades) patch(name, patch string) {
	u.t.Helper()
	u.mustKubectl("", "patch", "install", name, "--type=merge", "-p", patch)
}

func (u *upgrades) floor(t *testing.T) {
	u.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: old}
spec: {application: wordpress, version: 5.7.11, url: "http://old.localtest/", title: Older than most}
`)
	u.ready(&api.Install{}, "old")
	before := u.upgraded("old", "5.7.11", "php-7.4")
	if before.Status.LatestVersion != "6.8.12" {
		t.Errorf("the latest version is %s", before.Status.LatestVersion)
	}
	u.patch("old", `{"spec": {"version": "5.7.14"}}`)
	after := u.upgraded("old", "5.7.14", "php-7.4")
	if after.Status.Generation != 2 || after.Status.PreviousGeneration != 1 {
		t.Errorf("generation %d serves after %d", after.Status.Generation, after.Status.PreviousGeneration)
	}
	var made api.Upgrade
	u.ready(&made, "old-5-7-14")
	if !metav1.IsControlledBy(&made, after) || made.Status.FromVersion != "5.7.11" || made.Status.ToVersion != "5.7.14" || len(made.Status.Warnings) > 0 {
		t.Errorf("the Upgrade that was made: %+v", made.Status)
	}
	if page := newBrowser(t, "http://old.localtest").get("/"); !strings.Contains(page, "Older than most") || !strings.Contains(page, "WordPress 5.7.14") {
		t.Errorf("the front page is another: %.500s", page)
	}
}

func (u *upgrades) runtime(t *testing.T) {
	u.patch("old", `{"spec": {"version": "6.8.12", "runtime": {"name": "php-8.2"}}}`)
	u.upgraded("old", "6.8.12", "php-8.2")
	page := u.open("old", "http://old.localtest/").get("/")
	if !strings.Contains(page, "Older than most") || !strings.Contains(page, "WordPress 6.8.12") {
		t.Errorf("the front page is another: %.500s", page)
	}
}

// write publishes posts until it is stopped, and says how many were accepted, and what was answered otherwise than with the maintenance page.
func (u *upgrades) write() (stop func() (accepted int, wrong string)) {
	done, ended := make(chan struct{}), make(chan struct{})
	accepted, wrong := 0, ""
	b := *u.blog
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
			body := fmt.Sprintf(`{"title": "Written %d", "status": "publish", "content": "under load"}`, i)
			status, text := b.do(http.MethodPost, "/index.php?rest_route=/wp/v2/posts", "application/json", []byte(body))
			switch {
			case status == http.StatusCreated:
				accepted++
			case status == http.StatusServiceUnavailable && strings.Contains(text, "maintenance"):
			case wrong == "":
				wrong = fmt.Sprintf("status %d: %.300s", status, text)
			}
		}
	}()
	return func() (int, string) {
		close(done)
		<-ended
		return accepted, wrong
	}
}

// published counts the posts of the site.
func (u *upgrades) published() (n int) {
	u.t.Helper()
	in := &api.Install{}
	u.read(in, "blog")
	query := fmt.Sprintf("SELECT COUNT(*) FROM `%s`.%sposts WHERE post_title LIKE 'Written %%' AND post_status = 'publish'", in.Status.Database.Name, in.Status.Database.Prefix)
	if err := u.server().QueryRowContext(u.t.Context(), query).Scan(&n); err != nil {
		u.t.Fatal(err)
	}
	return n
}

func (u *upgrades) underLoad(t *testing.T) {
	u.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, version: 6.1.9, url: "http://up.localtest/"}
`)
	u.blog = u.open("blog", "http://up.localtest/")
	u.content = u.blog.fill("kept")
	u.mustKubectl("", "exec", "deploy/blog", "-c", "web", "--", "sh", "-c",
		"mkdir /site/www/wp-content/plugins/mine && printf '<?php\\n/* Plugin Name: Mine */\\n' > /site/www/wp-content/plugins/mine/mine.php && echo mine > /site/www/mine.txt && echo of-6.1 > /site/www/wp-includes/gone.txt")
	stop := u.write()
	u.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Upgrade
metadata: {name: major}
spec: {installRef: {name: blog}, version: 6.8.7, backup: true}
`)
	var up api.Upgrade
	u.ready(&up, "major")
	accepted, wrong := stop()
	if wrong != "" {
		t.Errorf("a visitor was answered with %s", wrong)
	}
	u.upgraded("blog", "6.8.7", "php-8.2")
	if u.posts = u.published(); u.posts != accepted || accepted < 5 {
		t.Errorf("%d posts were accepted, and %d are there", accepted, u.posts)
	}
	t.Logf("%d posts were written meanwhile; it took %v", accepted, up.Status.CompletionTime.Sub(up.Status.StartTime.Time))
	if !strings.HasPrefix(up.Status.Backup, "major-before-") || up.Status.Generation != 2 || len(up.Status.Warnings) > 0 {
		t.Errorf("the status of the Upgrade: %+v", up.Status)
	}
	var b api.Backup
	u.ready(&b, up.Status.Backup)
	if b.Status.Version != "6.1.9" || b.Status.ExpirationTime == nil {
		t.Errorf("the Backup before it: %+v", b.Status)
	}
	u.kept(t)
	if status, _ := u.blog.do(http.MethodGet, "/wp-includes/gone.txt", "", nil); status != http.StatusNotFound {
		t.Errorf("what only the release before had is still there: status %d", status)
	}
	out := u.mustKubectl("", "get", "upgrade", "major")
	for _, want := range []string{"INSTALL", "PROGRESS", "blog", "6.8.7", "100", "True", "Install blog is upgraded from 6.1.9 to 6.8.7"} {
		if !strings.Contains(out, want) {
			t.Errorf("kubectl get shows no %q:\n%s", want, out)
		}
	}
}

// kept sees that the site's own content is there.
func (u *upgrades) kept(t *testing.T) {
	t.Helper()
	u.blog.login(u.credentials("blog"))
	u.blog.check(u.content, "kept")
	if got := u.blog.get("/mine.txt"); got != "mine\n" {
		t.Errorf("mine.txt is %q", got)
	}
	var plugin struct {
		Name string `json:"name"`
	}
	u.blog.rest("GET", "/wp/v2/plugins/mine/mine", nil, &plugin)
	if plugin.Name != "Mine" {
		t.Errorf("the site's own plugin is %q", plugin.Name)
	}
	if n := u.published(); n != u.posts {
		t.Errorf("%d posts are there, and %d were", n, u.posts)
	}
}

func (u *upgrades) policy(t *testing.T) {
	u.patch("blog", `{"spec": {"updates": {"policy": "Minor"}}}`)
	in := u.upgraded("blog", "6.8.12", "php-8.2")
	var up api.Upgrade
	u.ready(&up, "blog-6-8-12")
	var b api.Backup
	u.ready(&b, up.Status.Backup)
	if b.Status.Version != "6.8.7" || in.Status.PreviousGeneration != 2 {
		t.Errorf("the Backup is of %s, the previous generation is %d", b.Status.Version, in.Status.PreviousGeneration)
	}
	u.kept(t)
}

func (u *upgrades) goBack(t *testing.T) {
	began := time.Now()
	u.mustKubectl("", "annotate", "install", "blog", api.AnnotationGoBack+"=2")
	in := u.upgraded("blog", "6.8.7", "php-8.2")
	t.Logf("going back took %v", time.Since(began))
	u.kept(t)
	if in.Status.Generation != 2 || in.Status.PreviousGeneration != 3 || len(in.Annotations[api.AnnotationGoBack]) > 0 {
		t.Errorf("generation %d serves after %d, the annotation is %q", in.Status.Generation, in.Status.PreviousGeneration, in.Annotations[api.AnnotationGoBack])
	}
	u.mustKubectl("", "annotate", "install", "blog", api.AnnotationGoBack+"=17")
	u.complains(&api.Install{}, "blog", stalled, api.AnnotationGoBack, `"17" is not the previous generation, which is 3`)
	u.mustKubectl("", "annotate", "install", "blog", api.AnnotationGoBack+"-")
	u.eventually("the site to be Ready without the annotation", func() (bool, string) {
		conditions := u.read(&api.Install{}, "blog")
		return meta.IsStatusConditionTrue(conditions, api.ConditionReady), fmt.Sprint(conditions)
	})
}

// killed kills the agent of an upgrade, and the database server later.
func (u *upgrades) killed(t *testing.T) {
	u.fatten("blog")
	u.mustKubectl("", "delete", "upgrade", "blog-6-8-12")
	agent := u.killAgent("upgrade-blog-6-8-12", 10)
	u.eventually("the next agent to copy tables", func() (bool, string) {
		log, err := u.kubectl("", "logs", "job/upgrade-blog-6-8-12", "--tail=3")
		return err == nil && strings.Contains(log, "percent") && !strings.Contains(log, "copying files"), log
	})
	u.mustKubectl("", "-n", "sitewright-system", "delete", "pod", "-l", "app.kubernetes.io/component=mariadb", "--grace-period=0", "--force")
	u.upgraded("blog", "6.8.12", "php-8.2")
	t.Logf("the agent was killed at %+v", agent)
	u.kept(t)
}

// fails has the application's own upgrade fail on a real site.
func (u *upgrades) fails(t *testing.T) {
	var app api.Application
	if err := u.Get(t.Context(), client.ObjectKey{Name: "wordpress"}, &app); err != nil {
		t.Fatal(err)
	}
	broken := &api.Application{ObjectMeta: metav1.ObjectMeta{Name: "e2e-broken"}, Spec: *app.Spec.DeepCopy()}
	broken.Spec.Recipe.Commands.Upgrade.Script = `<?php fwrite(STDERR, "no more room for posts\n"); exit(1);`
	if err := u.Create(t.Context(), broken); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	defer u.mustKubectl("", "delete", "application", "e2e-broken", "--ignore-not-found")
	u.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: unlucky}
spec: {application: e2e-broken, version: 6.8.7, url: "http://unlucky.localtest/"}
`)
	u.ready(&api.Install{}, "unlucky")
	u.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Upgrade
metadata: {name: unlucky}
spec: {installRef: {name: unlucky}}
---
apiVersion: sitewright.dev/v1alpha1
kind: Upgrade
metadata: {name: downgrade}
spec: {installRef: {name: unlucky}, version: 6.1.9}
`)
	u.complains(&api.Upgrade{}, "unlucky", stalled, "no more room for posts", "Install unlucky serves 6.8.7 as before")
	u.complains(&api.Upgrade{}, "downgrade", stalled, "6.1.9 is older than 6.8.7", "nothing is downgraded")
	in := u.upgraded("unlucky", "6.8.7", "php-8.2")
	newBrowser(t, "http://unlucky.localtest").get("/")
	u.eventually("what the failed upgrade made to be gone", func() (bool, string) {
		u.read(in, "unlucky")
		return len(in.Status.Generations) == 1, fmt.Sprint(in.Status.Generations)
	})
	if left := u.databasesOf(string(in.UID)); strings.Contains(left, names.Database(string(in.UID), 2)) {
		t.Errorf("the database of the failed upgrade is still there: %s", left)
	}
}
