package controllers_test

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

// maintaining says whether an agent maintains a location, and how thoroughly.
func (w *world) maintaining(location string) string {
	w.Helper()
	switch {
	case !w.there(&batchv1.Job{}, "maintain-"+location):
		return "not"
	case w.planOf("maintain-" + location).Maintain.Full:
		return "fully"
	}
	return "quickly"
}

// maintained says how a location's maintenance goes.
func (w *world) maintained(l *api.BackupLocation, want metav1.ConditionStatus, parts ...string) {
	w.Helper()
	c := w.condition(l, api.ConditionMaintained)
	same(w, "the condition Maintained", c.Status, want)
	for _, p := range parts {
		if !contains(c.Message, p) {
			w.Errorf("Maintained says %q, without %q", c.Message, p)
		}
	}
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
}

func TestMaintenance(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	l := w.location("local", isDefault)
	s := *l.Status.Statistics
	same(t, "the statistics", s, api.RepositoryStatistics{Snapshots: 3, LogicalBytes: 900, UniqueBytes: 400, StoredBytes: 300, Blobs: 7, Time: s.Time})
	same(t, "their time", s.Time.Time.Equal(w.clock.Now()), true)
	same(t, "maintenance of a new repository", w.maintaining("local"), "not")
	until := l.Status.Maintenance.Next.Sub(w.clock.Now())
	if until < time.Hour || until > 24*time.Hour {
		t.Errorf("the first maintenance is due in %v", until)
	}

	w.clock.advance(until)
	w.settle(l)
	same(t, "maintenance when it is due", w.maintaining("local"), "fully")
	same(t, "for whom", w.planOf("maintain-local").Maintain.Owner, "sitewright@"+string(l.UID))
	b := w.backup("monday", "blog")
	w.settle(b)
	same(t, "a backup beside it", w.there(&batchv1.Job{}, "backup-monday"), true)
	w.finish("maintain-local", well(w.planOf("maintain-local")))
	w.settle(l)
	w.maintained(l, metav1.ConditionTrue, "this location maintains the repository")
	m := l.Status.Maintenance
	same(t, "the owner", m.Owner, "sitewright@"+string(l.UID))
	same(t, "the last full one", m.LastFull.Time.Equal(w.clock.Now()), true)
	same(t, "the last quick one", m.LastQuick.Time.Equal(w.clock.Now()), true)
	same(t, "the next", m.Next.Sub(w.clock.Now()), 24*time.Hour)
	same(t, "maintenance when it is over", w.maintaining("local"), "not")

	// Nothing was written for hours: nothing is compacted.
	w.clock.advance(3 * time.Hour)
	w.play(l)
	same(t, "maintenance of what nobody wrote to", l.Status.Maintenance.LastQuick.Equal(m.LastQuick), true)
	w.play(b, in)
	w.settle(l)
	same(t, "maintenance after a backup", w.maintaining("local"), "quickly")
	w.finish("maintain-local", well(w.planOf("maintain-local")))
	w.settle(l)
	same(t, "the last quick one", l.Status.Maintenance.LastQuick.Time.Equal(w.clock.Now()), true)
	same(t, "the last full one after a quick one", l.Status.Maintenance.LastFull.Equal(m.LastFull), true)
	same(t, "the next full one after a quick one", l.Status.Maintenance.Next.Equal(m.Next), true)
	w.remove(l)
	w.settle(l)
	w.expect(l, status.TerminatingStatus, api.ReasonDependencyNotReady, "1 Backups are in this location")
}

