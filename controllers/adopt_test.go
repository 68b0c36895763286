package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

// stored are the snapshots in a played repository, newest first, by the names of their Backups.
type stored []plan.Found

// find is an agent that looks for what is not known, as the real one does.
func (s stored) find(p plan.Plan) plan.Result {
	var r plan.Result
	for _, f := range s {
		switch {
		case slices.Contains(p.Find.Known, plan.Key(f.ID)):
		case len(r.Found) == plan.MaxFound:
			r.More++
		default:
			r.Found = append(r.Found, f)
		}
	}
	return r
}

func adopts(l *api.BackupLocation) { l.Spec.Adopt = true }

// backups are the names of the Backups in the test's namespace.
func (w *world) backups() []string {
	w.Helper()
	var list api.BackupList
	w.must(w.List(w.Context(), &list, client.InNamespace(w.ns)))
	var all []string
	for _, b := range list.Items {
		all = append(all, b.Name)
	}
	slices.Sort(all)
	return all
}

func (w *world) backupNamed(name string) *api.Backup {
	w.Helper()
	b := &api.Backup{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns}}
	if w.version(b) == "" {
		w.Fatalf("there is no Backup %s, but %v", name, w.backups())
	}
	return b
}

func TestAdopt(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	ids := []string{strings.Repeat("a", 32), strings.Repeat("b", 32), strings.Repeat("c", 32)}
	w.answers["find"] = stored{{ID: ids[2], Name: "monday"}, {ID: ids[1], Name: "monday"}, {ID: ids[0], Name: "sunday"}}.find
	w.answers["adopt"] = func(p plan.Plan) plan.Result {
		r := well(p)
		r.Application = in.Spec.Application
		return r
	}
	l := w.location("local", isDefault, adopts)
	same(t, "the condition Adopted", w.condition(l, api.ConditionAdopted).Status, metav1.ConditionTrue)
	same(t, "the Backups", strings.Join(w.backups(), " "), "monday monday-bbbbbbbbbbbb sunday")
	same(t, "the last look", l.Status.Adoption.LastLooked.Time.Equal(w.clock.Now()), true)
	same(t, "the Job", w.there(&batchv1.Job{}, "find-local"), false)

	b := w.backupNamed("monday")
	same(t, "the snapshot", b.Spec.Snapshot.ID, ids[2])
	same(t, "the policy", b.Spec.DeletionPolicy, api.DeletionOrphan)
	w.settle(b)
	w.expect(b, status.InProgressStatus, api.ReasonProgressing, "starting")
	same(t, "a snapshot before it is verified", b.Status.Snapshot == nil, true)
	same(t, "what is looked at", w.planOf("adopt-monday").Adopt.Snapshot, ids[2])
	w.play(b)
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded, "20 files", "local")
	st := b.Status
	same(t, "when it was taken", st.Snapshot.Time.UTC(), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	st.Snapshot.Time = nil
	same(t, "the snapshot", *st.Snapshot, api.SnapshotStatus{ID: ids[2], Location: "local", Files: 20, Bytes: 2000, DatabaseBytes: 200})
	same(t, "the rest", strings.Join([]string{st.Install, st.Application, st.Version, st.URL, st.Title, st.Runtime, st.Database.Prefix}, " "),
		"blog "+in.Spec.Application+" 6.8.7 http://blog.elsewhere.test/ A blog php-8.4 wp_")

	// It is restored like any other.
	r := w.restore("back", "monday")
	w.play(r, in)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded, "Backup monday is restored to Install blog")
	same(t, "the generation", in.Status.Generation, int64(2))
	other := w.restore("move", "monday", to("blog-old"))
	w.settle(other)
	made := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "blog-old", Namespace: w.ns}}
	w.play(made, other)
	w.expect(other, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(made, status.CurrentStatus, api.ReasonSucceeded)

	// Nothing is adopted twice, nor again when its Backup has gone, which leaves the snapshot.
	w.remove(b)
	w.settle(b)
	same(t, "the Backup", w.version(b), "")
	same(t, "an agent that forgets", w.there(&batchv1.Job{}, "forget-monday"), false)
	w.clock.advance(time.Hour)
	w.play(l)
	same(t, "the Backups", strings.Join(w.backups(), " "), "monday-bbbbbbbbbbbb sunday")
	// By hand it can be had again, and removed for good.
	again := &api.Backup{ObjectMeta: named("again"), Spec: api.BackupSpec{Snapshot: &api.SnapshotSource{ID: ids[2]}}}
	w.create(again)
	w.play(again)
	w.expect(again, status.CurrentStatus, api.ReasonSucceeded)
	w.remove(again)
	w.settle(again)
	same(t, "what is forgotten", w.planOf("forget-again").Forget.Snapshot, ids[2])
	w.play(again)
	same(t, "the Backup", w.version(again), "")
}

