package agent

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/rewrite"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// place is where a site is: what its tables and files say of it.
type place struct {
	url, path, prefix string
	// tables of a place that is copied from.
	tables []string
}

// same reports whether a site that comes from p is not moved at all by q.
func (p place) same(q place) bool { return p.url == q.url && p.path == q.path && p.prefix == q.prefix }

// move takes a site that was copied from one place to another. A move between equal places changes nothing.
type move struct {
	*making
	from, to place
	newSite  bool
	// fromArchive says that the dump is of another program, which may name the database.
	fromArchive bool
	// rewriter is nil when nothing changes.
	rewriter *rewrite.Rewriter
	// mu guards the counts of the result and the report while parts are loaded.
	mu     sync.Mutex
	report rewrite.Report
}

func (m *making) moveFrom(from place, newSite bool) (*move, error) {
	from.url = strings.TrimRight(from.url, "/")
	mv := &move{making: m, from: from, newSite: newSite, to: place{url: strings.TrimRight(m.site.URL, "/"), path: path.Join(m.SiteRoot, generation.WWW)}}
	if m.database != nil {
		mv.to.prefix = m.database.Prefix
	}
	if err := mv.checkShared(); err != nil {
		return nil, err
	}
	if mv.from.same(mv.to) {
		return mv, nil
	}
	o := rewrite.Options{
		FromURL: from.url, ToURL: mv.to.url, FromPath: from.path, ToPath: mv.to.path,
		FromPrefix: from.prefix, ToPrefix: mv.to.prefix,
	}
	if from.prefix == "" {
		o.Tables = from.tables // Without a prefix, only the list tells the site's names from others.
	}
	if scope := m.site.Recipe.Move.URL; scope != "" && scope != recipe.Everywhere && from.url != mv.to.url {
		m.warn("the recipe limits the rewriting of URLs to %s, which is not supported yet: all tables were rewritten", scope)
	}
	r, err := rewrite.New(o)
	if err != nil {
		return nil, invalid("moving site %s from %s to %s: %v", m.site.Name, from.url, mv.to.url, err)
	}
	mv.rewriter = r
	return mv, nil
}

// checkShared refuses to load tables that do not have the site's prefix into somebody else's database, where they could
// take the place of another site's.
func (m *move) checkShared() error {
	if m.database == nil || !m.database.Shared {
		return nil
	}
	for _, t := range m.from.tables {
		if !strings.HasPrefix(t, m.from.prefix) {
			return invalid("table %q of the copied site does not begin with its prefix %q, so it may not go into database %s, which others use too; use a database of its own",
				t, m.from.prefix, m.database.Name)
		}
	}
	return nil
}

// load loads a dump, rewritten where the site moves. used is told the bytes loaded.
func (m *move) load(ctx context.Context, parts []mysql.Source, used func(int64)) error {
	if m.rewriter != nil {
		parts = snapshots.Rewritten(parts, m.rewriter, m.count)
	}
	_, err := mysql.LoadParts(ctx, m.database.config, parts, mysql.LoadOptions{Progress: used, SingleDatabase: m.fromArchive})
	if err == nil {
		m.tell()
	}
	return m.aboutDatabase(err)
}

// tell says what was changed where in the database.
func (m *move) tell() {
	if m.rewriter != nil {
		m.progress.note("moving the database: " + m.report.Summary())
	}
}

// count adds up what was rewritten. Parts are rewritten at the same time.
func (m *move) count(report rewrite.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.result.Rewritten += report.Values
	m.result.Malformed += report.Malformed
	m.report.Add(report)
}

// finish brings everything else that a move changes: rows that carry the prefix, what must not come along, the
// configuration, the files; and looks at what came of it.
func (m *move) finish(ctx context.Context) error {
	m.progress.phase(85, 90, "adapting the site to its place")
	if m.database != nil {
		if err := m.adaptRows(ctx); err != nil {
			return err
		}
	}
	if m.newSite || m.rewriter != nil {
		if err := m.emptyCaches(); err != nil {
			return err
		}
	}
	if m.rewriter != nil {
		for _, d := range []string{generation.WWW, generation.Data} {
			if err := m.rewriteFiles(ctx, d); err != nil {
				return err
			}
		}
		if err := m.rewriteBases(ctx); err != nil {
			return err
		}
	}
	if err := m.makeData(); err != nil {
		return err
	}
	if err := m.reconfigure(m.newSite); err != nil {
		return err
	}
	if m.result.Malformed > 0 {
		m.warn("%d values look serialized, are not well formed, and were left as they are", m.result.Malformed)
	}
	m.progress.phase(95, 100, "checking the site")
	return m.detectCopy(ctx)
}

// emptyCaches empties what the application makes again by itself and what may hold the old place.
func (m *move) emptyCaches() error {
	for _, c := range m.site.Recipe.Files.Caches {
		info, err := m.documentRoot.Lstat(string(c))
		if err != nil {
			continue // Not there.
		}
		if info.IsDir() {
			err = generation.Empty(m.documentRoot, string(c))
		} else {
			err = m.documentRoot.Remove(string(c))
		}
		if err != nil {
			return fmt.Errorf("emptying cache %s: %w", c, err)
		}
	}
	return nil
}
