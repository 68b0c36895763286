package controllers_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// backedUp is a world with a site that serves, a default location and a Backup of the site.
func backedUp(t *testing.T, edit ...func(*api.Install)) (*world, *api.Install, *api.Backup) {
	t.Helper()
	w := newWorld(t)
	in := w.serving("blog", edit...)
	w.location("local", isDefault)
	b := w.backup("monday", "blog")
	w.play(b, in)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
	return w, in, b
}

func TestRestoreInPlace(t *testing.T) {
	w, in, _ := backedUp(t)
	r := w.restore("back", "monday")
	w.settle(r, in)
	w.expect(r, status.InProgressStatus, api.ReasonProgressing, "starting")
	same(t, "the generation", r.Status.Generation, 2)
	same(t, "the holder", in.Status.Operation.UID, string(r.UID))
	same(t, "databases", len(w.databases(in)), 2)
	p := w.planOf("restore-back").Restore
	same(t, "the snapshot", p.Snapshot, "snapshot-monday")
	same(t, "the generation in the plan", p.Site.Generation, 2)
	same(t, "the database in the plan", p.Site.Database.Name, names.Database(string(in.UID), 2))
	same(t, "a new site", p.NewSite, false)
	same(t, "what serves meanwhile", w.serves("blog"), "1")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)

	w.finish("restore-back", plan.Result{Version: "6.7.5", SchemaVersion: "9", Files: 7})
	w.settle(r, in)
	w.expect(r, status.InProgressStatus, api.ReasonProgressing, "switching to generation 2")
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "generation 2 is starting")
	same(t, "the template", w.serves("blog"), "2")
	same(t, "the generation until it answers", in.Status.Generation, 1)

	w.rollOut("blog")
	w.settle(in, r)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded, "monday", "blog", in.Status.URL)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 2")
	same(t, "the generation", in.Status.Generation, 2)
	same(t, "the previous generation", in.Status.PreviousGeneration, 1)
	same(t, "the version", in.Status.Version, "6.7.5")
	same(t, "the schema", in.Status.SchemaVersion, "9")
	same(t, "the database", in.Status.Database.Name, names.Database(string(in.UID), 2))
	same(t, "the switch", in.Status.LastSwitch.Outcome, api.SwitchSucceeded)
	same(t, "an operation", in.Status.Operation == nil, true)
	w.checkPruned(in)
}

// checkPruned moves the clock on to when the previous generation goes.
func (w *world) checkPruned(in *api.Install) {
	w.Helper()
	same(w, "when it goes", in.Status.PreviousUntil.Time.Equal(w.clock.Now().Add(24*time.Hour)), true)
	w.clock.advance(24*time.Hour - time.Second)
	w.play(in) // An inspection is due.
	same(w, "the next look", w.settle(in).RequeueAfter, time.Second)
	same(w, "databases before the time has come", len(w.databases(in)), 2)
	w.clock.advance(time.Second)
	w.settle(in)
	same(w, "databases after", len(w.databases(in)), 1)
	same(w, "the one that is left", w.databases(in)[0], 2)
	same(w, "databases in which the user has rights", w.rights(in), 1)
	prune := w.planOf("prune-blog-1").Prune
	same(w, "what is removed", prune.Generation, 1)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	again := &batchv1.Job{}
	same(w, "the Job at work", w.there(again, "prune-blog-1"), true)
	w.play(in)
	same(w, "generations", len(in.Status.Generations), 1)
	same(w, "the previous generation", in.Status.PreviousGeneration, 0)
	same(w, "the Job", w.there(&batchv1.Job{}, "prune-blog-1"), false)

	// Who reads the Install as it was before makes the Job anew.
	again.ResourceVersion, again.UID, again.Spec.Selector = "", "", nil
	again.Spec.Template.Labels = nil
	w.create(again)
	w.play(in)
	same(w, "the Job that came back", w.there(&batchv1.Job{}, "prune-blog-1"), false)
}

