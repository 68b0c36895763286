package controllers_test

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// outdated is a world with a site of release 6.7.5 on PHP 8.2, and 6.8.7, which needs PHP 8.4, in the catalogue.
func outdated(t *testing.T, edit ...func(*api.Install)) (*world, *api.Install) {
	t.Helper()
	w := newWorld(t)
	a := w.application()
	w.server()
	in := w.serving("blog", append(edit, func(in *api.Install) { in.Spec.Version = "6.7.5" })...)
	same(t, "the runtime", in.Status.Runtime, "php-8.2")
	change(w, a, func(a *api.Application) {
		a.Spec.Releases[1].Requirements.PHP, a.Spec.Releases[1].UpgradeFrom = "8.4-", "6.7-"
		a.Spec.Recipe.Commands.Update = nil
	})
	w.settle(in)
	return w, in
}

// upgrade makes an Upgrade of an Install.
func (w *world) upgrade(name, install string, edit ...func(*api.Upgrade)) *api.Upgrade {
	w.Helper()
	u := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns}, Spec: api.UpgradeSpec{InstallRef: api.LocalReference{Name: install}}}
	for _, f := range edit {
		f(u)
	}
	w.create(u)
	return u
}

func TestUpgradeToAnotherRuntime(t *testing.T) {
	w, in := outdated(t)
	c := w.condition(in, api.ConditionUpdateAvailable)
	same(t, "UpdateAvailable", c.Status, metav1.ConditionTrue)
	same(t, "what it says", c.Message, "Blog 6.7.5 can be upgraded to 6.8.7")
	same(t, "the latest version", in.Status.LatestVersion, "6.8.7")

	u := w.upgrade("up", "blog", func(u *api.Upgrade) { u.Spec.Plugins, u.Spec.Themes = []string{"*"}, []string{"one"} })
	w.settle(u, in)
	w.expect(u, status.InProgressStatus, api.ReasonProgressing, "starting")
	p := w.planOf("upgrade-up").Upgrade
	same(t, "the release", p.Release.Version, "6.8.7")
	same(t, "the version that serves", p.FromVersion, "6.7.5")
	same(t, "the generation that serves", p.FromGeneration, 1)
	same(t, "its database", p.FromDatabase, names.Database(string(in.UID), 1))
	same(t, "the generation to make", p.Site.Generation, 2)
	same(t, "its database", p.Site.Database.Name, names.Database(string(in.UID), 2))
	same(t, "its runtime", p.Site.Runtime, "php-8.4")
	same(t, "plugins", len(p.Update.Plugins), 1)
	same(t, "themes", p.Update.Themes[0], "one")
	same(t, "the image that it is made in", w.job("upgrade-up").Spec.Template.Spec.Containers[0].Image, "example/runtime:php-8.4")
	same(t, "the image that serves", w.image(), "example/runtime:php-8.2")
	b := w.backup("meanwhile", "blog")
	w.location("local", isDefault)
	w.settle(b)
	w.expect(b, status.InProgressStatus, api.ReasonQueued, "waiting for Upgrade up")

	w.finish("upgrade-up", well(w.planOf("upgrade-up")))
	w.settle(u, in)
	w.expect(u, status.InProgressStatus, api.ReasonProgressing, "switching to generation 2")
	same(t, "the image of the new generation", w.image(), "example/runtime:php-8.4")
	same(t, "the version until it answers", in.Status.Version, "6.7.5")
	w.rollOut("blog")
	w.settle(in, u)
	w.expect(u, status.InProgressStatus, api.ReasonProgressing, "letting visitors in again")
	same(t, "the volume that visitors are let in to", w.planOf("resume-up").Resume.Volume, "/volume")
	w.finish("resume-up", plan.Result{})
	w.play(u, in, b)
	w.expect(u, status.CurrentStatus, api.ReasonSucceeded, "Install blog is upgraded from 6.7.5 to 6.8.7, in generation 2")
	same(t, "the Job that let them in", w.there(&batchv1.Job{}, "resume-up"), false)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 2")
	same(t, "the version", in.Status.Version, "6.8.7")
	same(t, "the runtime", in.Status.Runtime, "php-8.4")
	same(t, "UpdateAvailable", w.condition(in, api.ConditionUpdateAvailable).Status, metav1.ConditionFalse)
	w.checkGoingBack(in)
}

