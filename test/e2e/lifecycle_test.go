package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/test/local"
)

// lifecycle is one site on its way through the main job.
type lifecycle struct {
	*cluster
	blog    *browser
	content content
}

// TestLifecycle installs, backs up, destroys, restores, clones and removes a real WordPress.
func TestLifecycle(t *testing.T) {
	l := &lifecycle{cluster: newCluster(t, "e2e-lifecycle")}
	l.locations()
	for _, s := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"install", l.install},
		{"backup", l.backup},
		{"restore in place", l.restoreInPlace},
		{"clone", l.clone},
		{"restore elsewhere", l.restoreElsewhere},
		{"restore without a failed request", l.restoreUnderLoad},
		{"delete", l.deleteEverything},
	} {
		if !t.Run(s.name, func(t *testing.T) { l.on(t); s.run(t) }) {
			l.on(t)
			t.Fatalf("%s failed: what follows builds on it", s.name)
		}
		l.on(t)
	}
}

// on makes a test the one that failures are reported to.
func (l *lifecycle) on(t *testing.T) {
	l.t = t
	if l.blog != nil {
		l.blog.t = t
	}
}

// credentials are the login that an Install's Secret holds.
func (k *cluster) credentials(install string) (user, password string) {
	k.t.Helper()
	var in api.Install
	k.ready(&in, install)
	var s corev1.Secret
	if err := k.Get(k.t.Context(), client.ObjectKey{Namespace: k.namespace, Name: in.Status.Admin.SecretRef.Name}, &s); err != nil {
		k.t.Fatal(err)
	}
	return string(s.Data["username"]), string(s.Data["password"])
}

// open logs in to a site with the login that its Install's Secret holds.
func (k *cluster) open(install, url string) *browser {
	k.t.Helper()
	user, password := k.credentials(install)
	b := newBrowser(k.t, url)
	b.login(user, password)
	return b
}

func (l *lifecycle) install(t *testing.T) {
	l.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec:
  application: wordpress
  url: http://life.localtest/
`)
	l.blog = l.open("blog", "http://life.localtest/")
	l.content = l.blog.fill("alpha")
	l.blog.check(l.content, "alpha")
	out := l.mustKubectl("", "get", "install", "blog")
	for _, want := range []string{"URL", "VERSION", "READY", "STATUS", "http://life.localtest/", "True", "serving generation 1"} {
		if !strings.Contains(out, want) {
			t.Errorf("kubectl get shows no %q:\n%s", want, out)
		}
	}
}

func (l *lifecycle) backup(t *testing.T) {
	l.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: blog-1}
spec: {installRef: {name: blog}, locationRef: {name: s3}, ttl: 336h, note: before the redesign}
`)
	var b api.Backup
	l.ready(&b, "blog-1")
	s := b.Status.Snapshot
	if s == nil || s.ID == "" || s.Files < 1000 || s.Bytes < 10<<20 || s.DatabaseBytes < 10<<10 || s.UploadedBytes < 1<<20 || s.Pause == nil || s.Location != "s3" {
		t.Errorf("status.snapshot is incomplete: %+v", s)
	}
	if b.Status.CompletionTime == nil || b.Status.StartTime == nil || b.Status.ExpirationTime == nil || b.Status.Progress.Percent != 100 {
		t.Errorf("status is incomplete: %+v", b.Status)
	}
	l.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: blog-2}
spec: {installRef: {name: blog}}
`)
	var second api.Backup
	l.ready(&second, "blog-2")
	if second.Status.Snapshot.UploadedBytes > s.UploadedBytes/5 {
		t.Errorf("the second backup uploaded %d bytes, the first %d: nothing was deduplicated", second.Status.Snapshot.UploadedBytes, s.UploadedBytes)
	}
}

// destroy does to the site what a backup is for.
func (l *lifecycle) destroy(t *testing.T) {
	l.blog.rest("POST", fmt.Sprintf("/wp/v2/posts/%d", l.content.post), map[string]any{"title": "Vandalized", "content": "gone"}, nil)
	l.blog.rest("POST", "/wp/v2/posts", map[string]any{"title": "Spam", "status": "publish", "content": "not in the backup"}, nil)
	l.mustKubectl("", "exec", "deploy/blog", "-c", "web", "--", "sh", "-c",
		"rm -r /site/www/wp-content/uploads /site/www/wp-includes && echo planted > /site/www/planted.txt")
	l.mustKubectl(`<?php
