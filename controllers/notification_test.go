package controllers_test

import (
	"io"
	"net/mail"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/notification"
	"github.com/sitewright/sitewright/internal/notify"
	"github.com/sitewright/sitewright/internal/notify/notifytest"
	"github.com/sitewright/sitewright/internal/plan"
)

// post is a mail server, and who sends mails by it.
type post struct {
	*world
	server *notifytest.Server
	mail   notification.Mail
}

func (w *world) post(defaults ...api.NotificationEvent) *post {
	w.Helper()
	s := notifytest.Start(w, notify.STARTTLS)
	texts, err := notify.LoadTexts("")
	w.must(err)
	return &post{w, s, notification.Mail{Server: s.Server, Texts: texts, Events: defaults}}
}

// tell reconciles an object as who sends mails does.
func (p *post) tell(o client.Object) error {
	p.Helper()
	for _, kind := range notification.Kinds() {
		if kind.Name() == kindOf(o) {
			r := &notification.Reconciler{Client: p.Client, Live: cluster.live, Now: p.clock.Now, Mail: p.mail, Kind: kind}
			_, err := r.Reconcile(p.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
			return err
		}
	}
	p.Fatalf("there is nothing to tell of a %s", kindOf(o))
	return nil
}

// told has an object told of twice, and sees that it makes just these mails, by words of their subjects and texts.
func (p *post) told(o client.Object, to string, words ...string) {
	p.Helper()
	before := len(p.server.Mails(p))
	for range 2 {
		p.must(p.tell(o))
	}
	var got []*mail.Message
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = p.server.Mails(p)[before:]; len(got) >= len(words) && len(words) > 0 {
			break
		}
		if len(words) == 0 {
			time.Sleep(300 * time.Millisecond)
			break
		}
	}
	if len(got) != len(words) {
		p.Fatalf("%d mails were sent, not %d", len(got), len(words))
	}
	all := ""
	for _, m := range got {
		text, err := io.ReadAll(m.Body)
		p.must(err)
		all += m.Header.Get("Subject") + "\n" + string(text)
		same(p, "the receiver", m.Header.Get("To"), "<"+to+">")
	}
	for _, word := range words {
		same(p, "whether the mails say "+word, strings.Contains(all, word), true)
	}
}

func (p *post) want(in *api.Install, events ...api.NotificationEvent) {
	p.Helper()
	change(p.world, in, func(in *api.Install) {
		in.Spec.Notifications = &api.NotificationsSpec{To: "owner@site.example", Events: events}
	})
}

func TestNotifications(t *testing.T) {
	w := newWorld(t)
	p := w.post("install")
	w.clock.now = time.Now() // An Install's age is by the API server's clock.
	in := w.serving("blog", func(in *api.Install) { in.Spec.Version = "6.7.5" })
	secret := w.secretOf("blog-admin")
	p.told(in, string(secret.Data["email"]), "Blog is installed: http://blog.")
	w.settle(in)
	same(t, "what is written down", strings.Join(in.Status.Notified, ","), "install")
	w.play(in)
	same(t, "what is written down when somebody else writes", strings.Join(in.Status.Notified, ","), "install")

	p.want(in, "update_available", "plugin_update_available", "backup", "backup_error", "clone", "update", "restore_error")
	p.told(in, "owner@site.example", "Blog 6.8.7 is to be had for blog")
	w.answers["inspect"] = func(plan.Plan) plan.Result {
		return plan.Result{Version: "6.7.5", Plugins: []plan.Component{{Name: "one", Version: "1.9", Latest: "1.10"}, {Name: "two", Version: "2", Latest: "2"}}}
	}
	change(w, in, func(in *api.Install) { in.Annotations = map[string]string{api.AnnotationInspect: "now"} })
	w.play(in)
	p.told(in, "owner@site.example", "one 1.9 (1.10 is to be had)")

	b := w.backup("early", "blog")
	w.settle(b)
	p.told(b, "owner@site.example", "The backup of blog failed")
	w.location("local", isDefault)
	w.play(b)
	p.told(b, "owner@site.example", "blog is backed up")
	u := w.upgrade("up", "blog")
	w.play(u, in)
	p.told(u, "owner@site.example", "blog is upgraded to Blog")
	r := w.restore("back", "early")
	w.play(r, in)
	p.told(r, "") // It went well, and only failures are asked for.
	c := w.cloneOf("copy", "blog", "copy")
	copied := &api.Install{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "copy"}}
	w.settle(c)
	w.play(c, copied, in)
	p.told(c, "owner@site.example", "The copy is at http://copy.")
	p.told(copied, "") // Its owner has not asked, and the Clone has told.
}

func TestNotificationsWait(t *testing.T) {
	w := newWorld(t)
	p := w.post()
	w.clock.now = time.Now()
	in := w.serving("blog")
	w.location("local", isDefault)
	p.want(in, "backup")
	b := w.backup("one", "blog")
	w.play(b)
	p.server.Kill()
	same(t, "an error while the mail server is down", p.tell(b) != nil, true)
	w.settle(b)
	same(t, "what is written down", len(b.Status.Notified), 0)
	p.server.Daemon.Start(t)
	w.clock.advance(23 * time.Hour)
	p.told(b, "owner@site.example", "blog is backed up")

	// What will never be taken is not tried again, and what is old is no news.
	change(w, in, func(in *api.Install) { in.Spec.Notifications.To = "nobody@site.example" })
	b = w.backup("two", "blog")
	w.play(b)
	p.told(b, "")
	w.settle(b)
	same(t, "what is written down of a mail that was refused", strings.Join(b.Status.Notified, ","), "backup")
	p.want(in)
	b = w.backup("three", "blog")
	w.play(b)
	p.told(b, "")
	p.want(in, "backup")
	w.clock.advance(25 * time.Hour)
	p.told(b, "")

	failing := w.site("never", func(in *api.Install) {
		in.Spec.Version = "0.1"
		in.Spec.Notifications = &api.NotificationsSpec{To: "owner@site.example", Events: []api.NotificationEvent{"install_error"}}
	})
	w.clock.now = time.Now()
	w.settle(failing)
	p.told(failing, "owner@site.example", "Blog could not be installed: http://never.")
}
