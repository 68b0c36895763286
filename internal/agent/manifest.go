package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"time"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
)

const (
	// formatVersion of a snapshot. A snapshot of a higher one is refused.
	formatVersion = 1
	maxManifest   = 4 << 20
)

// manifest describes the site in a snapshot, so that it can be restored where nothing else is left of it. It comes back
// from storage that others can write to: check before use.
type manifest struct {
	FormatVersion int       `json:"formatVersion"`
	Time          time.Time `json:"time"`
	// Namespace, Name and UID of the Install, Backup and BackupUID of the Backup.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Backup    string `json:"backup"`
	BackupUID string `json:"backupUID"`

	Application   string `json:"application"`
	Version       string `json:"version,omitempty"`
	SchemaVersion string `json:"schemaVersion,omitempty"`
	Runtime       string `json:"runtime,omitempty"`
	URL           string `json:"url"`
	Title         string `json:"title,omitempty"`
	// Path is the absolute path below which the site found its release, /site/www.
	Path string `json:"path"`
	// Imported says that the snapshot was made of an archive of another program: its dump is one script as that wrote it.
	Imported bool `json:"imported,omitempty"`
	// Database is nil when the application has none.
	Database *manifestDatabase `json:"database,omitempty"`

	// size of the manifest itself, in bytes, once it was read.
	size int64
}

type manifestDatabase struct {
	Name   string `json:"name"`
	Prefix string `json:"prefix"`
	// Tables are the tables of which the dump holds rows.
	Tables []string `json:"tables"`
}

// manifest makes the description of the site that is being backed up.
func (s *saving) manifest() ([]byte, error) {
	site := &s.plan.Site
	m := manifest{
		FormatVersion: formatVersion, Time: s.Now().UTC(), Namespace: site.Namespace, Name: site.Name, UID: site.UID,
		Backup: s.plan.Name, BackupUID: s.plan.UID, Application: site.Application, Version: s.found.version,
		SchemaVersion: s.found.database, Runtime: site.Runtime, URL: site.URL, Title: site.Title,
		Path: path.Join(s.SiteRoot, generation.WWW),
	}
	if d := s.database; d != nil {
		m.Database = &manifestDatabase{Name: d.Name, Prefix: d.Prefix}
		for _, part := range s.dump.Parts() {
			if part.Table != "" {
				m.Database.Tables = append(m.Database.Tables, part.Table)
			}
		}
	}
	return json.MarshalIndent(m, "", "  ")
}

// manifest reads and checks the description in a snapshot.
func (l *location) manifest(ctx context.Context, id string) (m manifest, err error) {
	r, err := l.OpenStream(ctx, id, manifestName)
	if err != nil {
		return manifest{}, l.about(err)
	}
	defer func() { err = errors.Join(err, l.about(r.Close())) }()
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return manifest{}, l.about(fmt.Errorf("reading the manifest of snapshot %s: %w", id, err))
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return manifest{}, invalid("snapshot %s in BackupLocation %s has a damaged manifest: %v; choose another Backup", id, l.plan.Name, err)
	}
	m.size = int64(len(b))
	if err := m.check(); err != nil {
		return manifest{}, invalid("snapshot %s in BackupLocation %s cannot be used: %v; choose another Backup", id, l.plan.Name, err)
	}
	return m, nil
}

func (m *manifest) check() error {
	if m.FormatVersion < 1 || m.FormatVersion > formatVersion {
		return fmt.Errorf("its format is %d and this agent knows up to %d", m.FormatVersion, formatVersion)
	}
	u, err := url.Parse(m.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || len(m.URL) > 2048 {
		return errors.New("it names no URL of a site")
	}
	if !path.IsAbs(m.Path) || path.Clean(m.Path) != m.Path || len(m.Path) > 1024 {
		return fmt.Errorf("its path %.100q is not absolute", m.Path)
	}
	if m.Database != nil {
		return recipe.CheckPrefix(m.Database.Prefix)
	}
	return nil
}

// result is what the manifest tells of the site.
func (m *manifest) result() plan.Result {
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
