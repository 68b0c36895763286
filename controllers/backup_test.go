package controllers_test

import (
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

func TestBackup(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog", func(in *api.Install) { in.Spec.Title = "A blog" })
	w.location("local", isDefault)
	b := w.backup("monday", "blog", func(b *api.Backup) {
		b.Spec.Note, b.Spec.Consistency, b.Spec.TTL = "before the move", api.ConsistencyQuiesced, &metav1.Duration{Duration: time.Hour}
	})
	w.settle(b, in)
	w.expect(b, status.InProgressStatus, api.ReasonProgressing, "starting")
	same(t, "the holder", in.Status.Operation.UID, string(b.UID))
	same(t, "whether it makes a generation", in.Status.Operation.Writes, false)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	p := w.planOf("backup-monday").Backup
	same(t, "the generation", p.Site.Generation, 1)
	same(t, "the note", p.Note, "before the move")
	same(t, "the pause", p.Quiesce, true)
	same(t, "the UID", p.UID, string(b.UID))
	same(t, "the location", p.Location.Name, "local")
	same(t, "a snapshot before it is verified", b.Status.Snapshot == nil, true)

	w.play(b, in)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded, "20 files", "local")
	st := b.Status
	same(t, "the snapshot", *st.Snapshot.Pause, metav1.Duration{Duration: 120 * time.Millisecond})
	st.Snapshot.Pause = nil
	same(t, "the snapshot", *st.Snapshot, api.SnapshotStatus{ID: "snapshot-monday", Location: "local", Files: 20, Bytes: 2000, DatabaseBytes: 200, UploadedBytes: 50})
	same(t, "the application", st.Application, in.Spec.Application)
	same(t, "the version", st.Version, "6.8.7")
	same(t, "the url", st.URL, in.Status.URL)
	same(t, "the title", st.Title, "A blog")
	same(t, "the runtime", st.Runtime, "php-8.4")
	same(t, "the database", *st.Database, *in.Status.Database)
	same(t, "the end", st.CompletionTime.Time.Equal(w.clock.Now()), true)
	same(t, "the progress", st.Progress.Percent, 100)
	same(t, "an operation", in.Status.Operation == nil, true)

	result := w.settle(b)
	same(t, "the next look", result.RequeueAfter, time.Hour)
	w.clock.advance(time.Hour)
	w.play(b)
	same(t, "an expired Backup", w.version(b), "")
}

// TestBackupWaits holds what a Backup cannot do without against what it says, and mends it.
func TestBackupWaits(t *testing.T) {
	w := newWorld(t)
	b := w.backup("monday", "blog")
	w.settle(b)
	w.expect(b, status.FailedStatus, api.ReasonInvalidSpec, "spec.installRef: Install blog does not exist in namespace "+w.ns)
	w.application()
	w.server()
	in := w.site("blog")
	w.settle(in, b)
	w.expect(b, status.InProgressStatus, api.ReasonDependencyNotReady, "Install blog does not serve yet")
	w.play(in)
	w.settle(b)
	w.expect(b, status.FailedStatus, api.ReasonInvalidSpec, "no default BackupLocation")
	same(t, "the end of what has not begun", b.Status.CompletionTime == nil, true)
	l := &api.BackupLocation{ObjectMeta: metav1.ObjectMeta{Name: "local"}, Spec: api.BackupLocationSpec{Default: true, Volume: &api.VolumeLocation{}}}
	w.create(l)
	w.settle(l, b)
	w.expect(b, status.InProgressStatus, api.ReasonDependencyNotReady, "BackupLocation local is not ready: starting")
	same(t, "an operation", in.Status.Operation == nil, true)
	w.play(l)
	w.play(b, in)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
	other := w.backup("elsewhere", "blog", func(b *api.Backup) { b.Spec.LocationRef = &api.LocalReference{Name: "nowhere"} })
	w.settle(other)
	w.expect(other, status.FailedStatus, api.ReasonInvalidSpec, "BackupLocation nowhere does not exist")
}

