package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/test/local"
)

// TestKilledRestore kills the agent in the middle of a restore, at five different moments. Every answer of the site is the old content or the
// new, whole; and the Restore ends with the one or the other.
func TestKilledRestore(t *testing.T) {
	k := newCluster(t, "e2e-kill")
	k.locations()
	k.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, url: "http://kill.localtest/", keepPrevious: 0s}
`)
	blog := k.open("blog", "http://kill.localtest/")
	c := blog.fill("saved")
	k.fatten("blog")
	k.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: saved}
spec: {installRef: {name: blog}, locationRef: {name: local}}
`)
	k.ready(&api.Backup{}, "saved")
	inTheMiddle := 0
	for i, percent := range []int{0, 6, 15, 35, 55} {
		t.Run(fmt.Sprintf("at %d percent", percent), func(t *testing.T) {
			k.t, blog.t = t, t
			if k.killOnce(blog, c, i, percent) {
				inTheMiddle++
			}
		})
		k.t, blog.t = t, t
	}
	if inTheMiddle < 3 {
		t.Errorf("only %d of 5 agents were killed while they worked: the rest had ended, which proves nothing", inTheMiddle)
	}
}

// fatten makes a site so big that its restore takes some seconds: files that do not compress, and a table of many rows.
func (k *cluster) fatten(install string) {
	k.t.Helper()
	k.mustKubectl("", "exec", "deploy/"+install, "-c", "web", "--", "sh", "-c",
		"mkdir -p /site/www/wp-content/uploads/big && for i in 1 2 3 4 5 6 7 8 9 10 11 12; do head -c 40000000 /dev/urandom > /site/www/wp-content/uploads/big/$i.bin; done")
	var in api.Install
	k.ready(&in, install)
	for _, statement := range []string{
		"CREATE TABLE `%[1]s`.%[2]sbig (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(255))",
		"INSERT INTO `%[1]s`.%[2]sbig (v) SELECT CONCAT(MD5(seq), REPEAT('x', 150)) FROM `%[1]s`.seq_1_to_200000",
	} {
		if _, err := k.server().ExecContext(k.t.Context(), fmt.Sprintf(statement, in.Status.Database.Name, in.Status.Database.Prefix)); err != nil {
			k.t.Fatal(err)
		}
	}
}

// killOnce restores over a changed post and kills the agent once, when it is that far. It says whether the agent still worked.
func (k *cluster) killOnce(blog *browser, c content, i, percent int) bool {
	mark := fmt.Sprintf("changed-%d", i)
	blog.rest("POST", fmt.Sprintf("/wp/v2/posts/%d", c.post), map[string]any{"content": "mark " + mark}, nil)
	watch := watchPage(blog.site+fmt.Sprintf("/?p=%d", c.post), "mark "+mark, "mark saved")
	name := fmt.Sprintf("kill-%d", i)
	k.apply(fmt.Sprintf("{apiVersion: sitewright.dev/v1alpha1, kind: Restore, metadata: {name: %s}, spec: {backupRef: {name: saved}}}", name))
	killed := k.killAgent("restore-"+name, percent)
	ready, message := k.ended(&api.Restore{}, name)
	time.Sleep(8 * time.Second) // the old pod is ending: its last requests count too
	seen, failures := watch.stop()
	if failures != "" {
		k.t.Error(failures)
	}
	if ready {
		blog.login(k.credentials("blog"))
		blog.check(c, "saved")
	} else if page := blog.get(fmt.Sprintf("/?p=%d", c.post)); !strings.Contains(page, "mark "+mark) {
		k.t.Errorf("the Restore ended with %q, and the old content is not there", message)
	}
	k.t.Logf("killed at %+v; Ready %t; pages seen: %v", killed, ready, seen)
	return killed.Percent < 100
}

// killAgent waits for the agent of a Job to run and to be that far, and deletes its pod without grace. It returns the last that the agent said.
func (k *cluster) killAgent(job string, percent int) plan.Progress {
	k.t.Helper()
	var pod corev1.Pod
	var said plan.Progress
	k.eventually(fmt.Sprintf("the agent of %s to be at %d percent", job, percent), func() (bool, string) {
		var pods corev1.PodList
		if err := k.List(k.t.Context(), &pods, client.InNamespace(k.namespace), client.MatchingLabels{"batch.kubernetes.io/job-name": job}); err != nil {
			k.t.Fatal(err)
		}
		if len(pods.Items) == 0 || pods.Items[0].Status.Phase == corev1.PodPending {
			return false, "no pod that runs"
		}
		pod = pods.Items[0]
		log, _ := k.kubectl("", "logs", pod.Name, "--tail=3")
		said, _ = plan.ParseProgress(log)
		return said.Percent >= percent, fmt.Sprintf("%+v", said)
	})
	k.mustKubectl("", "delete", "pod", pod.Name, "--grace-period=0", "--force", "--ignore-not-found")
	return said
}

// pageWatch asks for a page again and again.
type pageWatch struct {
	done chan struct{}
	wait sync.WaitGroup
	seen map[string]int
	fail string
}

// watchPage looks at a page until it is stopped: each answer must be 200 and hold exactly one of the two marks.
func watchPage(url, before, after string) *pageWatch {
	w := &pageWatch{done: make(chan struct{}), seen: map[string]int{}}
	c := &http.Client{Transport: local.Transport(), Timeout: 30 * time.Second}
	w.wait.Go(func() {
		for {
			select {
			case <-w.done:
				return
			case <-time.After(100 * time.Millisecond):
			}
			what, why := lookAt(c, url, before, after)
			if w.seen[what]++; why != "" && w.fail == "" {
				w.fail = why
			}
		}
	})
	return w
}

func lookAt(c *http.Client, url, before, after string) (what, why string) {
	answer, err := c.Get(url)
	if err != nil {
		return "error", err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return "error", err.Error()
	}
	old, restored := strings.Contains(string(page), before), strings.Contains(string(page), after)
	switch {
	case answer.StatusCode != http.StatusOK:
		return "error", fmt.Sprintf("status %d: %.200s", answer.StatusCode, page)
	case old && !restored:
		return "old", ""
	case restored && !old:
		return "new", ""
	}
	return "mixture", fmt.Sprintf("the page is neither the old nor the new one: old %t, new %t", old, restored)
}

// stop ends the watch and says what was seen.
func (w *pageWatch) stop() (map[string]int, string) {
	close(w.done)
	w.wait.Wait()
	return w.seen, w.fail
}