func TestRestoreThatDoesNotAnswer(t *testing.T) {
	w, in, _ := backedUp(t)
	r := w.restore("back", "monday")
	w.settle(r, in)
	w.finish("restore-back", well(w.planOf("restore-back")))
	w.settle(r, in)
	w.getStuck("blog", 1)
	w.settle(in)
	same(t, "the template", w.serves("blog"), "1")
	same(t, "the switch", in.Status.LastSwitch.Outcome, api.SwitchFailed)
	same(t, "the generation", in.Status.Generation, 1)
	w.rollOut("blog")
	w.settle(in, r)
	w.expect(r, status.FailedStatus, api.ReasonFailed, "generation 2 did not answer within 180 seconds", "serves generation 1 as before")
	w.play(in, r)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 1")
	same(t, "an operation", in.Status.Operation == nil, true)
	same(t, "databases", len(w.databases(in)), 1)
	same(t, "the database", w.databases(in)[0], 1)
	same(t, "generations", len(in.Status.Generations), 1)
	// The next one does not take the failed one's number for its own answer.
	again := w.restore("again", "monday")
	w.play(in, again)
	w.expect(again, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the generation", in.Status.Generation, again.Status.Generation)
}

// TestSwitchWithLongTrouble has a pod whose complaint is longer than what a status may hold.
func TestSwitchWithLongTrouble(t *testing.T) {
	w, in, _ := backedUp(t)
	r := w.restore("back", "monday")
	w.settle(r, in)
	w.finish("restore-back", well(w.planOf("restore-back")))
	w.settle(r, in)
	d := w.deployment("blog")
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: w.ns, Labels: d.Spec.Template.Labels}, Spec: d.Spec.Template.Spec}
	w.create(p)
	long := "é"
	for len(long) < 5000 {
		long += long
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: long}}}}
	w.must(w.Status().Update(t.Context(), p))
	w.getStuck("blog", 1)
	w.settle(in)
	same(t, "the switch", in.Status.LastSwitch.Outcome, api.SwitchFailed)
	same(t, "the reason in it", contains(in.Status.LastSwitch.Message, "CrashLoopBackOff"), true)
	w.rollOut("blog")
	w.settle(in, r)
	w.expect(r, status.FailedStatus, api.ReasonFailed, "CrashLoopBackOff", "as before")
}

// TestPruneAndNextTask has a task come while an old generation is being removed: that one alone is removed.
func TestPruneAndNextTask(t *testing.T) {
	w, in, _ := backedUp(t, func(in *api.Install) { in.Spec.KeepPrevious = &metav1.Duration{} })
	r := w.restore("back", "monday")
	w.settle(r, in)
	w.finish("restore-back", well(w.planOf("restore-back")))
	w.settle(r, in)
	w.rollOut("blog")
	w.settle(in, r)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "an agent that removes generation 1", w.there(&batchv1.Job{}, "prune-blog-1"), true)

	next := w.restore("next", "monday")
	w.settle(next)
	same(t, "the generation that is removed", w.planOf("prune-blog-1").Prune.Generation, 1)
	w.play(next, in)
	w.expect(next, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the generations that are left", len(in.Status.Generations), 1)
	same(t, "databases", len(w.databases(in)), 1)
}

// TestSwitchWaitsForPods is not over while a pod of the generation before may still answer a request; one that was evicted answers nothing.
func TestSwitchWaitsForPods(t *testing.T) {
	w, in, _ := backedUp(t, func(in *api.Install) { in.Spec.KeepPrevious = &metav1.Duration{} })
	template := w.deployment("blog").Spec.Template
	pod := func(name string, phase corev1.PodPhase) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns, Labels: template.Labels, Annotations: template.Annotations}, Spec: template.Spec}
		w.create(p)
		p.Status.Phase = phase
		w.must(w.Status().Update(t.Context(), p))
		return p
	}
	ending := pod("ending", corev1.PodRunning)
	pod("evicted", corev1.PodFailed)
	r := w.restore("back", "monday")
	w.play(r, in)
	result := w.settle(in)
	w.expect(r, status.InProgressStatus, api.ReasonProgressing, "switching to generation 2")
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "generation 2 answers", "last requests to generation 1")
	same(t, "the next look", result.RequeueAfter, time.Second)
	same(t, "the generation", in.Status.Generation, 1)
	same(t, "databases", len(w.databases(in)), 2)
	w.must(w.Delete(t.Context(), ending, client.GracePeriodSeconds(0)))
	w.play(in, r)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 2")
	same(t, "databases once it is pruned", len(w.databases(in)), 1)
	same(t, "generations", len(in.Status.Generations), 1)
}

