package agent

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

func TestMaintain(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	opened := w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	if opened.Repository == "" || opened.Maintenance.Owner != "" || opened.Maintenance.LastFull != nil || opened.Statistics.Snapshots != 0 {
		t.Errorf("a new repository: %+v %+v", opened.Maintenance, opened.Statistics)
	}
	saved := w.run(w.backup(blog, "blog-1"))
	maintain := func(owner string, full bool) plan.Result {
		return w.run(&plan.Plan{Maintain: &plan.Maintain{Location: w.location, Owner: owner, Full: full}})
	}
	quick := maintain("sitewright@one", false)
	if m := quick.Maintenance; m.Owner != "sitewright@one" || m.LastQuick == nil || m.LastFull != nil {
		t.Errorf("after quick maintenance: %+v", m)
	}
	if s := quick.Statistics; s.Snapshots != 1 || s.LogicalBytes < saved.Bytes || s.UniqueBytes == 0 || s.StoredBytes < saved.UploadedBytes || s.Blobs == 0 {
		t.Errorf("after quick maintenance: %+v, and the backup answered %+v", s, saved)
	}
	full := maintain("sitewright@one", true).Maintenance
	if full.LastFull == nil || time.Since(*full.LastFull) > time.Minute {
		t.Errorf("after full maintenance: %+v", full)
	}
	other := maintain("sitewright@two", true).Maintenance
	if other.Owner != "sitewright@one" || !other.LastFull.Equal(*full.LastFull) {
		t.Errorf("asked by another cluster: %+v, before %+v", other, full)
	}
	w.run(&plan.Plan{Restore: &plan.Restore{Site: w.site("blog", blogURL, "app_", 2), Location: w.location, Snapshot: saved.Snapshot}})
}

// TestFindAndAdopt: another cluster, or this one made anew, finds what it does not know, and restores it.
func TestFindAndAdopt(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	var saved []plan.Result
	for i := range 3 {
		p := w.backup(blog, fmt.Sprintf("blog-%d", i))
		p.Backup.Maker = "location-one"
		saved = append(saved, w.run(p))
	}
	w.leave(blog, "pending")
	find := func(maker string, known ...string) plan.Result {
		t.Helper()
		return w.run(&plan.Plan{Find: &plan.Find{Location: w.location, Maker: maker, Known: known}})
	}
	want := []plan.Found{{ID: saved[2].Snapshot, Name: "blog-2"}, {ID: saved[1].Snapshot, Name: "blog-1"}, {ID: saved[0].Snapshot, Name: "blog-0"}}
	if got := find("location-two"); !slices.Equal(got.Found, want) || got.More != 0 {
		t.Errorf("found %+v, want %+v", got.Found, want)
	}
	if got := find("location-one"); len(got.Found) != 0 {
		t.Errorf("a location finds what it made itself: %+v", got.Found)
	}
	if got := find("location-two", plan.Key("uid-of-blog-1"), plan.Key(saved[2].Snapshot)); !slices.Equal(got.Found, want[2:]) {
		t.Errorf("found %+v, want %+v", got.Found, want[2:])
	}

	adopted := w.run(&plan.Plan{Adopt: &plan.Adopt{Location: w.location, Snapshot: saved[1].Snapshot}})
	if adopted.Snapshot != saved[1].Snapshot || adopted.Files != saved[1].Files || adopted.Bytes != saved[1].Bytes ||
		adopted.DatabaseBytes != saved[1].DatabaseBytes || adopted.Version != "1.2" || adopted.Prefix != "app_" || adopted.SourceURL != blogURL ||
		adopted.Install != "blog" || adopted.Application != "notes" || time.Since(*adopted.Time) > time.Hour {
		t.Errorf("adopted %+v, and the backup answered %+v", adopted, saved[1])
	}
	pending, err := w.repository().ListPending(t.Context(), nil)
	if err != nil || len(pending) != 1 {
		t.Fatalf("%+v, %v", pending, err)
	}
	w.fails(&plan.Plan{Adopt: &plan.Adopt{Location: w.location, Snapshot: pending[0].ID}}, plan.ReasonInvalid, true, "never verified")
	w.fails(&plan.Plan{Adopt: &plan.Adopt{Location: w.location, Snapshot: "0123"}}, plan.ReasonNoSnapshot, true, "choose a Backup")
}

// TestFindsAPage: more than fit into an answer come in several.
func TestFindsAPage(t *testing.T) {
	w := newWorld(t)
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	r := w.repository()
	for i := range plan.MaxFound + 3 {
		_, err := r.Snapshot(t.Context(), repository.SnapshotRequest{
			Source: repository.Source{Namespace: "demo", Name: fmt.Sprintf("a-site-with-a-name-as-long-as-any-may-be-of-this-kind-of-it-%03d", i)},
			Tags:   map[string]string{snapshots.TagBackup: fmt.Sprintf("%08d-uid", i), snapshots.TagBackupName: "../../etc"},
			First:  repository.Tree{Blobs: map[string][]byte{"x": {byte(i)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	find := &plan.Find{Location: w.location}
	got := w.run(&plan.Plan{Find: find})
	if len(got.Found) != plan.MaxFound || got.More != 3 || !objectName.MatchString(got.Found[0].Name) {
		t.Fatalf("%d found and %d more, the first %+v", len(got.Found), got.More, got.Found[0])
	}
	if b := got.Marshal(); len(b) > plan.MaxResultBytes || len(b) < plan.MaxFound*80 {
		t.Errorf("the answer has %d bytes", len(b))
	}
	for _, f := range got.Found {
		find.Known = append(find.Known, plan.Key(f.ID))
	}
	if got := w.run(&plan.Plan{Find: find}); len(got.Found) != 3 || got.More != 0 {
		t.Errorf("then %d found and %d more", len(got.Found), got.More)
	}
}
