package controllers_test

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/internal/plan"
)

// configurable is a world with a site whose application can be configured.
func configurable(t *testing.T, edit ...func(*api.Install)) (*world, *api.Install) {
	t.Helper()
	w := newWorld(t)
	a := w.application()
	w.server()
	change(w, a, func(a *api.Application) {
		a.Spec.Recipe.Commands.Configure = &recipe.Command{Interpreter: recipe.InterpreterPHP, Script: "<?php"}
		a.Spec.Fields[1].Settable = true
	})
	return w, w.serving("blog", edit...)
}

// secretOf reads a Secret of the world's namespace.
func (w *world) secretOf(name string) *corev1.Secret {
	w.Helper()
	s := &corev1.Secret{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, s))
	return s
}

func TestEditSettings(t *testing.T) {
	w, in := configurable(t, func(in *api.Install) { in.Spec.Title = "Old" })
	w.location("local", isDefault)
	change(w, in, func(in *api.Install) {
		in.Spec.Title, in.Spec.Fields = "New", map[string]api.FieldValue{"tagline": "short"}
		in.Spec.Admin = &api.AdminSpec{Login: "chief", Email: "chief@example.com"}
	})
	login := string(w.secretOf("blog-admin").Data["username"])
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "bringing spec.fields.tagline, spec.title, spec.admin.login, spec.admin.email to the application")
	p := w.planOf("configure-blog").Configure
	same(t, "the title", p.Site.Title, "New")
	same(t, "the tagline", p.Fields["tagline"], "short")
	same(t, "the login", p.Admin.Login, "chief")
	same(t, "the login before", p.PreviousLogin, login)
	same(t, "the password, which stays", p.Admin.PasswordFile, "")
	same(t, "the database, which stays", p.Database, false)
	same(t, "the generation, which stays", p.Site.Generation, 1)
	same(t, "the holder", in.Status.Operation.Configures, true)
	b := w.backup("meanwhile", "blog")
	w.settle(b)
	w.expect(b, status.InProgressStatus, api.ReasonQueued, "waiting for Install blog")

	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 1")
	same(t, "an operation", in.Status.Operation == nil, true)
	same(t, "the Job", w.there(&batchv1.Job{}, "configure-blog"), false)
	secret := w.secretOf("blog-admin")
	same(t, "the login that is kept", string(secret.Data["username"]), "chief")
	same(t, "the e-mail that is kept", string(secret.Data["email"]), "chief@example.com")
	same(t, "the login in status", in.Status.Admin.Login, "chief")
	w.play(b)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
	w.settle(in)
	same(t, "a second telling", w.there(&batchv1.Job{}, "configure-blog"), false)

	change(w, in, func(in *api.Install) { in.Spec.Fields["sitetitle"] = "mine" })
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "spec.fields.sitetitle cannot be changed")
	change(w, in, func(in *api.Install) { delete(in.Spec.Fields, "sitetitle") })
	w.settle(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

func TestEditThatFails(t *testing.T) {
	w, in := configurable(t)
	w.answers["configure"] = failing(plan.ReasonCommand, "the title is too long")
	change(w, in, func(in *api.Install) { in.Spec.Title = "New" })
	w.play(in)
	w.expect(in, status.FailedStatus, api.ReasonFailed, "serving generation 1", "spec.title could not be brought to the application", "the title is too long")
	same(t, "an operation", in.Status.Operation == nil, true)
	same(t, "the Job", w.there(&batchv1.Job{}, "configure-blog"), false)
	w.settle(in)
	same(t, "a second try", w.there(&batchv1.Job{}, "configure-blog"), false)
	w.clock.advance(time.Hour)
	w.settle(in)
	same(t, "a try an hour later", w.there(&batchv1.Job{}, "configure-blog"), true)
	w.play(in)
	delete(w.answers, "configure")
	change(w, in, func(in *api.Install) { in.Spec.Title = "Newer" })
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	change(w, in, func(in *api.Install) { in.Spec.Title = "Newest" })
	w.settle(in)
	change(w, in, func(in *api.Install) { in.Spec.Title = "Last" }) // While the agent is at it.
	w.finish("configure-blog", plan.Result{})
	w.settle(in)
	same(t, "the title that is told then", w.planOf("configure-blog").Configure.Site.Title, "Last")
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

func TestEditOfAnApplicationThatCannot(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	change(w, in, func(in *api.Install) { in.Spec.Title = "New" })
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "spec.title", "the recipe of Blog cannot change that")
	same(t, "an operation", in.Status.Operation == nil, true)
}

func TestEditOfPasswords(t *testing.T) {
	w, in := configurable(t)
	edit := func(name, value string) {
		secret := w.secretOf(name)
		before := secret.DeepCopy()
		secret.Data["password"] = []byte(value)
		w.must(w.Patch(w.Context(), secret, client.MergeFrom(before)))
	}
	told := func(what string) *plan.Configure {
		t.Helper()
		w.settle(in)
		w.expect(in, status.InProgressStatus, api.ReasonProgressing, what)
		p := w.planOf("configure-blog").Configure
		w.play(in)
		w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
		return p
	}
	edit("blog-admin", "by hand")
	p := told("the password in Secret blog-admin")
	same(t, "the password's file", strings.HasPrefix(p.Admin.PasswordFile, "/secrets/"), true)
	same(t, "the login", p.Admin.Login+p.Admin.Email, "")
	same(t, "the administrator", p.PreviousLogin, string(w.secretOf("blog-admin").Data["username"]))

	edit("blog-database", "by hand")
	p = told("the password in Secret blog-database")
	same(t, "what is told", p.Database && !p.Application, true)
	same(t, "a previous generation", p.Previous == nil, true)

	w.secret(w.ns, "mine", map[string]string{"pass": "chosen\n"})
	change(w, in, func(in *api.Install) {
		in.Spec.Admin = &api.AdminSpec{PasswordSecretRef: &api.SecretKeyReference{Name: "mine", Key: "pass"}}
	})
	told("spec.admin.passwordSecretRef")
	same(t, "the password that is kept", string(w.secretOf("blog-admin").Data["password"]), "chosen")
	wake := make(chan event.GenericEvent, 1)
	poll := &install.SecretPoll{Client: w.Client, Wake: wake}
	look := func() int {
		t.Helper()
		result, err := poll.Reconcile(w.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(in)})
		w.must(err)
		same(t, "the next look at the Secret", result.RequeueAfter, 2*time.Minute)
		return len(wake)
	}
	same(t, "whether it has changed at first", look()+look(), 0)
	mine := w.secretOf("mine")
	mine.Data["pass"] = []byte("chosen again")
	w.must(w.Update(w.Context(), mine))
	same(t, "whether it has changed", look(), 1)
	same(t, "what is woken", (<-wake).Object.GetName(), "blog")
	same(t, "whether it has changed since", look(), 0)
	told("spec.admin.passwordSecretRef")
	same(t, "the password that is kept", string(w.secretOf("blog-admin").Data["password"]), "chosen again")
	// A restore may bring back the login of then.
	w.location("local", isDefault)
	b := w.backup("then", "blog")
	w.play(b)
	r := w.restore("back", "then")
	w.settle(r, in)
	w.finish("restore-back", well(w.planOf("restore-back")))
	w.settle(r, in)
	w.rollOut("blog")
	w.settle(in, r, in)
	p = w.planOf("configure-blog").Configure
	same(t, "the login that is told again", p.Admin.Login, string(w.secretOf("blog-admin").Data["username"]))
	same(t, "the password that is told again", p.Admin.PasswordFile != "", true)
	same(t, "the generation that is told", p.Site.Generation, 2)
	w.play(in, r)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "whether it is told once more", in.Status.Settings.LoginLost, false)

	for _, c := range in.Status.Settings.Told {
		same(t, "what status tells of a password", strings.Contains(c, "chosen"), false)
	}
	w.must(w.Delete(w.Context(), mine))
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonDependencyNotReady, "spec.admin.passwordSecretRef: Secret mine does not exist")
}