// TestMaintenanceFails: backups go on, and the tries become rarer.
func TestMaintenanceFails(t *testing.T) {
	w := newWorld(t)
	l := w.location("local")
	w.answers["maintain"] = failing(plan.ReasonCorrupt, "blob p1 is missing: check the location's storage")
	w.clock.advance(l.Status.Maintenance.Next.Sub(w.clock.Now()))
	began := w.clock.Now()
	var waits []time.Duration
	for range 6 {
		w.play(l)
		w.maintained(l, metav1.ConditionFalse, "blob p1 is missing")
		same(t, "the Job that failed", w.maintaining("local"), "not")
		waits = append(waits, l.Status.Maintenance.Next.Sub(w.clock.Now()))
		w.clock.advance(waits[len(waits)-1])
	}
	for i, want := range []time.Duration{10, 10, 20, 40, 80, 160} {
		same(t, "a wait in minutes", waits[i], want*time.Minute)
	}
	delete(w.answers, "maintain")
	w.play(l)
	w.maintained(l, metav1.ConditionTrue)
	if w.clock.Now().Sub(began) < 5*time.Hour {
		t.Errorf("it took %v", w.clock.Now().Sub(began))
	}
}

// TestMaintenanceByOthers: of the clusters that share a repository one maintains it, which each of them says.
func TestMaintenanceByOthers(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	l := w.location("local", isDefault)
	last := time.Date(2031, 5, 1, 6, 0, 0, 0, time.UTC)
	w.answers["maintain"] = func(p plan.Plan) plan.Result {
		r := well(p)
		r.Maintenance = &plan.Maintenance{Owner: "sitewright@another", LastQuick: &last, LastFull: &last}
		return r
	}
	w.clock.advance(l.Status.Maintenance.Next.Sub(w.clock.Now()))
	w.play(l)
	w.maintained(l, metav1.ConditionTrue, "the repository is maintained by sitewright@another")
	same(t, "the last full one", l.Status.Maintenance.LastFull.Time.Equal(last), true)
	same(t, "the next time to ask", l.Status.Maintenance.Next.Sub(w.clock.Now()), 24*time.Hour)
	w.clock.advance(2 * time.Hour)
	w.play(w.backup("monday", "blog"), in)
	w.settle(l)
	same(t, "maintenance of another's repository after a backup", w.maintaining("local"), "not")
	// That other one is gone for good, which the agent finds out.
	delete(w.answers, "maintain")
	w.clock.advance(24 * time.Hour)
	w.play(l)
	w.maintained(l, metav1.ConditionTrue, "this location maintains the repository")
}

// TestStatisticsFollowBackups: a backup is seen in the figures soon, and many backups cost one look.
func TestStatisticsFollowBackups(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	l := w.location("local", isDefault)
	w.clock.advance(10 * time.Minute)
	w.play(w.backup("monday", "blog"), in)
	result := w.settle(l)
	same(t, "the next look", result.RequeueAfter, 5*time.Minute)
	measured := l.Status.Statistics.Time
	w.clock.advance(5 * time.Minute)
	w.play(l)
	same(t, "whether it was measured again", l.Status.Statistics.Time.After(measured.Time), true)
	result = w.settle(l)
	same(t, "the next look", result.RequeueAfter > 30*time.Minute, true)
}

// TestAnotherRepository: what is known of a repository is not said of another one in its place.
func TestAnotherRepository(t *testing.T) {
	w := newWorld(t)
	l := w.location("local")
	w.clock.advance(l.Status.Maintenance.Next.Sub(w.clock.Now()))
	w.play(l)
	w.maintained(l, metav1.ConditionTrue)
	w.answers["open"] = func(plan.Plan) plan.Result {
		return plan.Result{Repository: "repository-2", Statistics: &plan.Statistics{Snapshots: 9}}
	}
	w.clock.advance(time.Hour)
	w.play(l)
	same(t, "the repository", l.Status.RepositoryID, "repository-2")
	same(t, "its last maintenance", l.Status.Maintenance.LastFull == nil, true)
	same(t, "its snapshots", l.Status.Statistics.Snapshots, int64(9))
	same(t, "the condition Maintained", w.condition(l, api.ConditionMaintained).Status, metav1.ConditionStatus(""))
}
