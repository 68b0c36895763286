package agent

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// cloning is a copy of another site on its way.
type cloning struct {
	*making
	plan   *plan.Clone
	volume *generation.Volume // of the source
	source *database
	// newSite says that the copy becomes a site of its own.
	newSite bool
	// freeze is called before the instant that is copied; it may be nil.
	freeze func(context.Context) error
}

// clone makes a generation of another site's serving generation, which is only read.
func (a *agent) clone(ctx context.Context, p *plan.Clone) (plan.Result, error) {
	return a.make(ctx, "clone", &p.Site, func(ctx context.Context, m *making) (err error) {
		if p.Source.Application != p.Site.Application {
			return invalid("site %s is %q and site %s is to be %q: a clone is of the same application",
				p.Source.Name, p.Source.Application, p.Site.Name, p.Site.Application)
		}
		if (p.Source.Database != nil) != (m.database != nil) {
			return invalid("site %s and its clone %s do not agree whether there is a database", p.Source.Name, p.Site.Name)
		}
		volume, err := generation.OpenReader(p.Source.Volume)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, volume.Close()) }()
		c := &cloning{making: m, plan: p, volume: volume, newSite: true}
		if c.source, err = a.database(p.Source.Database); err != nil {
			return err
		}
		return c.copy(ctx)
	})
}

// copy copies files while the source works, then takes its database's instant, copies what changed of the files
// meanwhile, and the tables as they were at that instant.
func (c *cloning) copy(ctx context.Context) (err error) {
	if err := c.look(ctx); err != nil {
		return err
	}
	if err := c.files(ctx, c.progress.phase(0, 45, "copying files")); err != nil {
		return err
	}
	if c.freeze != nil {
		if err := c.freeze(ctx); err != nil {
			return err
		}
	}
	from := place{url: c.plan.Source.URL, path: path.Join(c.SiteRoot, generation.WWW)}
	if c.source == nil {
		mv, err := c.moveFrom(from, c.newSite)
		if err != nil {
			return err
		}
		return c.finish(ctx, mv, nil)
	}
	from.prefix = c.source.Prefix
	t := &tableCopy{cloning: c, from: from}
	if err := t.begin(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.about(t.copying.Close())) }()
	return c.finish(ctx, t.move, t.run)
}

// finish brings the files up to date, copies the tables if there are any, and takes the site to its place.
func (c *cloning) finish(ctx context.Context, mv *move, tables func(context.Context) error) error {
	if err := c.files(ctx, c.progress.phase(45, 50, "copying what changed")); err != nil {
		return err
	}
	if err := c.openDocumentRoot(); err != nil {
		return err
	}
	if tables != nil {
		if err := tables(ctx); err != nil {
			return err
		}
	}
	return mv.finish(ctx)
}

// look notes what the source is. detectCopy judges the copy.
func (c *cloning) look(ctx context.Context) (err error) {
	root, err := c.volume.OpenDir(c.plan.Source.Generation, below(&c.plan.Source)...)
	if err != nil {
		return err
	}
	c.result.SourceURL, c.result.Title, c.result.Runtime = c.plan.Source.URL, c.plan.Source.Title, c.plan.Source.Runtime
	if c.source != nil {
		c.result.Prefix = c.source.Prefix
	}
	return errors.Join(root.Close(), ctx.Err())
}

// files makes the directories of the clone equal to those of the source, but for what a copy leaves out.
func (c *cloning) files(ctx context.Context, ph *phase) error {
	for _, d := range []string{generation.WWW, generation.Data} {
		if err := c.directory(ctx, d, ph); err != nil {
			return err
		}
	}
	return nil
}

func (c *cloning) directory(ctx context.Context, d string, ph *phase) (err error) {
	source, err := c.volume.OpenDir(c.plan.Source.Generation, d)
	if errors.Is(err, generation.ErrMissing) && d == generation.Data {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := c.making.volume.OpenDir(c.site.Generation, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, total, err := usage(ctx, source)
	if err != nil {
		return err
	}
	t := &treeCopy{source: source, target: target, leftOut: map[string]bool{}, report: func(done int64) { ph.report(done, total) }}
	if d == generation.WWW {
		for _, name := range snapshots.LeftOut(&c.plan.Source.Recipe) {
			t.leftOut[path.Clean(name)] = true
		}
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	if skipped := t.skipped.Load(); skipped > 0 && ph.from > 0 {
		c.warn("%d sockets, pipes or devices in %s were left out", skipped, d)
	}
	return nil
}

// missing reports an error that a site at work causes by removing files.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
