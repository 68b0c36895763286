package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
	"github.com/sitewright/sitewright/internal/storage"
)

// importing is a snapshot on its way from an archive.
type importing struct {
	plan     *plan.Import
	progress func(done, total int64)
	warnings []string
}

// importArchive makes a snapshot of an archive that lies beside the repository, and is content only when everything was
// read back. Nothing is unpacked to disk: a task that was killed leaves blobs that maintenance removes.
func (a *agent) importArchive(ctx context.Context, p *plan.Import) (result plan.Result, err error) {
	a.progress.phase(0, 2, "opening the repository")
	l, err := a.openLocation(ctx, &p.Location)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
	i := &importing{plan: p}
	source := &repository.Source{Namespace: p.Namespace, Name: p.Name, UID: p.UID}
	snapshot, err := a.verified(ctx, l, source, p.UID, func(ctx context.Context) (*repository.Snapshot, error) {
		from, err := archive.Object(ctx, l.store, p.Archive)
		if errors.Is(err, storage.ErrNotFound) {
			return nil, &plan.Failure{Reason: plan.ReasonMissing, Terminal: true,
				Message: fmt.Sprintf("BackupLocation %s has no archive %q; put it there, or correct its path", l.plan.Name, p.Archive)}
		}
		if err != nil {
			return nil, l.about(err)
		}
		i.progress = a.progress.phase(2, 80, "reading the archive").report
		taken, err := i.take(ctx, l.Repository, from)
		return &taken, l.about(err)
	})
	if err != nil {
		return plan.Result{}, err
	}
	m, err := l.manifest(ctx, snapshot.ID)
	if err != nil {
		return plan.Result{}, err
	}
	result = resultOf(&m)
	result.Snapshot, result.Files, result.DatabaseBytes = snapshot.ID, snapshot.Files, snapshot.DatabaseBytes
	result.Bytes, result.UploadedBytes = snapshot.Bytes-snapshot.DatabaseBytes-m.Size, snapshot.UploadedBytes
	result.Application, result.Warnings = clip(m.Application), i.warnings
	return result, nil
}

// ImportArchive makes a snapshot of an archive from anywhere, pending until it was verified and confirmed. Of the plan,
// Location and Archive are not looked at. It also returns what should be told to the user.
func ImportArchive(ctx context.Context, r *repository.Repository, from archive.Source, p *plan.Import,
	progress func(done, total int64)) (repository.Snapshot, []string, error) {
	i := &importing{plan: p, progress: progress}
	s, err := i.take(ctx, r, from)
	return s, i.warnings, err
}

func (i *importing) take(ctx context.Context, r *repository.Repository, from archive.Source) (repository.Snapshot, error) {
	p := i.plan
	return archive.Import(ctx, r, from, archive.Request{
		Source: repository.Source{Namespace: p.Namespace, Name: p.Name, UID: p.UID}, Description: p.Note, Pending: true,
		Tags:   map[string]string{snapshots.TagBackup: p.UID, snapshots.TagBackupName: p.Name, snapshots.TagMaker: p.Maker},
		Limits: archive.Limits{Progress: i.progress},
	}, i.arrange)
}

// arrange decides what of an archive makes the site.
func (i *importing) arrange(ctx context.Context, t *archive.Tree) (*archive.Layout, error) {
	l, err := t.Own(ctx, i.own)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return i.foreign(ctx, t)
	}
	for _, d := range []string{generation.WWW, generation.Data} {
		if _, there := l.Files[d]; !there {
			l.Files[d] = nil // It becomes an empty directory.
		}
	}
	var m snapshots.Manifest
	if err := json.Unmarshal(l.Manifest, &m); err != nil {
		return nil, err
	}
	if (m.Database != nil) != (len(l.Dump) > 0) {
		return nil, &archive.Refusal{Reason: "its manifest and what it holds do not agree whether there is a database"}
	}
	return l, nil
}

// own checks the manifest of an archive that was exported, and files it under the Backup that it is imported for.
func (i *importing) own(content []byte) (changed []byte, inside string, err error) {
	var m snapshots.Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, "", &archive.Refusal{Entry: archive.ManifestName, Reason: fmt.Sprintf("is damaged: %v", err)}
	}
	if err := m.Check(); err != nil {
		return nil, "", &archive.Refusal{Entry: archive.ManifestName, Reason: fmt.Sprintf("cannot be used: %v", err)}
	}
	m.Backup, m.BackupUID = i.plan.Name, i.plan.UID
	changed, err = m.Encode()
	if path.Dir(m.Path) == defaultSiteRoot {
		inside = defaultSiteRoot // Whatever else the archive says, its links must not lead there.
	}
	return changed, inside, err
}

func (i *importing) warn(format string, args ...any) {
	i.warnings = append(i.warnings, fmt.Sprintf(format, args...))
}
