package controllers_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/backupschedule"
	"github.com/sitewright/sitewright/internal/plan"
)

// scheduler is the controller of Installs' backups among the reconcilers.
const scheduler = "install-backups"

// schedule has the schedule of an Install looked after until nothing changes, and reads the Install.
func (w *world) schedule(in *api.Install) (result ctrl.Result) {
	w.Helper()
	for range 10 {
		before := w.version(in) + fmt.Sprint(w.scheduled(in))
		var err error
		result, err = w.reconcilers[scheduler].Reconcile(w.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(in)})
		w.must(err)
		if w.version(in)+fmt.Sprint(w.scheduled(in)) == before {
			return result
		}
	}
	w.Fatalf("the backups of Install %s do not settle", in.Name)
	return result
}

// scheduled are the scheduled Backups of an Install by when they were due, in words.
func (w *world) scheduled(in *api.Install) []string {
	w.Helper()
	var list api.BackupList
	w.must(w.List(w.Context(), &list, client.InNamespace(w.ns), client.MatchingLabels{api.LabelInstall: in.Name}, client.HasLabels{api.LabelSchedule}))
	out := []string{}
	for _, b := range list.Items {
		if b.DeletionTimestamp == nil {
			out = append(out, b.Annotations[api.AnnotationDue][:10])
		}
	}
	slices.Sort(out)
	return out
}

// newestBackup is the scheduled Backup that was due last.
func (w *world) newestBackup(in *api.Install) *api.Backup {
	w.Helper()
	var list api.BackupList
	w.must(w.List(w.Context(), &list, client.InNamespace(w.ns), client.HasLabels{api.LabelSchedule}))
	var newest *api.Backup
	for i := range list.Items {
		b := &list.Items[i]
		if b.Spec.InstallRef.Name == in.Name && (newest == nil || b.Annotations[api.AnnotationDue] > newest.Annotations[api.AnnotationDue]) {
			newest = b
		}
	}
	if newest == nil {
		w.Fatalf("Install %s has no scheduled Backup", in.Name)
	}
	return newest
}

// isBackedUp holds BackedUp of an Install against what it should be.
func (w *world) isBackedUp(in *api.Install, want metav1.ConditionStatus, reason string, parts ...string) {
	w.Helper()
	c := w.condition(in, api.ConditionBackedUp)
	if c.Status != want || c.Reason != reason {
		w.Errorf("BackedUp is %s for the reason %s, not %s for %s: %s", c.Status, c.Reason, want, reason, c.Message)
	}
	for _, p := range parts {
		if !contains(c.Message, p) {
			w.Errorf("BackedUp says %q, without %q", c.Message, p)
		}
	}
}

func follows(schedule string) func(*api.Install) {
	return func(in *api.Install) {
		in.Spec.Backups = &api.BackupsSpec{ScheduleRef: &api.LocalReference{Name: schedule}}
	}
}

// nightly makes a schedule at 03:00 without a window.
func (w *world) nightly(edit ...func(*api.BackupSchedule)) *api.BackupSchedule {
	w.Helper()
	s := &api.BackupSchedule{ObjectMeta: metav1.ObjectMeta{Name: "nightly", Namespace: w.ns},
		Spec: api.BackupScheduleSpec{At: "03:00", TimeZone: "UTC", Window: &metav1.Duration{}, Keep: api.KeepSpec{Daily: new(int32(3))}}}
	for _, f := range edit {
		f(s)
	}
	w.create(s)
	w.settle(s)
	return s
}

// TestSchedule makes one backup a night, keeps three, and says how it stands.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	w.location("local", isDefault)
	s := w.nightly()
	w.expect(s, status.CurrentStatus, api.ReasonSucceeded, "0 sites")
	in := w.serving("blog", follows("nightly"))
	w.settle(s)
	w.expect(s, status.CurrentStatus, api.ReasonSucceeded, "1 sites")
	result := w.schedule(in)
	same(t, "the next look", result.RequeueAfter, 15*time.Hour)
	same(t, "the next backup", in.Status.NextBackup.UTC().String(), "2031-05-02 03:00:00 +0000 UTC")
	w.isBackedUp(in, metav1.ConditionUnknown, api.ReasonProgressing, "the first scheduled backup begins at 2031-05-02 03:00 UTC")
	same(t, "backups before the first is due", len(w.scheduled(in)), 0)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)

	w.clock.advance(15 * time.Hour)
	for night := range 5 {
		w.schedule(in)
		b := w.newestBackup(in)
		same(t, "the name", b.Name, fmt.Sprintf("blog-2031050%d-030000", 2+night))
		same(t, "the schedule", b.Labels[api.LabelSchedule], "nightly")
		w.play(b, in)
		w.schedule(in)
		w.isBackedUp(in, metav1.ConditionTrue, api.ReasonSucceeded, "Backup "+b.Name)
		same(t, "the last backup", in.Status.LastBackup.Name, b.Name)
		w.settle(in)
		same(t, "the last backup once the Install was looked at", in.Status.LastBackup.Name, b.Name)
		w.clock.advance(24 * time.Hour)
	}
	w.clock.advance(-time.Hour)
	same(t, "what is kept", fmt.Sprint(w.scheduled(in)), "[2031-05-04 2031-05-05 2031-05-06]")

	// By a person: it counts as a backup, and is never removed.
	w.play(w.backup("mine", "blog"), in)
	w.schedule(in)
	same(t, "the last backup", in.Status.LastBackup.Name, "mine")
	same(t, "what is kept beside mine", len(w.scheduled(in)), 3)
	change(w, s, func(s *api.BackupSchedule) { s.Spec.Keep.Daily = new(int32(1)) })
	w.schedule(in)
	same(t, "what is kept of fewer", fmt.Sprint(w.scheduled(in)), "[2031-05-06]")
	same(t, "mine", w.there(&api.Backup{}, "mine"), true)

	// An Install that is scheduled no longer says nothing of it, and keeps what it has.
	change(w, in, func(in *api.Install) { in.Spec.Backups = nil })
	w.clock.advance(100 * time.Hour)
	w.schedule(in)
	same(t, "the next backup", in.Status.NextBackup == nil, true)
	same(t, "the condition", w.condition(in, api.ConditionBackedUp).Status, metav1.ConditionStatus(""))
	same(t, "what is kept", len(w.scheduled(in)), 1)
	same(t, "the last backup", in.Status.LastBackup.Name, "mine")
}