// TestPruneThatFails keeps the site ready, and is tried again.
func TestPruneThatFails(t *testing.T) {
	w, in, _ := backedUp(t, func(in *api.Install) { in.Spec.KeepPrevious = &metav1.Duration{} })
	w.answers["prune"] = failing(plan.ReasonInternal, "the volume is in use")
	r := w.restore("back", "monday")
	for range 3 {
		w.settle(r, in)
		w.playAgents()
		w.playPods()
	}
	result := w.settle(r, in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	if result.RequeueAfter == 0 {
		t.Error("nothing says when the removal is tried again")
	}
	delete(w.answers, "prune")
	w.clock.advance(time.Hour)
	w.play(in)
	same(t, "generations", len(in.Status.Generations), 1)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

// TestFirstGenerationDoesNotAnswer keeps trying: there is nothing to go back to.
func TestFirstGenerationDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	in := w.site("blog")
	w.settle(in)
	w.finish("install-blog", well(w.planOf("install-blog")))
	w.settle(in)
	w.getStuck("blog", 0)
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonRetrying, "generation 1 does not answer", "it has no pod")
	same(t, "Serving", w.condition(in, api.ConditionServing).Status, metav1.ConditionFalse)
	w.rollOut("blog")
	w.settle(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

func TestInstallDeletion(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	w.remove(in)
	w.settle(in)
	same(t, "the Install", w.version(in), "")
	same(t, "databases", len(w.databases(in)), 0)
	same(t, "the user", w.databaseUser(in), false)
}

func TestInstallDeletionBeforeItServes(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	in := w.site("blog", func(in *api.Install) {
		in.Spec.Admin = &api.AdminSpec{PasswordSecretRef: &api.SecretKeyReference{Name: "missing", Key: "password"}}
	})
	w.settle(in)
	same(t, "databases of the unfinished site", len(w.databases(in)), 1)
	w.remove(in)
	w.settle(in)
	same(t, "the Install", w.version(in), "")
	same(t, "databases", len(w.databases(in)), 0)
	same(t, "the user", w.databaseUser(in), false)
}

// TestInstallDeletionAfterDefaultChanged finds the databases of an unfinished site on the server that they were made on.
func TestInstallDeletionAfterDefaultChanged(t *testing.T) {
	w := newSerialWorld(t)
	w.application()
	server := w.server(func(s *api.DatabaseServer) { s.Spec.Default = true })
	in := w.site("blog", func(in *api.Install) {
		in.Spec.Database = nil
		in.Spec.Admin = &api.AdminSpec{PasswordSecretRef: &api.SecretKeyReference{Name: "missing", Key: "password"}}
	})
	w.settle(in)
	same(t, "databases of the unfinished site", len(w.databases(in)), 1)
	change(w, server, func(s *api.DatabaseServer) { s.Spec.Default = false })
	w.remove(in)
	w.settle(in)
	same(t, "the Install", w.version(in), "")
	same(t, "databases", len(w.databases(in)), 0)
}

func TestInstallOrphaned(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog", func(in *api.Install) { in.Spec.DeletionPolicy = api.DeletionOrphan })
	t.Cleanup(func() { w.dropAll(in) })
	owners := func(n int) {
		t.Helper()
		for name, o := range map[string]client.Object{"blog": &corev1.PersistentVolumeClaim{}, "blog-admin": &corev1.Secret{}, "blog-database": &corev1.Secret{}} {
			same(t, name+" is there", w.there(o, name), true)
			same(t, "the owners of "+name, len(o.GetOwnerReferences()), n)
			same(t, "whose "+name+" is", o.GetAnnotations()[api.AnnotationInstallUID], string(in.UID))
		}
	}
	// Deletion in the foreground takes what the Install owns before its controller is asked.
	owners(0)
	for policy, n := range map[api.DeletionPolicy]int{api.DeletionDelete: 1, api.DeletionOrphan: 0} {
		change(w, in, func(in *api.Install) { in.Spec.DeletionPolicy = policy })
		w.settle(in)
		owners(n)
	}
	change(w, in, func(in *api.Install) { in.Spec.DeletionPolicy = api.DeletionDelete })
	w.settle(in)
	change(w, in, func(in *api.Install) { in.Spec.DeletionPolicy = api.DeletionOrphan })
	w.remove(in)
	w.settle(in)
	same(t, "the Install", w.version(in), "")
	same(t, "databases", len(w.databases(in)), 1)
	same(t, "the user", w.databaseUser(in), true)
	owners(0)
	w.checkAdopted(in)
}

// checkAdopted has another Install adopt what one left, which keeps its database, and then leaves it in its turn.
func (w *world) checkAdopted(left *api.Install) {
	w.Helper()
	again := func(edit func(*api.Install)) *api.Install {
		in := w.site("blog", func(in *api.Install) {
			in.Spec.DeletionPolicy, in.Spec.Bootstrap = api.DeletionOrphan, &api.BootstrapSpec{Orphan: &api.OrphanBootstrap{}}
			edit(in)
		})
		w.settle(in)
		return in
	}
	for _, c := range []struct {
		says string
		edit func(*api.Install)
	}{
		{"an Install of this name has left it with its site; make the Install with spec.bootstrap.orphan", func(in *api.Install) { in.Spec.Bootstrap = nil }},
		{"the site that was left is at " + left.Status.URL, func(in *api.Install) { in.Spec.URL = "http://other.test/" }},
		{"the site that was left runs on php-8.4", func(in *api.Install) { in.Spec.Runtime.Name = "php-8.2" }},
	} {
		in := again(c.edit)
		if got := w.condition(in, api.ConditionReady).Message; !contains(got, c.says) {
			w.Errorf("it says %q, without %q", got, c.says)
		}
		w.remove(in)
		w.settle(in)
		same(w, "databases", len(w.databases(left)), 1)
	}

	in := again(func(*api.Install) {})
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "waiting for Service blog of the Install that had this name before to go")
	w.collectServed()
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "serving generation 1")
	same(w, "the version", in.Status.Version, left.Status.Version)
	same(w, "the runtime", in.Status.Runtime, left.Status.Runtime)
	same(w, "the database", in.Status.Database.Name, left.Status.Database.Name)
	same(w, "the administrator", in.Status.Admin.Login, left.Status.Admin.Login)
	w.location("local", isDefault)
	b, r := w.backup("monday", "blog"), w.restore("back", "monday")
	w.play(b, in)
	w.play(r, in)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded)
	same(w, "the next generation's database", in.Status.Database.Name, names.Database(string(left.UID), 2))
	w.remove(in)
	w.settle(in)
	same(w, "databases of what is left again", len(w.databases(left)), 2)
	w.collectServed()

	last := again(func(in *api.Install) { in.Spec.DeletionPolicy = api.DeletionDelete })
	w.play(last)
	w.expect(last, status.CurrentStatus, api.ReasonSucceeded, "serving generation 2")
	same(w, "databases, without the one that nobody goes back to", len(w.databases(left)), 1)
	w.remove(last)
	w.settle(last)
	same(w, "databases in the end", len(w.databases(left)), 0)
	same(w, "the user in the end", w.databaseUser(left), false)
}