// moving is the name of the Upgrade that takes an Install to a URL.
func (w *world) moving(to api.SiteURL) string {
	w.Helper()
	var list api.UpgradeList
	w.must(w.List(w.Context(), &list, client.InNamespace(w.ns)))
	for _, u := range list.Items {
		if u.Spec.URL == to && u.DeletionTimestamp == nil {
			return u.Name
		}
	}
	return ""
}

// hosts are those of a site's Ingress.
func (w *world) hosts() string {
	w.Helper()
	i := &networkingv1.Ingress{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: "blog"}, i))
	var list []string
	for _, r := range i.Spec.Rules {
		list = append(list, replace(r.Host, "."+w.ns+".test"))
	}
	return strings.Join(list, " ")
}

func TestMoveToAnotherURL(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	from, to := in.Spec.URL, api.SiteURL("https://moved."+w.ns+".test/deep/")
	move := func(to api.SiteURL) { change(w, in, func(in *api.Install) { in.Spec.URL = to }) }
	move(to)
	w.settle(in)
	first := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: w.moving(to)}}
	move("http://never." + api.SiteURL(w.ns) + ".test/")
	w.settle(first, in)
	same(t, "an Upgrade that is no longer wanted and had not begun", w.there(&api.Upgrade{}, first.Name), false)
	move(to)
	other := w.moving("http://never." + api.SiteURL(w.ns) + ".test/")
	w.settle(&api.Upgrade{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: other}}, in)

	u := &api.Upgrade{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: w.moving(to)}, u))
	w.settle(u, in)
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "Upgrade "+u.Name+" to URL https://moved.")
	p := w.planOf("upgrade-" + u.Name).Upgrade
	same(t, "the URL to be", p.Site.URL, string(to))
	same(t, "the URL that is", p.FromURL, string(from))
	same(t, "a release", p.Release == nil && p.Update == nil, true)
	same(t, "the hosts before", w.hosts(), "blog")
	w.finish("upgrade-"+u.Name, well(w.planOf("upgrade-"+u.Name)))
	w.settle(u, in)
	same(t, "the hosts meanwhile", w.hosts(), "blog moved")
	same(t, "the URL until it answers", in.Status.URL, string(from))
	w.rollOut("blog")
	w.play(in, u)
	w.expect(u, status.CurrentStatus, api.ReasonSucceeded, "Install blog has moved from http://blog.", "to https://moved.", "in generation 2")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "serving generation 2 at https://moved.")
	same(t, "the URL", in.Status.URL, string(to))
	same(t, "the hosts", w.hosts(), "moved")
	same(t, "the URL that is kept with the login", string(w.secretOf("blog-admin").Data["url"]), string(to))
	same(t, "the version", in.Status.Version, "6.8.7")

	// Going back takes the site back to where it was; it stays there.
	change(w, in, func(in *api.Install) { in.Annotations = map[string]string{api.AnnotationGoBack: "1"} })
	w.play(in)
	same(t, "the URL of the generation before", in.Status.URL, string(from))
	same(t, "its host", w.hosts(), "blog")
	w.expect(in, status.FailedStatus, api.ReasonFailed, "the site is at http://blog.", "as before Upgrade "+u.Name, "delete the Upgrade")
	move(from)
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "serving generation 1 at http://blog.")
	move(from[:len(from)-1])
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the same place in other letters", in.Status.URL+"/", string(from))
}