// TestScheduleCatchesUp makes up once for the nights on which the operator was down.
func TestScheduleCatchesUp(t *testing.T) {
	w := newWorld(t)
	w.location("local", isDefault)
	w.nightly()
	in := w.serving("blog", follows("nightly"))
	w.schedule(in)
	w.clock.advance(5 * 24 * time.Hour)
	w.schedule(in)
	same(t, "the backups", fmt.Sprint(w.scheduled(in)), "[2031-05-02]")
	w.isBackedUp(in, metav1.ConditionFalse, api.ReasonLate, "due at 2031-05-02 03:00 UTC is 4 days late", "there is no good backup")
	w.play(w.newestBackup(in), in)
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionTrue, api.ReasonSucceeded)
	same(t, "the next backup", in.Status.NextBackup.UTC().String(), "2031-05-07 03:00:00 +0000 UTC")
}

// TestScheduleFails: a failure is told, and the next night tries again.
func TestScheduleFails(t *testing.T) {
	w := newWorld(t)
	w.location("local", isDefault)
	w.nightly()
	in := w.serving("blog", follows("nightly"))
	w.schedule(in)
	w.clock.advance(15 * time.Hour)
	w.schedule(in)
	w.play(w.newestBackup(in), in)
	w.schedule(in)
	w.answers["backup"] = failing(plan.ReasonDiskFull, "the volume of location local is full: make it larger")
	for night := range 5 {
		w.clock.advance(24 * time.Hour)
		w.schedule(in)
		w.play(w.newestBackup(in), in)
		w.schedule(in)
		w.isBackedUp(in, metav1.ConditionFalse, api.ReasonLate, []string{"less than an hour", "24 h", "2 days", "3 days", "4 days"}[night]+" late", "make it larger",
			"the newest good one, Backup blog-20310502-030000, is of 2031-05-02 03:00 UTC")
		same(t, "the Backups after a night", len(w.scheduled(in)), min(night+2, 5))
	}
	w.clock.advance(5 * time.Hour)
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionFalse, api.ReasonLate, "is 4 days late")
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	delete(w.answers, "backup")
	w.clock.advance(19 * time.Hour)
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionFalse, api.ReasonLate)
	w.play(w.newestBackup(in), in)
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionTrue, api.ReasonSucceeded)
}

