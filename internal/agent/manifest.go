package agent

import (
	"context"
	"path"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// manifest makes the description of the site that is being backed up.
func (s *saving) manifest() ([]byte, error) {
	site := &s.plan.Site
	m := snapshots.Manifest{
		FormatVersion: snapshots.FormatVersion, Time: s.Now().UTC(), Namespace: site.Namespace, Name: site.Name, UID: site.UID,
		Backup: s.plan.Name, BackupUID: s.plan.UID, Application: site.Application, Version: s.found.version,
		SchemaVersion: s.found.database, Runtime: site.Runtime, URL: site.URL, Title: site.Title,
		Path: path.Join(s.SiteRoot, generation.WWW),
	}
	if d := s.database; d != nil {
		m.Database = &snapshots.Database{Name: d.Name, Prefix: d.Prefix, Tables: snapshots.Tables(s.dump)}
	}
	return m.Encode()
}

// manifest reads and checks the description in a snapshot.
func (l *location) manifest(ctx context.Context, id string) (snapshots.Manifest, error) {
	m, err := snapshots.Read(ctx, l.Repository, id)
	return m, l.about(err)
}

// resultOf is what a manifest tells of the site.
func resultOf(m *snapshots.Manifest) plan.Result {
	r := plan.Result{Version: clip(m.Version), SchemaVersion: clip(m.SchemaVersion), Title: clip(m.Title), SourceURL: m.URL, Runtime: clip(m.Runtime)}
	if m.Database != nil {
		r.Prefix = m.Database.Prefix
	}
	return r
}

// clip bounds what goes into a result.
func clip(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}
