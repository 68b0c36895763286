package agent

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
)

// killed carries out a plan in a process of its own that is killed at random moments, and then to its end.
func (w *world) killed(p *plan.Plan, kills int, within time.Duration) plan.Result {
	w.t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	name := filepath.Join(w.mkdir("plans"), p.Task()+".json")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	ended := 0
	for i := range kills + 1 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), planVariable+"="+name)
		var out strings.Builder
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			w.t.Fatal(err)
		}
		if i < kills {
			timer := time.AfterFunc(rand.N(within), func() { _ = c.Process.Kill() })
			err := c.Wait()
			timer.Stop()
			exit, failed := errors.AsType[*exec.ExitError](err)
			if failed && exit.ExitCode() >= 0 {
				w.t.Fatalf("%s, run %d, failed: %s %s", p.Task(), i, out.String(), read(w.t, name+".result"))
			}
			if !failed {
				ended++
			}
			continue
		}
		if err := c.Wait(); err != nil {
			w.t.Fatalf("%s after %d kills: %v %s %s", p.Task(), kills, err, out.String(), read(w.t, name+".result"))
		}
	}
	w.t.Logf("%s: %d of %d runs came to their end before they were killed", p.Task(), ended, kills)
	r, ok := plan.ParseResult(read(w.t, name+".result"))
	if !ok || r.Failure != nil {
		w.t.Fatalf("%s answers %+v", p.Task(), r)
	}
	return r
}

func TestKilledAtAnyMoment(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.killed(w.install(blog), 6, 200*time.Millisecond)
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	files, tables := tree(t, blog), w.dump(blog.Database)

	saved := w.killed(w.backup(blog, "blog-1"), 6, time.Second)
	if now := tree(t, blog); !maps.Equal(now, files) {
		t.Error("a killed backup changed the site's files; is it still in maintenance?")
	}
	second := w.site("blog", blogURL, "app_", 2)
	restored := w.killed(&plan.Plan{Restore: &plan.Restore{Site: second, Location: w.location, Snapshot: saved.Snapshot}}, 8, 500*time.Millisecond)
	if got := w.dump(second.Database); got != tables || restored.Files != int64(len(files)) {
		t.Errorf("the restored tables differ, or its %d files are not %d", restored.Files, len(files))
	}
	clone := w.site("copy", "https://copy.example", "new_", 1)
	w.killed(&plan.Plan{Clone: &plan.Clone{Site: clone, Source: blog}}, 8, 200*time.Millisecond)
	if got := w.dump(clone.Database); strings.Contains(got, "blog.example") || strings.Count(got, "https://copy.example/note/") != 200 {
		t.Error("the clone's tables are not the source's, moved")
	}
	entries, err := os.ReadDir(filepath.Join(clone.Volume, "staging"))
	if err != nil || len(entries) > 0 {
		t.Errorf("staging holds %v, %v", entries, err)
	}
}
