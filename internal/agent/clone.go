package agent

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// cloning is a copy of another site on its way.
type cloning struct {
	*making
	plan   *plan.Clone
	volume *generation.Volume // of the source
	source *database
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
		c := &cloning{making: m, plan: p, volume: volume}
		if c.source, err = a.database(p.Source.Database); err != nil {
			return err
		}
		return c.copy(ctx)
	})
}

// copy copies files while the source works, then takes its database's snapshot, copies what changed of the files
// meanwhile, and loads the snapshot.
func (c *cloning) copy(ctx context.Context) (err error) {
	if err := c.look(ctx); err != nil {
		return err
	}
	if err := c.files(ctx, c.progress.phase(0, 45, "copying files")); err != nil {
		return err
	}
	var dump *mysql.Dump
	from := place{url: c.plan.Source.URL, path: path.Join(c.SiteRoot, generation.WWW)}
	if d := c.source; d != nil {
		if dump, err = mysql.NewDump(ctx, d.config, mysql.DumpOptions{Prefix: d.prefix()}); err != nil {
			return d.about(err)
		}
		defer func() { err = errors.Join(err, d.about(dump.Close())) }()
		from.prefix, from.tables = d.Prefix, snapshots.Tables(dump)
	}
	if err := c.files(ctx, c.progress.phase(45, 50, "copying what changed")); err != nil {
		return err
	}
	if err := c.openDocumentRoot(); err != nil {
		return err
	}
	mv, err := c.moveFrom(from, true)
	if err != nil {
		return err
	}
	if dump != nil {
		if err := c.tables(ctx, dump, mv); err != nil {
			return err
		}
		c.result.PauseMillis = dump.Pause().Milliseconds()
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

// tables streams the dump into the clone's database.
func (c *cloning) tables(ctx context.Context, dump *mysql.Dump, mv *move) error {
	loading := c.progress.phase(50, 85, "copying the database")
	var total int64
	var sources []mysql.Source
	for _, part := range dump.Parts() {
		total += part.Bytes
		sources = append(sources, mysql.Source{Name: part.Name, Size: part.Bytes, Open: snapshots.OpenPart(dump, part, c.source.about)})
	}
	return mv.load(ctx, sources, func(n int64) { loading.report(n, total) })
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
	if t.skipped > 0 && ph.from > 0 {
		c.warn("%d sockets, pipes or devices in %s were left out", t.skipped, d)
	}
	return nil
}

// missing reports an error that a site at work causes by removing files.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