// TestAnotherRuntime brings a site to another runtime in the version that it has.
func TestAnotherRuntime(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog", func(in *api.Install) { in.Spec.Version = "6.7.5" })
	same(t, "the runtime", in.Status.Runtime, "php-8.2")
	change(w, in, func(in *api.Install) { in.Spec.Runtime.Name = "php-8.4" })
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "spec.runtime.name php-8.4", "6.7.5 needs PHP 7.2.24-8.3.999", "stays on php-8.2")
	change(w, in, func(in *api.Install) { in.Spec.Runtime.Name = "php-9.9" })
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "spec.runtime.name php-9.9")
	change(w, in, func(in *api.Install) { in.Spec.Runtime.Name = "php-7.4" })
	w.settle(in)
	u := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "blog-runtime-1-php-7-4"}}
	w.settle(u, in)
	p := w.planOf("upgrade-" + u.Name).Upgrade
	same(t, "what is upgraded", p.Release == nil && p.Update == nil && p.FromURL == "", true)
	same(t, "the runtime to be", p.Site.Runtime, "php-7.4")
	w.play(u, in)
	w.expect(u, status.CurrentStatus, api.ReasonSucceeded, "Install blog runs on php-7.4, in generation 2")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 2")
	same(t, "the image", w.image(), "example/runtime:php-7.4")
	same(t, "the version", in.Status.Version, "6.7.5")
	again := w.upgrade("again", "blog", func(u *api.Upgrade) { u.Spec.Version = "current" })
	w.settle(again)
	w.expect(again, status.FailedStatus, api.ReasonInvalidSpec, "there is nothing to do")
}

// image is what the site's pods run.
func (w *world) image() string {
	w.Helper()
	return w.deployment("blog").Spec.Template.Spec.Containers[0].Image
}

// checkGoingBack goes back to generation 1 of an upgraded site, and forth again.
func (w *world) checkGoingBack(in *api.Install) {
	w.Helper()
	back := func(to string) {
		change(w, in, func(in *api.Install) { in.Annotations = map[string]string{api.AnnotationGoBack: to} })
	}
	back("7")
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "serving generation 2", `"7" is not the previous generation, which is 1`)
	back("1")
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "generation 1 is starting")
	same(w, "the image", w.image(), "example/runtime:php-8.2")
	same(w, "the holder", in.Status.Operation.Kind, "Install")
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 1")
	same(w, "the generation", in.Status.Generation, 1)
	same(w, "the version", in.Status.Version, "6.7.5")
	same(w, "the runtime", in.Status.Runtime, "php-8.2")
	same(w, "the database", in.Status.Database.Name, names.Database(string(in.UID), 1))
	same(w, "the previous generation", in.Status.PreviousGeneration, 2)
	same(w, "the annotation", in.Annotations[api.AnnotationGoBack], "")
	same(w, "an operation", in.Status.Operation == nil, true)

	back("2")
	w.settle(in)
	w.getStuck("blog", 1)
	w.settle(in)
	w.play(in)
	same(w, "the generation, as the other does not answer", in.Status.Generation, 1)
	same(w, "the switch", in.Status.LastSwitch.Outcome, api.SwitchFailed)
	same(w, "the annotation", in.Annotations[api.AnnotationGoBack], "")
	back("2")
	w.play(in)
	same(w, "the generation, as it answers the second time", in.Status.Generation, 2)
	same(w, "the version", in.Status.Version, "6.8.7")
	same(w, "the image", w.image(), "example/runtime:php-8.4")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 2")
}

// before is the Backup that an Upgrade makes first, whether it is there yet or not.
func (w *world) before(u *api.Upgrade) *api.Backup {
	return &api.Backup{ObjectMeta: metav1.ObjectMeta{Name: names.BackupBefore(u.Name, string(u.UID)), Namespace: w.ns}}
}

