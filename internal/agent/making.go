package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
)

// making is a generation on its way to its seal.
type making struct {
	*agent
	site   *plan.Site
	volume *generation.Volume
	// documentRoot is the directory that is served; nil until openDocumentRoot.
	documentRoot *os.Root
	database     *database
	result       plan.Result
}

// make makes a generation: it answers from the seal when there is one; else it empties directories and database, has
// them filled, and seals them. fill leaves its answer in making.result.
func (a *agent) make(ctx context.Context, task string, site *plan.Site, fill func(context.Context, *making) error) (result plan.Result, err error) {
	volume, err := generation.Open(ctx, site.Volume, a.LockWait)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, volume.Close()) }()
	// Before anything is touched: an upgrade that is done keeps visitors out until the switch.
	seal, err := volume.Sealed(site.Generation)
	if err != nil {
		return plan.Result{}, err
	}
	if seal != nil {
		if seal.Task != task || seal.UID != site.UID {
			return plan.Result{}, invalid("generation %d of site %s was made by another task (%s); choose a generation that is not there yet",
				site.Generation, site.Name, seal.Task)
		}
		return seal.Result, nil
	}
	if err := endMaintenance(volume); err != nil {
		return plan.Result{}, err
	}
	m := &making{agent: a, site: site, volume: volume}
	if m.database, err = a.database(site.Database); err != nil {
		return plan.Result{}, err
	}
	if err := m.fill(ctx, fill); err != nil {
		return plan.Result{}, err
	}
	if err := volume.Seal(site.Generation, generation.Seal{Task: task, UID: site.UID, Result: m.result}); err != nil {
		return plan.Result{}, err
	}
	return m.result, nil
}

func (m *making) fill(ctx context.Context, fill func(context.Context, *making) error) (err error) {
	if err := m.volume.Prepare(m.site.Generation); err != nil {
		return err
	}
	if err := m.emptyDatabase(ctx); err != nil {
		return err
	}
	err = fill(ctx, m)
	if m.documentRoot != nil {
		err = errors.Join(err, m.documentRoot.Close())
	}
	if err != nil {
		return err
	}
	if err := m.measure(ctx); err != nil {
		return err
	}
	gen, err := m.volume.OpenDir(m.site.Generation)
	if err != nil {
		return err
	}
	return errors.Join(generation.Empty(gen, generation.Tmp), gen.Close(), ctx.Err())
}

// journal says that tables with a prefix in somebody else's database are this generation's.
type journal struct {
	UID      string `json:"uid,omitempty"`
	Database string `json:"database,omitempty"`
	Prefix   string `json:"prefix,omitempty"`
	// Maintenance is the file that a backup or an upgrade made to keep visitors out, below the generation, and Content what it wrote.
	Maintenance string `json:"maintenance,omitempty"`
	Content     string `json:"content,omitempty"`
}

// emptyDatabase clears the generation's database. In one that somebody else made, only tables that an earlier run of
// this very task made are cleared; others with the site's prefix are another site's, and refused.
func (m *making) emptyDatabase(ctx context.Context) error {
	d := m.database
	if d == nil {
		return nil
	}
	if !d.Shared {
		return m.aboutDatabase(mysql.Clear(ctx, d.config, ""))
	}
	mine := journal{UID: m.site.UID, Database: d.Name, Prefix: d.Prefix}
	var left journal
	if _, err := m.volume.ReadJournal(m.site.Generation, &left); err != nil {
		return err
	}
	if left != mine {
		used, err := objects(ctx, d.config, d.Prefix)
		if err != nil {
			return m.aboutDatabase(err)
		}
		if used > 0 {
			return invalid("tables with prefix %q already exist in database %s: choose another tablePrefix or another database",
				d.Prefix, d.Name)
		}
		if err := m.volume.WriteJournal(m.site.Generation, mine); err != nil {
			return err
		}
	}
	return m.aboutDatabase(mysql.Clear(ctx, d.config, d.Prefix))
}

// objects counts what Clear would drop.
func objects(ctx context.Context, config mysql.Config, prefix string) (n int64, err error) {
	db, err := mysql.Open(ctx, config)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, source := range []string{
		"TABLES WHERE TABLE_SCHEMA = DATABASE() AND BINARY LEFT(TABLE_NAME, CHAR_LENGTH(?)) = BINARY ?",
		"ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND BINARY LEFT(ROUTINE_NAME, CHAR_LENGTH(?)) = BINARY ?",
		"EVENTS WHERE EVENT_SCHEMA = DATABASE() AND BINARY LEFT(EVENT_NAME, CHAR_LENGTH(?)) = BINARY ?",
	} {
		var found int64
		row := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM INFORMATION_SCHEMA."+source, prefix, prefix)
		if err := row.Scan(&found); err != nil {
			return 0, fmt.Errorf("looking for tables in %s: %w", config, mysql.Classify(err))
		}
		n += found
	}
	return n, nil
}

// openDocumentRoot opens the directory that is served, once the files are there.
func (m *making) openDocumentRoot() error {
	root, err := m.volume.OpenDir(m.site.Generation, below(m.site)...)
	if errors.Is(err, generation.ErrMissing) {
		return invalid("the files have no directory %q, which the recipe's layout.documentRoot of application %s names",
			m.site.Recipe.Layout.DocumentRoot, m.site.Application)
	}
	m.documentRoot = root
	return err
}

// place is a directory of the generation as commands see it: below SiteRoot where that is the generation, else where it
// is on the volume.
func (m *making) place(dirs ...string) string {
	own := m.volume.Dir(m.site.Generation, dirs...)
	seen := filepath.Join(append([]string{m.SiteRoot}, dirs...)...)
	a, err := os.Stat(own)
	if err != nil {
		return own
	}
	if b, err := os.Stat(seen); err == nil && os.SameFile(a, b) {
		return seen
	}
	return own
}

// measure adds up files and tables.
func (m *making) measure(ctx context.Context) error {
	for _, d := range []string{generation.WWW, generation.Data} {
		root, err := m.volume.OpenDir(m.site.Generation, d)
		if err != nil {
			return err
		}
		files, bytes, err := usage(ctx, root)
		if err = errors.Join(err, root.Close()); err != nil {
			return fmt.Errorf("measuring generation %d of site %s: %w", m.site.Generation, m.site.Name, err)
		}
		m.result.Files += files
		m.result.Bytes += bytes
	}
	if m.result.Files == 0 {
		return invalid("generation %d of site %s would have no files at all", m.site.Generation, m.site.Name)
	}
	if m.database == nil {
		return nil
	}
	_, bytes, err := mysql.TableStats(ctx, m.database.config, m.database.Prefix)
	m.result.DatabaseBytes = bytes
	return m.aboutDatabase(err)
}

// usage counts files and links and adds up their sizes.
func usage(ctx context.Context, root *os.Root) (files, bytes int64, err error) {
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if missing(err) {
			return nil // A site at work removes files.
		}
		if err != nil || e.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		info, err := e.Info()
		if missing(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path.Clean(name), err)
		}
		files++
		bytes += info.Size()
		return nil
	})
	return files, bytes, err
}

func (m *making) warn(format string, args ...any) {
	m.result.Warnings = append(m.result.Warnings, fmt.Sprintf(format, args...))
}
