package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// saving is a snapshot on its way.
type saving struct {
	*agent
	plan     *plan.Backup
	volume   *generation.Volume
	location *location
	database *database
	source   *repository.Source
	found    found
	warnings []string

	maintenance *maintenance
	dump        *mysql.Dump
	pause       time.Duration
}

// backup makes a snapshot of a serving generation, and is content only when everything was read back.
func (a *agent) backup(ctx context.Context, p *plan.Backup) (result plan.Result, err error) {
	a.progress.phase(0, 2, "opening the repository")
	volume, err := a.openVolume(ctx, p.Site.Volume)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, volume.Close()) }()
	l, err := a.openLocation(ctx, &p.Location)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
	s := &saving{agent: a, plan: p, volume: volume, location: l,
		source: &repository.Source{Namespace: p.Site.Namespace, Name: p.Site.Name, UID: p.Site.UID}}
	if s.database, err = a.database(p.Site.Database); err != nil {
		return plan.Result{}, err
	}
	snapshot, err := a.verified(ctx, l, s.source, p.UID, s.take)
	if err != nil {
		return plan.Result{}, err
	}
	return s.answer(ctx, snapshot)
}

// take makes the snapshot: files while the site works, then the database and what changed of the files meanwhile.
func (s *saving) take(ctx context.Context) (snapshot *repository.Snapshot, err error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.release()) }()
	reading := s.progress.phase(2, 80, "reading files and tables")
	files := repository.Tree{Dirs: s.directories()}
	taken, err := s.location.Snapshot(ctx, repository.SnapshotRequest{
		Source: *s.source, Description: s.plan.Note,
		Tags:  map[string]string{snapshots.TagBackup: s.plan.UID, snapshots.TagBackupName: s.plan.Name, snapshots.TagMaker: s.plan.Maker},
		First: files, Pending: true,
		Final: func(ctx context.Context) (repository.Tree, error) {
			files.Streams, err = s.freeze(ctx)
			if err != nil {
				return repository.Tree{}, err
			}
			m, err := s.manifest()
			files.Blobs = map[string][]byte{archive.ManifestName: m}
			return files, err
		},
		AfterRead: func() { _ = s.release() }, // Its error comes from the release that is deferred.
		Progress:  reading.ofBytes,
	})
	if err != nil {
		return nil, s.location.about(err)
	}
	return &taken, nil
}

// look finds out what the site is. A site that is broken is worth a backup too.
func (s *saving) look(ctx context.Context) error {
	root, err := s.volume.OpenDir(s.plan.Site.Generation, below(&s.plan.Site)...)
	if err != nil {
		return err
	}
	s.found, err = find(ctx, &s.plan.Site, root, s.database)
	if errors.Is(err, mysql.ErrDenied) || errors.Is(err, mysql.ErrUnreachable) || errors.Is(err, mysql.ErrUnknownDatabase) || ctx.Err() != nil {
		return errors.Join(err, root.Close())
	}
	if err != nil {
		s.warnings = append(s.warnings, "the site may be broken: "+err.Error())
	} else if s.found.halfUpgraded() {
		s.warnings = append(s.warnings, fmt.Sprintf("the site is half upgraded: its files expect schema %q and its database has %q",
			s.found.files, s.found.database))
	}
	return root.Close()
}

// freeze begins the instant of the backup: it keeps visitors out where that was asked for, and opens the snapshot of the
// database.
func (s *saving) freeze(ctx context.Context) (streams []repository.Stream, err error) {
	if s.plan.Quiesce {
		if s.maintenance, err = s.beginMaintenance(s.volume, &s.plan.Site); err != nil {
			return nil, err
		}
	}
	if s.maintenance != nil {
		warning, err := s.drain(ctx, s.database)
		if err != nil {
			return nil, err
		}
		if warning != "" {
			s.warnings = append(s.warnings, warning)
		}
	}
	if s.database == nil {
		return nil, nil
	}
	options := mysql.DumpOptions{Prefix: s.database.prefix(), Quiesce: s.plan.Quiesce && s.maintenance == nil}
	if s.dump, err = mysql.NewDump(ctx, s.database.config, options); err != nil {
		return nil, s.database.about(err)
	}
	return snapshots.Streams(s.dump, s.database.about), nil
}

// prefix limits what is read to the site's own tables where there may be others.
func (d *database) prefix() string {
	if d.Shared {
		return d.Prefix
	}
	return ""
}

// release lets the site write again. It may be called more than once.
func (s *saving) release() (err error) {
	if s.dump != nil {
		err = s.database.about(s.dump.Close())
		s.pause = max(s.pause, s.dump.Pause())
		s.dump = nil
	}
	err = errors.Join(err, s.maintenance.end())
	if s.maintenance != nil {
		s.pause = max(s.pause, s.maintenance.pause)
	}
	return err
}

// directories are the files of the generation, without the site's temporary directory.
func (s *saving) directories() []repository.Dir {
	n := s.plan.Site.Generation
	return snapshots.Directories(s.volume.Dir(n, generation.WWW), s.volume.Dir(n, generation.Data), &s.plan.Site.Recipe)
}

func (s *saving) answer(ctx context.Context, snapshot *repository.Snapshot) (plan.Result, error) {
	m, err := s.location.manifest(ctx, snapshot.ID)
	if err != nil {
		return plan.Result{}, err
	}
	if snapshot.Skipped > 0 {
		s.warnings = append(s.warnings, fmt.Sprintf("%d sockets, pipes or devices were left out", snapshot.Skipped))
	}
	r := resultOf(&m)
	r.Snapshot, r.Files, r.DatabaseBytes = snapshot.ID, snapshot.Files, snapshot.DatabaseBytes
	r.Bytes = snapshot.Bytes - snapshot.DatabaseBytes - m.Size
	r.UploadedBytes, r.PauseMillis, r.Warnings = snapshot.UploadedBytes, s.pause.Milliseconds(), s.warnings
	return r, nil
}

// ofBytes reports progress in the repository's words.
func (p *phase) ofBytes(r repository.Progress) {
	if r.TotalBytes > 0 {
		p.report(r.Bytes, r.TotalBytes)
	} else {
		p.report(r.Files, r.TotalFiles)
	}
}
