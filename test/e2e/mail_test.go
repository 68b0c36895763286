package e2e

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/notify/notifytest"
)

// mailFolder is where the local cluster's mail server keeps what it was given.
const mailFolder = "/run/sitewright/mail"

// mails are the texts of those to an address, by their subjects.
func (k *cluster) mails(to string) map[string][]string {
	k.t.Helper()
	list := map[string][]string{}
	for _, m := range notifytest.Mails(k.t, mailFolder) {
		if m.Header.Get("To") != "<"+to+">" {
			continue
		}
		text, err := io.ReadAll(m.Body)
		if err != nil {
			k.t.Fatal(err)
		}
		subject := m.Header.Get("Subject")
		list[subject] = append(list[subject], string(text))
	}
	return list
}

// mailed waits for a mail, and sees that there is one of it.
func (k *cluster) mailed(to, subject string, words ...string) {
	k.t.Helper()
	k.eventually(fmt.Sprintf("a mail %q to %s", subject, to), func() (bool, string) {
		list := k.mails(to)
		return len(list[subject]) > 0, fmt.Sprint(list)
	})
	got := k.mails(to)[subject]
	if len(got) != 1 {
		k.t.Errorf("%q was sent %d times", subject, len(got))
	}
	for _, word := range words {
		if !strings.Contains(got[0], word) {
			k.t.Errorf("%q does not say %q:\n%s", subject, word, got[0])
		}
	}
}

// TestMail has people told of their site by a real mail server.
func TestMail(t *testing.T) {
	k := newCluster(t, "e2e-mail")
	k.locations()
	to := fmt.Sprintf("owner-%d@site.localtest", time.Now().UnixNano())
	k.apply(fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec:
  application: wordpress
  version: 6.8.7
  url: http://mail.localtest/
  title: Tom & Grüße
  admin: {login: chief}
  notifications:
    to: %s
    events: [install, update_available, backup_error, backup, clone, plugin_update_available]
`, to))
	_, password := k.credentials("blog")
	k.mailed(to, "WordPress is installed: http://mail.localtest/", "http://mail.localtest/wp-admin/ as chief")
	k.mailed(to, "=?UTF-8?q?WordPress_6.8.12_is_to_be_had_for_Tom_&_Gr=C3=BC=C3=9Fe?=", "runs WordPress 6.8.7")
	k.apply(`
{apiVersion: sitewright.dev/v1alpha1, kind: Backup, metadata: {name: good}, spec: {installRef: {name: blog}}}
---
{apiVersion: sitewright.dev/v1alpha1, kind: Backup, metadata: {name: bad}, spec: {installRef: {name: blog}, locationRef: {name: nowhere}}}
---
{apiVersion: sitewright.dev/v1alpha1, kind: Clone, metadata: {name: copy}, spec: {sourceRef: {name: blog}, to: {name: copy, url: "http://mail-copy.localtest/"}}}
`)
	k.ready(&api.Backup{}, "good")
	k.ready(&api.Clone{}, "copy")
	prefix := "=?UTF-8?q?"
	k.mailed(to, prefix+"Tom_&_Gr=C3=BC=C3=9Fe_is_backed_up?=")
	k.mailed(to, prefix+"Tom_&_Gr=C3=BC=C3=9Fe_is_copied?=", "http://mail-copy.localtest/")
	k.eventually("the mail about the Backup that cannot be made", func() (bool, string) {
		list := k.mails(to)
		for subject, texts := range list {
			if strings.Contains(subject, "failed") || strings.Contains(subject, "The_backup_of") {
				return strings.Contains(texts[0], "BackupLocation nowhere"), texts[0]
			}
		}
		return false, fmt.Sprint(list)
	})
	time.Sleep(3 * time.Second) // Whatever is sent twice is sent at once.
	total := 0
	for subject, texts := range k.mails(to) {
		total += len(texts)
		for _, text := range texts {
			if strings.Contains(text, password) {
				t.Errorf("%q holds the password", subject)
			}
		}
	}
	if total != 5 {
		t.Errorf("%d mails were sent: %v", total, k.mails(to))
	}
	var in api.Install
	if err := k.Get(t.Context(), client.ObjectKey{Namespace: k.namespace, Name: "blog"}, &in); err != nil || len(in.Status.Notified) != 2 {
		t.Errorf("%v was told: %v", in.Status.Notified, err)
	}
}
