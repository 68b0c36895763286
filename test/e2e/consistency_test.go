package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// TestQuiescedBackup uploads images to a WordPress while quiesced backups are made of it: each is a file and the rows that name it, and no restore has
// one without the other. Visitors who come meanwhile are told to wait, and nothing else goes wrong for them.
func TestQuiescedBackup(t *testing.T) {
	k := newCluster(t, "e2e-quiesced")
	k.locations()
	k.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, url: "http://quiesced.localtest/"}
`)
	blog := k.open("blog", "http://quiesced.localtest/")
	stop := blog.uploadPairs(3)
	for i := range 2 {
		name := fmt.Sprintf("pairs-%d", i)
		k.apply(fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: %[1]s}
spec: {installRef: {name: blog}, locationRef: {name: local}, consistency: Quiesced}
`, name))
		var b api.Backup
		k.ready(&b, name)
		t.Logf("Backup %s: a pause of %v", name, b.Status.Snapshot.Pause)
		if p := b.Status.Snapshot.Pause; p == nil || p.Duration <= 0 || p.Duration > 30*time.Second {
			t.Errorf("the pause is %v", p)
		}
	}
	uploaded, told, wrong := stop()
	t.Logf("%d images were uploaded, %d visitors were told to wait", uploaded, told)
	if uploaded < 10 || wrong != "" {
		t.Errorf("%d images were uploaded; %s", uploaded, wrong)
	}
	for i := range 2 {
		name := fmt.Sprintf("copy-%d", i)
		k.apply(fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Restore
metadata: {name: %[1]s}
spec: {backupRef: {name: pairs-%[2]d}, to: {name: %[1]s, url: "http://%[1]s.localtest/", createDatabase: true}}
`, name, i))
		k.ready(&api.Restore{}, name)
		k.checkPairs(name)
	}
}

// uploadPairs uploads images by so many visitors until it is stopped.
func (b *browser) uploadPairs(visitors int) (stop func() (uploaded, told int, wrong string)) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var all sync.WaitGroup
	var uploaded, told atomic.Int64
	var wrong atomic.Value
	for v := range visitors {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("pair-%d-%d.png", v, n)
				switch status, err := b.uploadPair(name); {
				case err != nil:
					wrong.Store(fmt.Sprintf("uploading %s: %v", name, err))
					return
				case status == http.StatusCreated:
					uploaded.Add(1)
				case status == http.StatusServiceUnavailable:
					told.Add(1)
					time.Sleep(50 * time.Millisecond)
				default:
					wrong.Store(fmt.Sprintf("uploading %s: status %d", name, status))
					return
				}
			}
		})
	}
	return func() (int, int, string) {
		cancel()
		all.Wait()
		text, _ := wrong.Load().(string)
		return int(uploaded.Load()), int(told.Load()), text
	}
}

func (b *browser) uploadPair(name string) (int, error) {
	// Once it has begun it ends, whoever stops the test meanwhile.
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.site+"/index.php?rest_route=/wp/v2/media", bytes.NewReader(png(name)))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "image/png")
	r.Header.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	r.Header.Set("X-WP-Nonce", b.nonce)
	answer, err := b.http.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// checkPairs holds the images of a site against the rows that name them.
func (k *cluster) checkPairs(install string) {
	k.t.Helper()
	var in api.Install
	k.ready(&in, install)
	rows, err := k.server().QueryContext(k.t.Context(), fmt.Sprintf(
		"SELECT meta_value FROM `%s`.%spostmeta WHERE meta_key = '_wp_attached_file'", in.Status.Database.Name, in.Status.Database.Prefix))
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	halves := map[string]string{}
	for rows.Next() {
		var file string
		if err := rows.Scan(&file); err != nil {
			k.t.Fatal(err)
		}
		halves[path.Base(file)] = "its file"
	}
	if err := rows.Err(); err != nil {
		k.t.Fatal(err)
	}
	whole := 0
	for _, file := range strings.Fields(k.mustKubectl("", "exec", "deploy/"+install, "-c", "web", "--", "find", "/site/www/wp-content/uploads", "-name", "pair-*.png")) {
		name := path.Base(file)
		if halves[name] == "" {
			halves[name] = "its row"
			continue
		}
		delete(halves, name)
		whole++
	}
	if whole == 0 || len(halves) > 0 {
		k.t.Errorf("Install %s has %d whole pairs; of these the named half is missing: %v", install, whole, halves)
	}
	k.t.Logf("Install %s has %d pairs", install, whole)
}