func TestUpgradeAfterBackup(t *testing.T) {
	w, in := outdated(t)
	u := w.upgrade("up", "blog", func(u *api.Upgrade) { u.Spec.Backup = true })
	before := w.before(u)
	w.settle(u)
	w.expect(u, status.InProgressStatus, api.ReasonDependencyNotReady, "waiting for Backup "+before.Name)
	w.settle(before, u)
	w.expect(before, status.FailedStatus, api.ReasonInvalidSpec) // There is no location.
	w.expect(u, status.FailedStatus, api.ReasonFailed, "nothing was changed", before.Name+" failed", "delete it")
	w.location("local", isDefault)
	w.remove(before)
	w.settle(before, u)
	w.play(before, u, in)
	w.expect(before, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(u, status.CurrentStatus, api.ReasonSucceeded, "from 6.7.5 to 6.8.7")
	same(t, "the Backup", u.Status.Backup, before.Name)
	same(t, "its note", before.Spec.Note, "before Upgrade up from 6.7.5 to 6.8.7")
	same(t, "how long it is kept", before.Status.ExpirationTime.Sub(w.clock.Now()), 30*24*time.Hour)
	same(t, "what it is of", before.Status.StartTime.After(u.Status.StartTime.Time), false)
	w.remove(u)
	w.play(u, in)
	same(t, "the Backup of an Upgrade that is gone", w.version(before) != "", true)

	next := w.upgrade("next", "blog", func(u *api.Upgrade) { u.Spec.Backup, u.Spec.Version, u.Spec.Plugins = true, "current", []string{"*"} })
	foreign := w.backup(w.before(next).Name, "blog")
	w.play(foreign, next, in)
	w.expect(next, status.FailedStatus, api.ReasonInvalidSpec, "Backup "+foreign.Name+" is there already")
}

func TestUpgradeThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(w *world, in *api.Install)
		says string
	}{
		"in the agent": {func(w *world, _ *api.Install) {
			w.finish("upgrade-up", failing(plan.ReasonCommand, "command upgrade: no more room")(plan.Plan{}))
		}, "no more room; Install blog serves 6.7.5 as before"},
		"without an answer": {func(w *world, _ *api.Install) { w.conclude("upgrade-up", true) }, "the agent gave no answer"},
		"at the switch": {func(w *world, in *api.Install) {
			w.finish("upgrade-up", well(w.planOf("upgrade-up")))
			w.settle(&api.Upgrade{ObjectMeta: metav1.ObjectMeta{Name: "up", Namespace: w.ns}}, in)
			w.getStuck("blog", 1)
			w.settle(in)
			w.rollOut("blog")
		}, "generation 2 did not answer within 180 seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			w, in := outdated(t)
			u := w.upgrade("up", "blog")
			w.settle(u, in)
			c.end(w, in)
			w.settle(in, u)
			w.expect(u, status.InProgressStatus, api.ReasonProgressing, "letting visitors in again")
			w.play(u, in)
			w.expect(u, status.FailedStatus, api.ReasonFailed, c.says)
			w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 1")
			same(t, "the version", in.Status.Version, "6.7.5")
			same(t, "the image", w.image(), "example/runtime:php-8.2")
			same(t, "databases", len(w.databases(in)), 1)
			same(t, "an operation", in.Status.Operation == nil, true)
			same(t, "the Job that let visitors in", w.there(&batchv1.Job{}, "resume-up"), false)
		})
	}
}

// TestUpgradeDeleted is deleted while its agent works: visitors are let in again before it goes.
func TestUpgradeDeleted(t *testing.T) {
	w, in := outdated(t)
	u := w.upgrade("up", "blog")
	w.settle(u, in)
	w.remove(u)
	w.settle(u)
	same(t, "the agent", w.there(&batchv1.Job{}, "upgrade-up"), false)
	same(t, "the Job that lets visitors in", w.there(&batchv1.Job{}, "resume-up"), true)
	same(t, "the Upgrade", w.version(u) != "", true)
	w.play(u, in)
	same(t, "the Upgrade in the end", w.version(u), "")
	same(t, "the Job in the end", w.there(&batchv1.Job{}, "resume-up"), false)
	same(t, "databases", len(w.databases(in)), 1)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 1")

	never := w.upgrade("never", "nobody")
	w.settle(never)
	w.expect(never, status.FailedStatus, api.ReasonInvalidSpec, "Install nobody does not exist")
	w.remove(never)
	w.settle(never)
	same(t, "an Upgrade of no Install", w.version(never), "")
}