// TestScheduleWaits: a backup that runs is not joined by another, one that could not begin gives way, and a missing schedule says so.
func TestScheduleWaits(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog", follows("nightly"))
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionFalse, api.ReasonDependencyNotReady, "BackupSchedule nightly does not exist", "there is no good backup")
	s := w.nightly(func(s *api.BackupSchedule) { s.Spec.TimeZone = "Europe/Atlantis" })
	w.expect(s, status.FailedStatus, api.ReasonInvalidSpec, `spec.timeZone: time zone "Europe/Atlantis" is not known`, "Europe/Berlin")
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionFalse, api.ReasonDependencyNotReady, "BackupSchedule nightly: spec.timeZone")
	change(w, s, func(s *api.BackupSchedule) {
		s.Spec.TimeZone, s.Spec.LocationRef = "UTC", &api.LocalReference{Name: "nowhere"}
	})
	w.settle(s)
	w.expect(s, status.CurrentStatus, api.ReasonSucceeded)
	w.schedule(in)
	w.clock.advance(15 * time.Hour)
	w.schedule(in)
	first := w.newestBackup(in)
	w.settle(first)
	w.expect(first, status.FailedStatus, api.ReasonInvalidSpec, "BackupLocation nowhere does not exist")
	w.clock.advance(2 * time.Hour)
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionFalse, api.ReasonLate, "2 h late", "BackupLocation nowhere does not exist")
	w.location("local", isDefault)
	change(w, s, func(s *api.BackupSchedule) { s.Spec.LocationRef = nil })
	w.clock.advance(22 * time.Hour)
	w.schedule(in)
	w.settle(first)
	same(t, "the Backup that could not begin", w.version(first), "")
	second := w.newestBackup(in)
	w.settle(second, in)
	same(t, "the operation", in.Status.Operation.Name, second.Name)
	w.clock.advance(24 * time.Hour)
	result := w.schedule(in)
	same(t, "the Backups beside one that runs", fmt.Sprint(w.scheduled(in)), "[2031-05-03]")
	same(t, "the next look", result.RequeueAfter, 30*time.Second)
	w.play(second, in)
	w.schedule(in)
	same(t, "the Backups after one that ran", fmt.Sprint(w.scheduled(in)), "[2031-05-03 2031-05-04]")

	change(w, s, func(s *api.BackupSchedule) { s.Spec.Suspend = true })
	w.settle(s)
	w.expect(s, status.CurrentStatus, api.ReasonSuspended)
	w.clock.advance(48 * time.Hour)
	w.schedule(in)
	w.isBackedUp(in, metav1.ConditionUnknown, api.ReasonSuspended)
	same(t, "the next backup while suspended", in.Status.NextBackup == nil, true)
	change(w, s, func(s *api.BackupSchedule) { s.Spec.Suspend = false })
	w.schedule(in)
	same(t, "the next backup", in.Status.NextBackup.UTC().String(), "2031-05-07 03:00:00 +0000 UTC")
	change(w, s, func(s *api.BackupSchedule) { s.Spec.At = "01:30" })
	w.schedule(in)
	same(t, "the next backup at another time", in.Status.NextBackup.UTC().String(), "2031-05-07 01:30:00 +0000 UTC")
}

// TestScheduleOfCounts: an Install's own counts are followed in the night, weekly on Mondays, and of many sites only so many at once.
func TestScheduleOfCounts(t *testing.T) {
	w := newWorld(t)
	w.location("local", isDefault)
	weekly := func(in *api.Install) { in.Spec.Backups = &api.BackupsSpec{Weekly: new(int32(2))} }
	a, b := w.serving("blog", weekly), w.serving("shop", weekly)
	sites := w.reconcilers[scheduler].(*backupschedule.Sites)
	sites.Most = 1
	w.schedule(a)
	w.schedule(b)
	next := a.Status.NextBackup.UTC()
	same(t, "the next backup's day", next.Format(time.DateOnly), "2031-05-05") // a Monday
	if next.Hour() >= 6 || a.Status.NextBackup.Equal(b.Status.NextBackup) {
		t.Errorf("the next backups are at %v and %v", next, b.Status.NextBackup.UTC())
	}
	w.clock.advance(4 * 24 * time.Hour)
	w.schedule(a)
	w.schedule(b)
	same(t, "the backups of the first", len(w.scheduled(a)), 1)
	same(t, "the backups of the second beside it", len(w.scheduled(b)), 0)
	w.isBackedUp(b, metav1.ConditionFalse, api.ReasonLate, "it waits for other backups to end")
	same(t, "the label of counts", w.newestBackup(a).Labels[api.LabelSchedule], "")
	w.play(w.newestBackup(a), a)
	w.schedule(b)
	same(t, "the backups of the second after it", len(w.scheduled(b)), 1)
}

// TestScheduleOfAnInstallMadeAnew leaves the backups of an earlier Install of that name alone.
func TestScheduleOfAnInstallMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.location("local", isDefault)
	w.nightly(func(s *api.BackupSchedule) { s.Spec.Keep.Daily = new(int32(1)) })
	in := w.serving("blog", follows("nightly"))
	w.schedule(in)
	w.clock.advance(15 * time.Hour)
	w.schedule(in)
	old := w.newestBackup(in)
	w.play(old, in)
	change(w, old, func(b *api.Backup) { b.Annotations[api.AnnotationInstallUID] = "another" })
	w.clock.advance(24 * time.Hour)
	w.schedule(in)
	w.play(w.newestBackup(in), in)
	w.schedule(in)
	same(t, "what there is", fmt.Sprint(w.scheduled(in)), "[2031-05-02 2031-05-03]")
}

// TestBackupDeletionWaitsForReaders: what a Restore has begun to read stays until it has ended.
func TestBackupDeletionWaitsForReaders(t *testing.T) {
	w, in, b := backedUp(t)
	r := w.restore("undo", "monday")
	w.settle(r, in)
	waiting := w.restore("later", "monday")
	w.settle(waiting)
	w.remove(b)
	w.settle(b)
	w.expect(b, status.TerminatingStatus, api.ReasonDependencyNotReady, "Restore undo is reading the snapshot")
	w.play(r, in)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded)
	w.play(b)
	same(t, "the Backup", w.version(b), "")
}