// TestAdoptByPages: more snapshots than fit into an agent's answer are adopted one page after the other.
func TestAdoptByPages(t *testing.T) {
	w := newWorld(t)
	var all stored
	for i := range 2*plan.MaxFound + 5 {
		all = append(all, plan.Found{ID: fmt.Sprintf("%012x%020x", i+1, i), Name: fmt.Sprintf("blog-%02d", i)})
	}
	// What no API server takes is passed over.
	all[3].Name = "No Name"
	w.answers["find"] = all.find
	l := w.location("local", adopts)
	same(t, "the Backups", len(w.backups()), len(all)-1)
	same(t, "what is remembered", len(l.Status.Adoption.Adopted), len(all))
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
}

// TestAdoptKnows: the Backups of every namespace that uses the repository are known, whatever their location there is called.
func TestAdoptKnows(t *testing.T) {
	w, _, own := backedUp(t)
	elsewhere := w.namespace(nil)
	theirs := &api.Backup{ObjectMeta: metav1.ObjectMeta{Name: "theirs", Namespace: elsewhere}, Spec: api.BackupSpec{InstallRef: &api.LocalReference{Name: "x"}}}
	w.create(theirs)
	adopted := &api.Backup{ObjectMeta: named("adopted"), Spec: api.BackupSpec{Snapshot: &api.SnapshotSource{ID: strings.Repeat("d", 32)}}}
	w.create(adopted)
	l := &api.BackupLocation{ObjectMeta: named("second"), Spec: api.BackupLocationSpec{Adopt: true, Volume: &api.VolumeLocation{}}}
	w.create(l)
	w.settle(l)
	w.finish("open-second", well(w.planOf("open-second")))
	w.settle(l)
	p := w.planOf("find-second").Find
	same(t, "who looks", p.Maker, string(l.UID))
	for what, id := range map[string]string{"its namespace's": string(own.UID), "another namespace's": string(theirs.UID), "an adopted": adopted.Spec.Snapshot.ID} {
		same(t, "whether "+what+" Backup is known", slices.Contains(p.Known, plan.Key(id)), true)
	}
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
}

func TestAdoptFails(t *testing.T) {
	w := newWorld(t)
	w.answers["find"] = failing(plan.ReasonUnreachable, "the repository does not answer")
	l := w.location("local", isDefault, adopts)
	c := w.condition(l, api.ConditionAdopted)
	same(t, "the condition Adopted", c.Status, metav1.ConditionFalse)
	same(t, "what it says", c.Message, "the repository does not answer")
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
	change(w, l, func(l *api.BackupLocation) { l.Spec.Adopt = false })
	w.play(l)
	same(t, "the condition of what is not asked for", w.condition(l, api.ConditionAdopted).Status, metav1.ConditionStatus(""))

	w.answers["adopt"] = failing(plan.ReasonCorrupt, "blob p1 is missing; choose another one")
	b := &api.Backup{ObjectMeta: named("bad"), Spec: api.BackupSpec{Snapshot: &api.SnapshotSource{ID: strings.Repeat("e", 32)}}}
	w.create(b)
	w.play(b)
	w.expect(b, status.FailedStatus, api.ReasonFailed, "blob p1 is missing")
	same(t, "a snapshot", b.Status.Snapshot == nil, true)
	r := w.restore("back", "bad")
	w.settle(r)
	w.expect(r, status.FailedStatus, api.ReasonInvalidSpec, "Backup bad failed and has nothing to restore")
}
