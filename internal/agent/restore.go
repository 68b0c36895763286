package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
)

// restore makes a generation of a snapshot.
func (a *agent) restore(ctx context.Context, p *plan.Restore) (plan.Result, error) {
	return a.make(ctx, "restore", &p.Site, func(ctx context.Context, m *making) (err error) {
		l, err := a.openLocation(ctx, &p.Location)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
		return m.fromSnapshot(ctx, l, p)
	})
}

func (m *making) fromSnapshot(ctx context.Context, l *location, p *plan.Restore) error {
	id, err := l.resolve(ctx, p)
	if err != nil {
		return err
	}
	from, err := l.manifest(ctx, id)
	if err != nil {
		return err
	}
	if from.Application != p.Site.Application {
		return invalid("snapshot %s in BackupLocation %s is of application %q, and site %s is %q: choose a Backup of the same application",
			id, l.plan.Name, clip(from.Application), p.Site.Name, p.Site.Application)
	}
	if (from.Database != nil) != (m.database != nil) {
		return invalid("snapshot %s in BackupLocation %s and site %s do not agree whether there is a database: choose another Backup",
			id, l.plan.Name, p.Site.Name)
	}
	m.result = from.result()
	m.result.Snapshot = id
	begins := map[string]int{generation.WWW: 5, generation.Data: 25}
	for _, d := range []string{generation.WWW, generation.Data} {
		o := repository.RestoreOptions{Progress: m.progress.phase(begins[d], begins[d]+20, "restoring files").ofBytes}
		if err := l.Restore(ctx, id, path.Join(filesDir, d), m.volume.Dir(m.site.Generation, d), o); err != nil {
			return l.about(err)
		}
	}
	if err := m.openDocumentRoot(); err != nil {
		return err
	}
	mv, err := m.moveFrom(from.site(), p.NewSite)
	if err != nil {
		return err
	}
	mv.fromArchive = from.Imported
	if m.database != nil {
		if err := m.loadSnapshot(ctx, l, id, mv); err != nil {
			return err
		}
	}
	return mv.finish(ctx)
}

// site is what the manifest tells of where the site was.
func (m *manifest) site() place {
	p := place{url: m.URL, path: m.Path}
	if m.Database != nil {
		p.prefix, p.tables = m.Database.Prefix, m.Database.Tables
	}
	return p
}

// resolve finds the snapshot that is meant.
func (l *location) resolve(ctx context.Context, p *plan.Restore) (string, error) {
	if p.Latest == nil {
		if _, err := l.Get(ctx, p.Snapshot); err != nil {
			return "", l.about(err)
		}
		return p.Snapshot, nil
	}
	list, err := l.List(ctx, &repository.Source{Namespace: p.Latest.Namespace, Name: p.Latest.Name})
	if err != nil {
		return "", l.about(err)
	}
	if len(list) == 0 {
		return "", &plan.Failure{Reason: plan.ReasonNoSnapshot, Terminal: true,
			Message: fmt.Sprintf("BackupLocation %s has no snapshot of site %s/%s; make a Backup of it first", l.plan.Name, p.Latest.Namespace, p.Latest.Name)}
	}
	return list[len(list)-1].ID, nil
}

// loadSnapshot loads the dump in a snapshot into the generation's database.
func (m *making) loadSnapshot(ctx context.Context, l *location, id string, mv *move) error {
	parts, err := l.ListStreams(ctx, id, databaseDir)
	if err != nil {
		return l.about(err)
	}
	if len(parts) == 0 {
		return &plan.Failure{Reason: plan.ReasonCorrupt, Terminal: true,
			Message: fmt.Sprintf("snapshot %s in BackupLocation %s has no database dump; choose another Backup", id, l.plan.Name)}
	}
	var total int64
	sources := make([]mysql.Source, len(parts))
	for i, part := range parts {
		total += part.Size
		sources[i] = mysql.Source{Name: part.Name, Size: part.Size, Open: func(ctx context.Context) (io.ReadCloser, error) {
			r, err := l.OpenStream(ctx, id, path.Join(databaseDir, part.Name))
			return r, l.about(err)
		}}
	}
	loading := m.progress.phase(45, 85, "loading the database")
	return mv.load(ctx, sources, func(n int64) { loading.report(n, total) })
}