func TestUpgradeRefuses(t *testing.T) {
	w, in := outdated(t)
	for name, c := range map[string]struct {
		edit   func(*api.Upgrade)
		want   status.Status
		reason string
		says   string
	}{
		"older":   {func(u *api.Upgrade) { u.Spec.Version = "6.7.1" }, status.FailedStatus, api.ReasonInvalidSpec, "nothing is downgraded"},
		"unknown": {func(u *api.Upgrade) { u.Spec.Version = "6.9" }, status.FailedStatus, api.ReasonInvalidSpec, "newer than 6.7.5 it has 6.8.7, 7.0"},
		"php":     {func(u *api.Upgrade) { u.Spec.Version = "7.0" }, status.FailedStatus, api.ReasonInvalidSpec, "it needs PHP 8.6-"},
		"nothing": {func(u *api.Upgrade) { u.Spec.Version = "current" }, status.FailedStatus, api.ReasonInvalidSpec, "nothing to do"},
		"same":    {func(u *api.Upgrade) { u.Spec.Version = "6.7.5" }, status.CurrentStatus, api.ReasonSucceeded, "is of version 6.7.5 already"},
	} {
		u := w.upgrade(name, "blog", c.edit)
		w.settle(u, in)
		w.expect(u, c.want, c.reason, c.says)
	}
	same(t, "generations", in.Status.HighestGeneration, 1)
}

func TestFloorUpgrades(t *testing.T) {
	w, in := outdated(t)
	w.answers["upgrade"] = failing(plan.ReasonCommand, "no more room")
	change(w, in, func(in *api.Install) { in.Spec.Version = "6.8.7" })
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "Upgrade blog-6-8-7")
	u := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Name: "blog-6-8-7", Namespace: w.ns}}
	w.play(u, in)
	same(t, "a backup first", u.Spec.Backup, false)
	same(t, "the owner", metav1.IsControlledBy(u, in), true)
	w.expect(u, status.FailedStatus, api.ReasonFailed, "no more room")
	w.expect(in, status.FailedStatus, api.ReasonFailed, "Upgrade blog-6-8-7 to version 6.8.7 failed, and is not repeated until it is deleted", "no more room")
	same(t, "Serving", w.condition(in, api.ConditionServing).Status, metav1.ConditionTrue)

	delete(w.answers, "upgrade")
	w.remove(u)
	w.play(u, in)
	w.play(u, in)
	w.expect(u, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the version", in.Status.Version, "6.8.7")

	change(w, in, func(in *api.Install) { in.Annotations = map[string]string{api.AnnotationGoBack: "1"} })
	w.play(in)
	same(t, "the version after going back", in.Status.Version, "6.7.5")
	w.expect(in, status.FailedStatus, api.ReasonFailed, "version 6.7.5 serves, as before Upgrade blog-6-8-7 to version 6.8.7")
	change(w, in, func(in *api.Install) { in.Spec.Version = "6.7.5" })
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	change(w, in, func(in *api.Install) { in.Spec.Version = "9.9" })
	w.play(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "spec.version 9.9 is not a release")
}

func TestUpdatePolicy(t *testing.T) {
	w, in := outdated(t)
	w.location("local", isDefault)
	policy := func(p api.UpdatePolicy) {
		change(w, in, func(in *api.Install) { in.Spec.Updates = &api.UpdatesSpec{Policy: p} })
		w.settle(in)
	}
	policy(api.UpdateMinor)
	same(t, "an Upgrade of another branch", w.there(&api.Upgrade{}, "blog-6-8-7"), false)
	app := &api.Application{ObjectMeta: named("app-" + w.ns)}
	change(w, app, func(a *api.Application) {
		a.Spec.Releases = append(a.Spec.Releases, release("6.7.9", "7.2.24-8.3.999"))
	})
	w.settle(in)
	minor := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Name: "blog-6-7-9", Namespace: w.ns}}
	same(t, "an Upgrade of the branch", w.version(minor) != "", true)
	same(t, "a backup first", minor.Spec.Backup, true)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 1")
	before := w.before(minor)
	w.settle(minor)
	w.play(before, minor, in)
	same(t, "the version", in.Status.Version, "6.7.9")

	w.answers["upgrade"] = failing(plan.ReasonCommand, "no more room")
	policy(api.UpdateAny)
	newest := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Name: "blog-6-8-7", Namespace: w.ns}}
	w.settle(newest)
	before = w.before(newest)
	w.play(before, newest, in)
	w.expect(newest, status.FailedStatus, api.ReasonFailed, "no more room")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "what is said of it", contains(w.condition(in, api.ConditionUpdateAvailable).Message, "Upgrade blog-6-8-7 to version 6.8.7 failed"), true)
	highest := in.Status.HighestGeneration
	w.clock.advance(24 * time.Hour)
	w.play(newest, in)
	same(t, "tries", in.Status.HighestGeneration, highest)
	w.must(w.DeleteAllOf(t.Context(), &api.Backup{}, client.InNamespace(w.ns)))
}