$c = file_get_contents('/site/www/wp-config.php');
foreach (['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'] as $k) {
    preg_match("/define\(\s*'$k',\s*'((?:[^'\\\\]|\\\\.)*)'/", $c, $m); $v[$k] = stripslashes($m[1]);
}
[$host, $port] = explode(':', $v['DB_HOST'] . ':3306');
preg_match("/table_prefix\s*=\s*'([^']*)'/", $c, $m);
$db = new mysqli($host, $v['DB_USER'], $v['DB_PASSWORD'], $v['DB_NAME'], (int) $port);
$db->query("DROP TABLE {$m[1]}options, {$m[1]}users");
`, "exec", "-i", "deploy/blog", "-c", "web", "--", "php")
	if status, _ := newBrowser(t, "http://life.localtest").do(http.MethodGet, "/", "", nil); status == http.StatusOK {
		t.Fatal("the site still works: the destruction is not one")
	}
}

func (l *lifecycle) restoreInPlace(t *testing.T) {
	l.destroy(t)
	l.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Restore
metadata: {name: blog-undo}
spec: {backupRef: {name: blog-1}}
`)
	l.ready(&api.Restore{}, "blog-undo")
	l.blog = l.open("blog", "http://life.localtest/")
	l.blog.check(l.content, "alpha")
	if status, _ := l.blog.do(http.MethodGet, "/planted.txt", "", nil); status != http.StatusNotFound {
		t.Errorf("planted.txt: status %d: what was planted before the restore is still there", status)
	}
	var posts []struct {
		Title struct {
			Rendered string `json:"rendered"`
		} `json:"title"`
	}
	l.blog.rest("GET", "/wp/v2/posts", nil, &posts)
	for _, p := range posts {
		if p.Title.Rendered == "Spam" || p.Title.Rendered == "Vandalized" {
			t.Errorf("post %q of the destroyed state is still there", p.Title.Rendered)
		}
	}
	var in api.Install
	l.ready(&in, "blog")
	if in.Status.Generation != 2 || in.Status.PreviousGeneration != 1 {
		t.Errorf("generation %d after %d, want 2 after 1", in.Status.Generation, in.Status.PreviousGeneration)
	}
}

func (l *lifecycle) clone(t *testing.T) {
	l.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Clone
metadata: {name: blog-staging}
spec:
  sourceRef: {name: blog}
  to: {name: blog-staging, url: "http://staging-of-life.localtest/", database: {prefix: st_}}
`)
	l.ready(&api.Clone{}, "blog-staging")
	staging := l.open("blog-staging", "http://staging-of-life.localtest/")
	staging.check(l.content, "alpha")
	l.noTrace("blog-staging", "://life.localtest")
	l.noTrace("blog-staging", `:\/\/life.localtest`)
	staging.rest("POST", fmt.Sprintf("/wp/v2/posts/%d", l.content.post), map[string]any{"title": "Changed in staging"}, nil)
	l.mustKubectl("", "exec", "deploy/blog-staging", "-c", "web", "--", "rm", "-r", "/site/www/wp-content/uploads")
	l.blog.check(l.content, "alpha")
}

// noTrace fails if a text is anywhere in a site's files or tables.
func (k *cluster) noTrace(install, text string) {
	k.t.Helper()
	out, _ := k.kubectl("", "exec", "deploy/"+install, "-c", "web", "--", "grep", "-rlF", text, "/site/www")
	if strings.TrimSpace(out) != "" && !strings.Contains(out, "exit code 1") {
		k.t.Errorf("%q is in the files of %s:\n%s", text, install, out)
	}
	var in api.Install
	k.read(&in, install)
	for table, rows := range k.search(in.Status.Database.Name, text) {
		k.t.Errorf("%q is in %d rows of table %s of %s", text, rows, table, install)
	}
}

func (l *lifecycle) restoreElsewhere(t *testing.T) {
	l.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Restore
metadata: {name: blog-old}
spec:
  backupRef: {name: blog-1}
  to: {name: blog-old, url: "http://old-life.localtest/", createDatabase: true}
`)
	l.ready(&api.Restore{}, "blog-old")
	old := l.open("blog-old", "http://old-life.localtest/")
	old.check(l.content, "alpha")
	l.noTrace("blog-old", "://life.localtest")
	l.blog.check(l.content, "alpha")
}