// TestArchive makes a Backup of an archive: whose site is in it the agent finds out by the catalogue.
func TestArchive(t *testing.T) {
	w := newWorld(t)
	app := w.application()
	l := w.location("local", isDefault)
	archive := func(name string) *api.Backup {
		return w.backup(name, "", func(b *api.Backup) {
			b.Spec.InstallRef, b.Spec.Archive = nil, &api.ArchiveSource{Path: "old/a.tar.gz"}
			b.Spec.TTL = &metav1.Duration{Duration: time.Hour}
		})
	}
	good := archive("good")
	w.settle(good)
	w.expect(good, status.InProgressStatus, api.ReasonProgressing)
	p := w.planOf("import-good").Import
	i := slices.IndexFunc(p.Candidates, func(c plan.Candidate) bool { return c.Application == app.Name })
	if p.Archive != "old/a.tar.gz" || p.UID != string(good.UID) || p.Maker != string(l.UID) || i < 0 || p.Candidates[i].Recipe.Database != recipe.DatabaseMySQL {
		t.Errorf("the plan is %+v", p)
	}
	w.finish("import-good", well(plan.Plan{Adopt: &plan.Adopt{Snapshot: "snapshot-good"}}))
	w.settle(good)
	w.expect(good, status.CurrentStatus, api.ReasonSucceeded)
	s := good.Status
	if s.Snapshot.ID != "snapshot-good" || s.Application != "app" || s.URL != "http://blog.elsewhere.test/" || s.Version != "6.8.7" || s.ExpirationTime == nil {
		t.Errorf("the status is %+v", s)
	}
	bad := archive("bad")
	w.settle(bad)
	w.finish("import-bad", plan.Result{Failure: &plan.Failure{Reason: plan.ReasonInvalid, Terminal: true, Message: "archive old/a.tar.gz leads out of the site"}})
	w.settle(bad)
	w.expect(bad, status.FailedStatus, api.ReasonFailed, "leads out of the site")
	// What the agent may have left of a snapshot goes with the Backup.
	w.remove(bad)
	w.settle(bad)
	same(t, "what is forgotten", w.planOf("forget-bad").Forget.BackupUID, string(bad.UID))
	w.finish("forget-bad", plan.Result{})
	w.settle(bad)
	same(t, "the archive's Backup after its deletion", w.version(bad), "")
}

// TestBackupQueue serves the tasks of a site one at a time, the oldest first.
func TestBackupQueue(t *testing.T) {
	w, in, _ := backedUp(t)
	a, b, c := w.backup("a", "blog"), w.backup("b", "blog"), w.restore("c", "monday")
	w.settle(a, b, c, in)
	w.expect(a, status.InProgressStatus, api.ReasonProgressing)
	w.expect(b, status.InProgressStatus, api.ReasonQueued, "waiting for Backup a")
	w.expect(c, status.InProgressStatus, api.ReasonQueued, "waiting for Backup a")
	w.finish("backup-a", well(w.planOf("backup-a")))
	w.settle(a)
	w.expect(a, status.CurrentStatus, api.ReasonSucceeded)
	// The younger one asks first, and is told to wait for the older one all the same.
	w.settle(c)
	w.expect(c, status.InProgressStatus, api.ReasonQueued, "waiting for Backup b")
	w.settle(b, c, in)
	w.expect(b, status.InProgressStatus, api.ReasonProgressing)
	w.finish("backup-b", well(w.planOf("backup-b")))
	w.settle(b, c, in)
	w.expect(c, status.InProgressStatus, api.ReasonProgressing)
	same(t, "the holder", in.Status.Operation.Name, "c")
	same(t, "whether it makes a generation", in.Status.Operation.Writes, true)
	w.play(c, in)
	w.expect(c, status.CurrentStatus, api.ReasonSucceeded)
}

