package agent

import (
	"context"
	"errors"
	"fmt"
	"path"

	"golang.org/x/sync/errgroup"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
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
	m.result = resultOf(&from)
	m.result.Snapshot = id
	mv, err := m.moveFrom(placeOf(&from), p.NewSite)
	if err != nil {
		return err
	}
	mv.fromArchive = from.Imported
	// One mostly waits for the disk, the other for the database.
	both, restoring := errgroup.WithContext(ctx)
	progress := m.progress.phase(5, 85, "restoring files and database")
	ofFiles, ofDatabase := progress.share(), progress.share()
	both.Go(func() error { return m.restoreFiles(restoring, l, id, ofFiles) })
	if m.database != nil {
		both.Go(func() error { return m.loadSnapshot(restoring, l, id, mv, ofDatabase) })
	}
	if err := both.Wait(); err != nil {
		return err
	}
	if err := m.openDocumentRoot(); err != nil {
		return err
	}
	return mv.finish(ctx)
}

// restoreFiles restores the directories of the generation.
func (m *making) restoreFiles(ctx context.Context, l *location, id string, report func(done, total int64)) error {
	var before int64
	for _, d := range []string{generation.WWW, generation.Data} {
		var bytes int64
		o := repository.RestoreOptions{Progress: func(p repository.Progress) {
			bytes = p.TotalBytes
			report(before+p.Bytes, before+p.TotalBytes)
		}}
		if err := l.Restore(ctx, id, path.Join(archive.FilesDir, d), m.volume.Dir(m.site.Generation, d), o); err != nil {
			return l.about(err)
		}
		before += bytes
	}
	return nil
}

// placeOf is what the manifest tells of where the site was.
func placeOf(m *snapshots.Manifest) place {
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
func (m *making) loadSnapshot(ctx context.Context, l *location, id string, mv *move, report func(done, total int64)) error {
	parts, total, err := snapshots.Parts(ctx, l.Repository, id, l.about)
	if err != nil {
		return err
	}
	report(0, total)
	return mv.load(ctx, parts, func(n int64) { report(n, total) })
}
