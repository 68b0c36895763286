package controllers_test

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

func TestRestoreWaits(t *testing.T) {
	w := newWorld(t)
	r := w.restore("back", "monday")
	w.settle(r)
	w.expect(r, status.FailedStatus, api.ReasonInvalidSpec, "spec.backupRef: Backup monday does not exist")
	in := w.serving("blog")
	w.location("local", isDefault)
	b := w.backup("monday", "blog")
	w.settle(b, r)
	w.expect(r, status.InProgressStatus, api.ReasonDependencyNotReady, "Backup monday is not ready: starting")
	w.play(b, r, in)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded)

	w.answers["backup"] = failing(plan.ReasonDenied, "the keys are refused")
	bad := w.backup("tuesday", "blog")
	w.play(bad, in)
	failed := w.restore("failed", "tuesday")
	w.settle(failed)
	w.expect(failed, status.FailedStatus, api.ReasonInvalidSpec, "Backup tuesday failed and has nothing to restore: the keys are refused")

	w.answers["restore"] = failing(plan.ReasonCorrupt, "a file is not what was backed up")
	corrupt := w.restore("corrupt", "monday")
	generation := in.Status.Generation
	w.play(corrupt, in)
	w.expect(corrupt, status.FailedStatus, api.ReasonFailed, "a file is not what was backed up; Install blog serves as before")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the generation", in.Status.Generation, generation)
	same(t, "an operation", in.Status.Operation == nil, true)
	w.remove(in)
	w.settle(in)
	gone := w.restore("gone", "monday")
	w.settle(gone)
	w.expect(gone, status.FailedStatus, api.ReasonInvalidSpec, "Install blog is gone: set spec.to")
}

func TestRestoreDeletedWhileItRuns(t *testing.T) {
	w, in, _ := backedUp(t)
	r := w.restore("back", "monday")
	w.settle(r, in)
	same(t, "generations", len(in.Status.Generations), 2)
	w.remove(r)
	w.play(r, in)
	same(t, "the Restore", w.version(r), "")
	same(t, "the Job", w.there(&batchv1.Job{}, "restore-back"), false)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "generations", len(in.Status.Generations), 1)
	same(t, "databases", len(w.databases(in)), 1)
}

func TestRestoreOntoExistingDatabase(t *testing.T) {
	w, in, _ := backedUp(t)
	// The schema lets nobody add an existing database to a site, so the Backup is of one and the Install of its name another.
	w.remove(in)
	w.settle(in)
	w.site("blog", func(in *api.Install) {
		in.Spec.Database = &api.DatabaseTarget{Existing: &api.ExistingDatabase{Host: "db", Name: "n", User: "u", PasswordSecretRef: api.SecretKeyReference{Name: "s", Key: "k"}}}
	})
	r := w.restore("back", "monday")
	w.settle(r)
	w.expect(r, status.FailedStatus, api.ReasonNotImplemented, "spec.database.existing", "spec.to")
}

func to(name string, edit ...func(*api.RestoreTarget)) func(*api.Restore) {
	return func(r *api.Restore) {
		r.Spec.To = &api.RestoreTarget{CopyTarget: api.CopyTarget{Name: name, URL: api.SiteURL("http://" + name + "." + r.Namespace + ".test/")}}
		for _, f := range edit {
			f(r.Spec.To)
		}
	}
}