func TestBackupFails(t *testing.T) {
	w, in, _ := backedUp(t)
	w.answers["backup"] = failing(plan.ReasonDiskFull, "the volume of location local is full: make it larger")
	b := w.backup("tuesday", "blog")
	w.play(b, in)
	w.expect(b, status.FailedStatus, api.ReasonFailed, "make it larger")
	same(t, "a snapshot", b.Status.Snapshot == nil, true)
	same(t, "the end", b.Status.CompletionTime == nil, false)
	same(t, "an operation", in.Status.Operation == nil, true)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

// TestBackupRetries tells what went wrong while the Job controller tries again.
func TestBackupRetries(t *testing.T) {
	w, _, _ := backedUp(t)
	b := w.backup("tuesday", "blog")
	w.settle(b)
	killed := w.pod("backup-tuesday", plan.Result{Failure: &plan.Failure{Reason: plan.ReasonUnreachable, Message: "the server does not answer"}})
	w.settle(b)
	w.expect(b, status.InProgressStatus, api.ReasonRetrying, "the server does not answer")
	// The Job controller's next pod is younger by seconds, which here it would not be.
	w.must(w.Delete(t.Context(), killed, client.GracePeriodSeconds(0)))
	w.finish("backup-tuesday", well(w.planOf("backup-tuesday")))
	w.settle(b)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
}

// TestBackupLocationStays records where the agent was sent, though another location is the default by then.
func TestBackupLocationStays(t *testing.T) {
	w, in, _ := backedUp(t)
	b := w.backup("tuesday", "blog")
	w.settle(b)
	old := &api.BackupLocation{ObjectMeta: metav1.ObjectMeta{Name: "local", Namespace: w.ns}}
	change(w, old, func(l *api.BackupLocation) { l.Spec.Default = false })
	w.play(old)
	w.location("newer", isDefault)
	w.play(b, in)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the snapshot's location", b.Status.Snapshot.Location, "local")
}

func TestBackupDeletion(t *testing.T) {
	w, _, b := backedUp(t)
	w.answers["forget"] = failing(plan.ReasonUnreachable, "the repository does not answer")
	w.remove(b)
	w.settle(b)
	same(t, "what is forgotten", w.planOf("forget-monday").Forget.Snapshot, "snapshot-monday")
	w.playAgents()
	_, err := w.once(b)
	w.must(err)
	w.expect(b, status.TerminatingStatus, api.ReasonRetrying, "the repository does not answer", api.AnnotationForceDelete+"=true")
	delete(w.answers, "forget")
	w.clock.advance(time.Hour)
	w.play(b)
	same(t, "the Backup", w.version(b), "")
}

func TestBackupDeletionKeeps(t *testing.T) {
	w, _, b := backedUp(t)
	forced := w.backup("forced", "blog")
	kept := w.backup("kept", "blog", func(b *api.Backup) { b.Spec.DeletionPolicy = api.DeletionOrphan })
	never := w.backup("never", "nothing")
	w.play(forced, kept, never)
	change(w, forced, func(b *api.Backup) { b.Annotations = map[string]string{api.AnnotationForceDelete: "true"} })
	for _, b := range []*api.Backup{forced, kept, never} {
		w.remove(b)
		w.settle(b)
		same(t, "Backup "+b.Name, w.version(b), "")
		same(t, "an agent that forgets "+b.Name, w.there(&batchv1.Job{}, "forget-"+b.Name), false)
	}
	// Without its location there is nothing to remove the snapshot from.
	l := &api.BackupLocation{ObjectMeta: metav1.ObjectMeta{Name: "local", Namespace: w.ns}}
	change(w, l, func(l *api.BackupLocation) { l.Finalizers = nil })
	w.remove(l)
	w.remove(b)
	w.settle(b)
	same(t, "a Backup without its location", w.version(b), "")
}

// TestBackupDeletionWhileItRuns ends the agent first, and removes what it may have written.
func TestBackupDeletionWhileItRuns(t *testing.T) {
	w, in, _ := backedUp(t)
	b := w.backup("tuesday", "blog")
	w.settle(b, in)
	same(t, "the holder", in.Status.Operation.UID, string(b.UID))
	w.remove(b)
	_, err := w.once(b)
	w.must(err)
	w.expect(b, status.TerminatingStatus, api.ReasonProgressing, "waiting for the agent to end")
	w.must(w.Get(t.Context(), client.ObjectKeyFromObject(in), in))
	same(t, "the holder while the agent ends", in.Status.Operation.UID, string(b.UID))
	w.collect()
	w.settle(b, in)
	same(t, "an operation", in.Status.Operation == nil, true)
	forget := w.planOf("forget-tuesday").Forget
	same(t, "the snapshot's id", forget.Snapshot, "")
	same(t, "the Backup's UID", forget.BackupUID, string(b.UID))
	w.play(b)
	same(t, "the Backup", w.version(b), "")
}

// TestBackupInTerminatingNamespace lets go: no Job can be made any more.
func TestBackupInTerminatingNamespace(t *testing.T) {
	w, _, b := backedUp(t)
	ns := &corev1.Namespace{ObjectMeta: named(w.ns)}
	w.remove(ns)
	w.remove(b)
	w.settle(b)
	same(t, "the Backup", w.version(b), "")
}
