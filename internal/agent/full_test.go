package agent

import (
	"os"
	"syscall"
	"testing"

	"github.com/sitewright/sitewright/internal/plan"
)

func TestDiskFull(t *testing.T) {
	w := newWorld(t)
	sized := func(name string, generation int64, size string) plan.Site {
		site := w.site(name, blogURL, "app_", generation)
		if err := syscall.Mount("tmpfs", site.Volume, "tmpfs", 0, "size="+size); err != nil {
			t.Fatalf("mounting a small file system: %v; run the tests as root", err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(site.Volume, 0); err != nil {
				t.Error(err)
			}
		})
		return site
	}
	small := func(name string, generation int64) plan.Site { return sized(name, generation, "200k") }
	site := small("small", 1)
	w.fails(w.install(site), plan.ReasonDiskFull, true, "spec.storage.size")

	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	saved := w.run(w.backup(blog, "b"))
	w.fails(&plan.Plan{Restore: &plan.Restore{Site: small("restored", 2), Location: w.location, Snapshot: saved.Snapshot}},
		plan.ReasonDiskFull, true, "spec.storage.size")
	w.fails(&plan.Plan{Clone: &plan.Clone{Site: small("cloned", 1), Source: blog}}, plan.ReasonDiskFull, true, "spec.storage.size")
	if _, err := os.Stat(siteDir(blog)); err != nil {
		t.Error(err)
	}
	// Room for a generation and a half.
	full := sized("full", 1, "600k")
	w.run(w.install(full))
	r := nextRelease(t)
	w.fails(w.upgrade(full, &r), plan.ReasonDiskFull, true, "spec.storage.size")
	if closed(full) {
		t.Error("an upgrade without room has left the site in maintenance")
	}
}