func TestMoveThatCannotBe(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	taken := w.serving("taken")
	move := func(to api.SiteURL) { change(w, in, func(in *api.Install) { in.Spec.URL = to }) }
	move(taken.Spec.URL)
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "spec.url http://taken.", "is taken by Install taken")
	same(t, "an Upgrade", w.moving(taken.Spec.URL), "")

	to := api.SiteURL("http://new." + w.ns + ".test/")
	w.answers["upgrade"] = failing(plan.ReasonDiskFull, "the disk is full")
	move(to)
	w.settle(in)
	u := &api.Upgrade{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: w.moving(to)}, u))
	w.play(u, in)
	w.expect(u, status.FailedStatus, api.ReasonFailed, "the disk is full", "Install blog serves at http://blog.")
	w.expect(in, status.FailedStatus, api.ReasonFailed, "to URL http://new.", "is not repeated until it is deleted")
	same(t, "the host", w.hosts(), "blog")
	byHand := w.upgrade("by-hand", "blog", func(u *api.Upgrade) { u.Spec.URL = "http://by-hand." + api.SiteURL(w.ns) + ".test/" })
	w.settle(byHand)
	w.expect(byHand, status.FailedStatus, api.ReasonInvalidSpec, "Install blog is to be at http://new.", "change its spec.url")

	// Of two that want one place, the older one gets it.
	younger := w.serving("younger")
	want := api.SiteURL("http://wanted." + w.ns + ".test/")
	change(w, younger, func(in *api.Install) { in.Spec.URL = want })
	w.settle(younger)
	second := &api.Upgrade{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: w.moving(want)}, second))
	move(want)
	w.settle(second, younger)
	w.expect(second, status.FailedStatus, api.ReasonInvalidSpec, "is taken by Install blog")
}