func TestRestoreElsewhere(t *testing.T) {
	w, in, _ := backedUp(t)
	r := w.restore("move", "monday", to("blog-old"))
	w.settle(r)
	w.expect(r, status.InProgressStatus, api.ReasonProgressing, "Install blog-old")
	made := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "blog-old", Namespace: w.ns}}
	version := w.version(made)
	same(t, "the application", made.Spec.Application, in.Spec.Application)
	same(t, "the source", made.Spec.Bootstrap.Backup.BackupRef.Name, "monday")
	same(t, "the server", made.Spec.Database.ServerRef.Name, in.Spec.Database.ServerRef.Name)
	w.settle(r)
	same(t, "the Install after another look", w.version(made), version)

	w.settle(made, r)
	p := w.planOf("bootstrap-blog-old").Restore
	same(t, "a new site", p.NewSite, true)
	same(t, "the generation", p.Site.Generation, 1)
	same(t, "the name", p.Site.Name, "blog-old")
	w.play(made, r)
	w.expect(made, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded, "blog-old")
	same(t, "the Install", r.Status.Install, "blog-old")
	same(t, "the url", r.Status.URL, made.Status.URL)
	same(t, "the login", w.password("blog-old"), w.password("blog"))
	w.remove(r)
	w.settle(r)
	same(t, "the Restore", w.version(r), "")
	w.expect(made, status.CurrentStatus, api.ReasonSucceeded)

	foreign := w.restore("onto", "monday", to("blog"))
	w.settle(foreign)
	w.expect(foreign, status.FailedStatus, api.ReasonInvalidSpec, "spec.to.name: Install blog exists already")
	same(t, "the end", foreign.Status.CompletionTime == nil, true)
}

func TestRestoreElsewhereFails(t *testing.T) {
	w, _, _ := backedUp(t)
	w.answers["restore"] = failing(plan.ReasonMissing, "the snapshot is gone")
	r := w.restore("move", "monday", to("blog-old"))
	made := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "blog-old", Namespace: w.ns}}
	w.settle(r)
	w.play(made, r)
	w.expect(made, status.FailedStatus, api.ReasonFailed, "the snapshot is gone")
	w.expect(r, status.FailedStatus, api.ReasonFailed, "Install blog-old", "the snapshot is gone")
	same(t, "the end", r.Status.CompletionTime == nil, false)
}

// password is the administrator's.
func (w *world) password(install string) string {
	w.Helper()
	s := &corev1.Secret{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: install + "-admin"}, s))
	return string(s.Data["password"])
}

func (w *world) cloneOf(name, source, target string) *api.Clone {
	w.Helper()
	c := &api.Clone{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns}, Spec: api.CloneSpec{SourceRef: api.LocalReference{Name: source},
		To: api.CopyTarget{Name: target, URL: api.SiteURL("http://" + target + "." + w.ns + ".test/")}}}
	w.create(c)
	return c
}

func TestClone(t *testing.T) {
	w := newWorld(t)
	c := w.cloneOf("copy", "blog", "staging")
	w.settle(c)
	w.expect(c, status.FailedStatus, api.ReasonInvalidSpec, "spec.sourceRef: Install blog does not exist")
	w.application()
	w.server()
	in := w.site("blog")
	w.settle(in, c)
	w.expect(c, status.InProgressStatus, api.ReasonDependencyNotReady, "Install blog does not serve yet")
	w.play(in)
	w.location("local", isDefault)

	w.settle(c)
	made := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "staging", Namespace: w.ns}}
	w.settle(made, c, in)
	w.expect(c, status.InProgressStatus, api.ReasonProgressing, "Install staging")
	same(t, "the holder of the source", in.Status.Operation.UID, string(made.UID))
	p := w.planOf("bootstrap-staging").Clone
	same(t, "the source", p.Source.Name, "blog")
	same(t, "the source's volume", p.Source.Volume, "/source")
	same(t, "the copy", p.Site.Name, "staging")
	same(t, "the prefix", p.Site.Database.Prefix, "wp_")
	same(t, "the copy may read the source", w.reads(made, in), true)
	b := w.backup("monday", "blog")
	w.settle(b)
	w.expect(b, status.InProgressStatus, api.ReasonQueued, "waiting for Install staging")

	w.playAgents()
	w.settle(made, in)
	w.expect(made, status.InProgressStatus, api.ReasonProgressing, "generation 1")
	same(t, "the holder once the copy has what it wants", in.Status.Operation == nil, true)
	same(t, "the copy may read the source then", w.reads(made, in), false)
	// The copy's pods are yet to answer: that holds nobody up.
	w.settle(b)
	w.expect(b, status.InProgressStatus, api.ReasonProgressing)
	w.play(made, c, b, in)
	w.expect(c, status.CurrentStatus, api.ReasonSucceeded, "Install staging is a copy of blog")
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the login", w.password("staging"), w.password("blog"))
	w.remove(c)
	same(t, "the Clone", w.version(c), "")
	w.expect(made, status.CurrentStatus, api.ReasonSucceeded)
	onto := w.cloneOf("onto", "blog", "staging")
	w.settle(onto)
	w.expect(onto, status.FailedStatus, api.ReasonInvalidSpec, "Install staging exists already")
}