// restoreUnderLoad restores while a request loop runs: no request may fail.
func (l *lifecycle) restoreUnderLoad(t *testing.T) {
	done, report := make(chan struct{}), make(chan string)
	go func() { report <- requestLoop("http://life.localtest/", done, time.Now().Add(local.Patience)) }()
	l.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Restore
metadata: {name: blog-again}
spec: {backupRef: {name: blog-1}}
`)
	l.ready(&api.Restore{}, "blog-again")
	time.Sleep(8 * time.Second) // the old pod is ending: its last requests count too
	close(done)
	if failures := <-report; failures != "" {
		t.Error(failures)
	}
	l.blog = l.open("blog", "http://life.localtest/") // the sessions are those of the backup
	l.blog.check(l.content, "alpha")
}

// requestLoop asks for a page until done or the deadline, and says what failed; an empty answer means nothing did.
func requestLoop(url string, done <-chan struct{}, deadline time.Time) string {
	c := &http.Client{Transport: local.Transport(), Timeout: 30 * time.Second}
	total, failed, first := 0, 0, ""
	for time.Now().Before(deadline) {
		select {
		case <-done:
			if total < 20 {
				return fmt.Sprintf("only %d requests were made: this proves nothing", total)
			}
			if failed > 0 {
				return fmt.Sprintf("%d of %d requests failed, first: %s", failed, total, first)
			}
			return ""
		case <-time.After(50 * time.Millisecond):
		}
		total++
		if why := probe(c, url); why != "" {
			failed++
			if first == "" {
				first = why
			}
		}
	}
	return "the deadline passed"
}

func probe(c *http.Client, url string) string {
	answer, err := c.Get(url)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(page), "</html>") {
		return fmt.Sprintf("status %d, %d bytes", answer.StatusCode, len(page))
	}
	return ""
}

func (l *lifecycle) deleteEverything(t *testing.T) {
	var installs api.InstallList
	if err := l.List(t.Context(), &installs, client.InNamespace(l.namespace)); err != nil {
		t.Fatal(err)
	}
	var volumes []string
	var claims corev1.PersistentVolumeClaimList
	if err := l.List(t.Context(), &claims, client.InNamespace(l.namespace)); err != nil {
		t.Fatal(err)
	}
	for _, c := range claims.Items {
		volumes = append(volumes, c.Spec.VolumeName)
	}
	l.mustKubectl("", "delete", "clones,restores,installs,backups", "--all", "--timeout=4m")
	for _, in := range installs.Items {
		if left := l.databasesOf(string(in.UID)); left != "" {
			t.Errorf("left of Install %s on the database server: %s", in.Name, left)
		}
	}
	if left := l.snapshots(); left != "" {
		t.Errorf("snapshots left in the location:\n%s", left)
	}
	l.mustKubectl("", "delete", "backuplocations", "--all", "--timeout=4m")
	l.eventually("children to go", func() (bool, string) { return l.nothingLeft(volumes) })
}

// nothingLeft looks for what the objects of the namespace made. What keeps the repositories' passwords stays, as documented.
func (l *lifecycle) nothingLeft(volumes []string) (bool, string) {
	var left []string
	var jobs batchv1.JobList
	var pods corev1.PodList
	var claims corev1.PersistentVolumeClaimList
	var secrets corev1.SecretList
	var all corev1.PersistentVolumeList
	for _, list := range []client.ObjectList{&jobs, &pods, &claims, &secrets} {
		if err := l.List(l.t.Context(), list, client.InNamespace(l.namespace)); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := l.List(l.t.Context(), &all); err != nil {
		l.t.Fatal(err)
	}
	for _, j := range jobs.Items {
		left = append(left, "Job "+j.Name)
	}
	for _, p := range pods.Items {
		left = append(left, "Pod "+p.Name)
	}
	for _, c := range claims.Items {
		left = append(left, "PersistentVolumeClaim "+c.Name)
	}
	for _, s := range secrets.Items {
		if s.Name != "s3-keys" && !strings.HasSuffix(s.Name, "-repository") {
			left = append(left, "Secret "+s.Name)
		}
	}
	for _, v := range all.Items {
		for _, name := range volumes {
			if v.Name == name {
				left = append(left, "PersistentVolume "+v.Name)
			}
		}
	}
	return len(left) == 0, strings.Join(left, ", ")
}