// collectServed is the garbage collector, for what an Install that is gone served with.
func (w *world) collectServed() {
	for _, o := range []client.Object{&appsv1.Deployment{}, &corev1.Service{}, &networkingv1.Ingress{}, &batchv1.Job{}} {
		w.must(w.DeleteAllOf(w.Context(), o, client.InNamespace(w.ns), client.PropagationPolicy(metav1.DeletePropagationBackground)))
	}
}

// dropAll removes what an orphaned site left.
func (w *world) dropAll(in *api.Install) {
	ctx := background(w)
	db, err := mysql.Open(ctx, mysqltest.Start(w).Config())
	w.must(err)
	defer func() { w.must(db.Close()) }()
	admin := mysql.NewAdmin(db)
	w.must(admin.DropDatabase(ctx, names.Database(string(in.UID), 1)))
	w.must(admin.DropUser(ctx, names.DatabaseUser(string(in.UID))))
}

func TestInstallDeletionWithoutServer(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	server := &api.DatabaseServer{ObjectMeta: named("server-" + w.ns)}
	port := int32(0)
	change(w, server, func(s *api.DatabaseServer) { port, s.Spec.Port = s.Spec.Port, 1 })
	w.remove(in)
	result := w.settle(in)
	w.expect(in, status.TerminatingStatus, api.ReasonRetrying, "databases cannot be removed", api.AnnotationForceDelete+"=true")
	if result.RequeueAfter == 0 {
		t.Error("nothing says when the server is tried again")
	}
	change(w, in, func(in *api.Install) { in.Annotations = map[string]string{api.AnnotationForceDelete: "true"} })
	w.settle(in)
	same(t, "the Install", w.version(in), "")
	same(t, "the databases that were left behind", len(w.databases(in)), 1)
	w.dropAll(in)
	change(w, server, func(s *api.DatabaseServer) { s.Spec.Port = port })
}

// TestHolderGone clears an operation whose holder was deleted, or made again under its name.
func TestHolderGone(t *testing.T) {
	w, in, _ := backedUp(t)
	b := w.backup("tuesday", "blog")
	wait, err := operation.Take(t.Context(), view(w.live()), in, operation.Task{Kind: "Backup", Object: b}, w.clock.Now())
	w.must(err)
	same(t, "a wait", wait == nil, true)
	w.settle(in)
	same(t, "the holder", in.Status.Operation.UID, string(b.UID))
	w.remove(b)
	w.backup("tuesday", "blog")
	w.settle(in)
	same(t, "an operation whose holder is gone", in.Status.Operation == nil, true)
}

func (w *world) live() client.WithWatch { return cluster.live }
