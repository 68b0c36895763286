// Package snapshots says what a snapshot of a site holds, whoever makes it: the agent beside a site's volume, or a person
// with the data commands. What is made by the one is restored by the other.
//
// A snapshot holds files/www, files/data, database/<part>.sql where there is a database, and the manifest.
package snapshots

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"time"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/repository"
)

// FormatVersion of a snapshot. A snapshot of a higher one is refused.
const FormatVersion = 1

// Tags of a snapshot: UID and name of its Backup, and the UID of the BackupLocation through which it was made. Without the
// first, no cluster adopts it.
const (
	TagBackup     = "backup"
	TagBackupName = "backup-name"
	TagMaker      = "location"
)

// ErrManifest means that a snapshot's manifest cannot be used: it is damaged, hostile or of a newer version.
var ErrManifest = errors.New("its manifest cannot be used")

// Manifest describes the site in a snapshot, so that it can be restored where nothing else is left of it. It comes back
// from storage that others can write to: Check before use, as Read does.
type Manifest struct {
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
	Database *Database `json:"database,omitempty"`

	// Size of the manifest itself, in bytes, once it was read.
	Size int64 `json:"-"`
}

// Database describes the site's tables.
type Database struct {
	Name   string `json:"name"`
	Prefix string `json:"prefix"`
	// Tables are the tables of which the dump holds rows.
	Tables []string `json:"tables"`
}

// Encode is the manifest as it is stored.
func (m *Manifest) Encode() ([]byte, error) { return json.MarshalIndent(m, "", "  ") }

// Read reads and checks the manifest of a snapshot. One that cannot be used is ErrManifest.
func Read(ctx context.Context, r *repository.Repository, id string) (m Manifest, err error) {
	stored, err := r.OpenStream(ctx, id, archive.ManifestName)
	if err != nil {
		return Manifest{}, err
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	b, err := io.ReadAll(io.LimitReader(stored, archive.MaxManifest))
	if err != nil {
		return Manifest{}, fmt.Errorf("reading the manifest of snapshot %s: %w", id, err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("snapshot %s: %w: it is damaged: %w", id, ErrManifest, err)
	}
	m.Size = int64(len(b))
	if err := m.Check(); err != nil {
		return Manifest{}, fmt.Errorf("snapshot %s: %w: %w", id, ErrManifest, err)
	}
	return m, nil
}

// Check says what is wrong with a manifest.
func (m *Manifest) Check() error {
	if m.FormatVersion < 1 || m.FormatVersion > FormatVersion {
		return fmt.Errorf("its format is %d and this program knows up to %d", m.FormatVersion, FormatVersion)
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