func TestCloneFails(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	w.answers["clone"] = failing(plan.ReasonDiskFull, "the volume of Install staging is full")
	c := w.cloneOf("copy", "blog", "staging")
	w.settle(c)
	made := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "staging", Namespace: w.ns}}
	w.play(made, c, in)
	w.expect(made, status.FailedStatus, api.ReasonFailed, "is full")
	w.expect(c, status.FailedStatus, api.ReasonFailed, "Install staging", "is full")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the source's holder", in.Status.Operation == nil, true)
	same(t, "the copy may read the source", w.reads(made, in), false)
}

// TestCloneDeletedWhileItRuns gives the source back when the copy is deleted, also where its database stays.
func TestCloneDeletedWhileItRuns(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	c := w.cloneOf("copy", "blog", "staging")
	w.settle(c)
	made := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "staging", Namespace: w.ns}}
	w.settle(made, in)
	same(t, "the holder", in.Status.Operation.UID, string(made.UID))

	kept := w.site("kept", func(in *api.Install) {
		in.Spec.Bootstrap = &api.BootstrapSpec{Clone: &api.CloneBootstrap{SourceRef: api.LocalReference{Name: "blog"}}}
		in.Spec.DeletionPolicy = api.DeletionOrphan
	})
	w.remove(made)
	w.settle(made, in)
	same(t, "the copy", w.version(made), "")
	same(t, "the source's holder", in.Status.Operation == nil, true)
	same(t, "the copy's databases", len(w.databases(made)), 0)

	w.settle(kept, in)
	same(t, "the holder", in.Status.Operation.UID, string(kept.UID))
	same(t, "the copy may read the source", w.reads(kept, in), true)
	w.remove(kept)
	w.settle(kept, in)
	same(t, "the copy", w.version(kept), "")
	same(t, "the copy's databases", len(w.databases(kept)), 1)
	same(t, "what stays may read the source", w.reads(kept, in), false)
}

// TestInstallFromLatest takes the newest snapshot of a location or, where there is none, installs afresh.
func TestInstallFromLatest(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	w.location("local")
	w.answers["restore"] = failing(plan.ReasonNoSnapshot, "location local has no snapshot of blog")
	latest := func(otherwise api.OtherwisePolicy) func(*api.Install) {
		return func(in *api.Install) {
			in.Spec.Bootstrap = &api.BootstrapSpec{Backup: &api.BackupBootstrap{Otherwise: otherwise,
				Latest: &api.LatestBackup{LocationRef: api.LocalReference{Name: "local"}, Install: "blog"}}}
		}
	}
	none := w.site("none", latest(api.OtherwiseFail))
	w.play(none)
	w.expect(none, status.FailedStatus, api.ReasonFailed, "no snapshot of blog")
	afresh := w.site("afresh", latest(api.OtherwiseRelease))
	w.play(afresh)
	w.expect(afresh, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "a fresh installation", w.there(&batchv1.Job{}, "install-afresh"), true)
	delete(w.answers, "restore")
	blog := w.site("blog", latest(api.OtherwiseRelease))
	w.settle(blog)
	same(t, "a site of its own", w.planOf("bootstrap-blog").Restore.NewSite, false)
	w.play(blog)
	w.expect(blog, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "a fresh installation", w.there(&batchv1.Job{}, "install-blog"), false)
}
