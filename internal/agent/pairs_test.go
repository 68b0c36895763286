package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
)

// TestQuiescedPairs has visitors write pairs, a row and then a file, as an upload does, while quiesced backups are made: no restore may have one without
// the other. As applications do, a visitor looks for the maintenance file first, and then logs in for as long as the request takes.
func TestQuiescedPairs(t *testing.T) {
	w := newWorld(t)
	blog := w.site("blog", blogURL, "app_", 1)
	w.run(w.install(blog))
	w.run(&plan.Plan{Open: &plan.Open{Location: w.location}})
	w.makePairs(blog)
	public := filepath.Join(siteDir(blog), "www/public")
	stop := w.visit(blog, public, 4)
	for i := range 3 {
		name := fmt.Sprintf("blog-%d", i)
		saved := w.run(w.backup(blog, name))
		if saved.PauseMillis < drainSettle.Milliseconds() || len(saved.Warnings) > 0 {
			t.Errorf("the pause is %d ms, warnings %q", saved.PauseMillis, saved.Warnings)
		}
		second := w.site(fmt.Sprintf("second-%d", i), blogURL, "app_", 1)
		w.run(&plan.Plan{Restore: &plan.Restore{Site: second, Location: w.location, Snapshot: saved.Snapshot}})
		w.checkPairs(second)
	}
	if written := stop(); written < 30 {
		t.Errorf("only %d pairs were written meanwhile", written)
	}
}

// makePairs makes the table of pairs, and leaves no session open: it would be waited for.
func (w *world) makePairs(site plan.Site) {
	w.t.Helper()
	db, err := mysql.Open(w.t.Context(), w.login(site.Database))
	if err == nil {
		_, err = db.ExecContext(w.t.Context(), "CREATE TABLE app_pairs (id INT PRIMARY KEY)")
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// login is a site's own.
func (w *world) login(d *plan.Database) mysql.Config {
	w.t.Helper()
	return mysql.Config{Host: d.Host, Port: d.Port, User: d.User, Password: strings.TrimSpace(read(w.t, d.PasswordFile)), Database: d.Name}
}

// visit writes pairs from so many visitors until it is stopped.
func (w *world) visit(site plan.Site, public string, visitors int) (stop func() int) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	config := w.login(site.Database)
	var all sync.WaitGroup
	counts := make([]int, visitors)
	for v := range visitors {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(v), 1))
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := os.Lstat(filepath.Join(public, ".maintenance")); !errors.Is(err, fs.ErrNotExist) {
					time.Sleep(5 * time.Millisecond)
					continue
				}
				time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
				id := v*100_000 + n
				if err := writePair(config, public, id, time.Duration(r.IntN(150))*time.Millisecond); err != nil {
					w.t.Errorf("pair %d: %v", id, err)
					return
				}
				counts[v]++
			}
		})
	}
	return func() (written int) {
		cancel()
		all.Wait()
		for _, n := range counts {
			written += n
		}
		return written
	}
}

// writePair is a request: it ends although nobody waits for it any more.
func writePair(config mysql.Config, public string, id int, between time.Duration) (err error) {
	db, err := mysql.Open(context.Background(), config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.Exec("INSERT INTO app_pairs VALUES (?)", id); err != nil {
		return err
	}
	time.Sleep(between)
	return os.WriteFile(filepath.Join(public, "uploads", fmt.Sprintf("pair-%d", id)), []byte("a pair"), 0o644)
}

// checkPairs holds a site's rows against its files.
func (w *world) checkPairs(site plan.Site) {
	w.t.Helper()
	rows, err := w.open(site.Database).QueryContext(w.t.Context(), "SELECT id FROM app_pairs")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	halves := map[string]string{}
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			w.t.Fatal(err)
		}
		halves[fmt.Sprintf("pair-%d", id)] = "its file"
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(siteDir(site), "www/public/uploads"))
	if err != nil {
		w.t.Fatal(err)
	}
	whole := 0
	for _, e := range entries {
		switch {
		case !strings.HasPrefix(e.Name(), "pair-"):
		case halves[e.Name()] == "":
			halves[e.Name()] = "its row"
		default:
			delete(halves, e.Name())
			whole++
		}
	}
	if whole == 0 || len(halves) > 0 {
		w.t.Errorf("%d pairs are whole; of these the named half is missing: %v", whole, halves)
	}
}
