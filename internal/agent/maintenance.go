package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
)

// maintenance keeps visitors out of a serving site by the recipe's file. A journal tells the next run on the volume, of
// whatever task, to take the file away again when this one is killed.
type maintenance struct {
	volume *generation.Volume
	n      int64
	began  time.Time
	now    func() time.Time
	once   sync.Once
	pause  time.Duration
	err    error
}

// beginMaintenance returns nil when the recipe has no maintenance file, or when one is there already, which is not ours
// to take away.
func (a *agent) beginMaintenance(v *generation.Volume, site *plan.Site) (*maintenance, error) {
	m := site.Recipe.Maintenance
	if m == nil || m.File == "" {
		return nil, nil
	}
	name := path.Join(generation.WWW, site.Recipe.Layout.DocumentRoot, string(m.File))
	gen, err := v.OpenDir(site.Generation)
	if err != nil {
		return nil, err
	}
	defer gen.Close()
	if _, err := gen.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := v.WriteJournal(site.Generation, journal{Maintenance: name, Content: m.Content}); err != nil {
		return nil, err
	}
	began := a.Now()
	if err := writeFile(gen, name, []byte(m.Content), 0o644); err != nil {
		return nil, fmt.Errorf("turning on maintenance of site %s: %w", site.Name, errors.Join(err, endMaintenanceOf(v, site.Generation)))
	}
	return &maintenance{volume: v, n: site.Generation, began: began, now: a.Now}, nil
}

// end takes the file away, once.
func (m *maintenance) end() error {
	if m == nil {
		return nil
	}
	m.once.Do(func() {
		m.err = endMaintenanceOf(m.volume, m.n)
		m.pause = m.now().Sub(m.began)
	})
	return m.err
}

// endMaintenance takes away what killed backups, and upgrades, left in any generation of the volume.
func endMaintenance(v *generation.Volume) error {
	list, err := v.List()
	if err != nil {
		return err
	}
	for _, g := range list {
		if err := endMaintenanceOf(v, g.N); err != nil {
			return err
		}
	}
	return nil
}

// endMaintenanceOf removes the journal's file when it still is what the task wrote.
func endMaintenanceOf(v *generation.Volume, n int64) error {
	var j journal
	found, err := v.ReadJournal(n, &j)
	if err != nil {
		// Not what a task wrote: the site can write here too, and must not be able to keep tasks away from itself.
		return v.RemoveJournal(n)
	}
	if !found || j.Maintenance == "" {
		return nil
	}
	gen, err := v.OpenDir(n)
	if err != nil {
		return err
	}
	defer gen.Close()
	if content, err := readSmall(gen, j.Maintenance); err == nil && string(content) == j.Content {
		if err := gen.Remove(j.Maintenance); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("turning off maintenance: %w", err)
		}
	}
	return v.RemoveJournal(n)
}

func readSmall(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxConfiguration))
}