func TestInspect(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	w.answers["inspect"] = func(p plan.Plan) plan.Result {
		same(t, "the generation", p.Inspect.Site.Generation, 1)
		return plan.Result{Version: "6.8.8", SchemaVersion: "7", Files: 3, Bytes: 4, DatabaseBytes: 5, Title: "Seen", More: 2,
			Plugins: []plan.Component{{Name: "one", Version: "1", Latest: "2", Active: true}}, Themes: []plan.Component{{Name: "two"}}}
	}
	same(t, "an inspection right away", w.there(&batchv1.Job{}, "inspect-blog"), false)
	same(t, "the next look", w.settle(in).RequeueAfter > 9*time.Minute, true)
	change(w, in, func(in *api.Install) { in.Annotations = map[string]string{api.AnnotationInspect: "now"} })
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the annotation", in.Annotations[api.AnnotationInspect], "")
	same(t, "the Job", w.there(&batchv1.Job{}, "inspect-blog"), false)
	same(t, "the version", in.Status.Version+in.Status.SchemaVersion, "6.8.87")
	same(t, "the plugins", in.Status.Plugins[0], api.ComponentStatus{Name: "one", Version: "1", Latest: "2", Active: true})
	same(t, "the themes", in.Status.Themes[0].Name, "two")
	same(t, "the size", *in.Status.Size, api.SizeStatus{Files: 3, Bytes: 4, DatabaseBytes: 5})
	same(t, "the title", in.Status.Inspection.Title, "Seen")
	same(t, "how many are not listed", in.Status.Inspection.More, 2)
	same(t, "the next look", w.settle(in).RequeueAfter, 24*time.Hour)

	w.answers["inspect"] = failing(plan.ReasonCommand, "the application is broken")
	w.clock.advance(24 * time.Hour)
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "what is said", in.Status.Inspection.Message, "the application is broken")
	same(t, "the plugins", len(in.Status.Plugins), 1)
	same(t, "the next look", w.settle(in).RequeueAfter, time.Hour)

	// Nothing is looked at while somebody works on the site.
	w.location("local", isDefault)
	b := w.backup("one", "blog")
	w.settle(b)
	w.clock.advance(time.Hour)
	w.settle(in)
	same(t, "an inspection beside a Backup", w.there(&batchv1.Job{}, "inspect-blog"), false)
	w.play(b, in)
	same(t, "when it was looked at", in.Status.Inspection.Time.Time.Equal(w.clock.Now()), true)
}
