// Package plan is the contract between the controllers and the agent: a JSON document that holds everything a task needs
// and nothing of Kubernetes, the result that the agent answers with, and the progress that it prints on the way.
//
// A plan holds no secret. Where one is needed it names the file that holds it, so a plan can be read by anyone who may
// read the Job. A controller makes a plan by a pure function; the agent carries it out on any machine that has the
// directories, files and servers which the plan names.
package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sitewright/sitewright/api/recipe"
)

// MaxBytes bounds the size of a plan: a recipe is at most a few hundred KiB of scripts and templates.
const MaxBytes = 1 << 20

// Plan is one task. Exactly one of the pointers is set.
type Plan struct {
	// Install makes a generation of a fresh release.
	Install *Install `json:"install,omitempty"`
	// Backup makes a snapshot of the serving generation, and verifies it.
	Backup *Backup `json:"backup,omitempty"`
	// Restore makes a generation of a snapshot.
	Restore *Restore `json:"restore,omitempty"`
	// Clone makes a generation of another site's serving generation.
	Clone *Clone `json:"clone,omitempty"`
	// Upgrade makes a generation of the serving one, of another release or for another URL.
	Upgrade *Upgrade `json:"upgrade,omitempty"`
	// Configure brings changed settings to the generation that serves.
	Configure *Configure `json:"configure,omitempty"`
	// Inspect looks at the generation that serves.
	Inspect *Inspect `json:"inspect,omitempty"`
	// Resume lets visitors in again whom an upgrade keeps out.
	Resume *Resume `json:"resume,omitempty"`
	// Prune removes a generation that is no longer wanted from a volume.
	Prune *Prune `json:"prune,omitempty"`
	// Open opens a repository, or creates it where there is none.
	Open *Open `json:"open,omitempty"`
	// Forget removes a snapshot from a repository.
	Forget *Forget `json:"forget,omitempty"`
	// Export writes a snapshot as a portable archive.
	Export *Export `json:"export,omitempty"`
	// Import makes a snapshot of a portable archive, and verifies it.
	Import *Import `json:"import,omitempty"`
	// Maintain gives back the room of what a repository no longer needs.
	Maintain *Maintain `json:"maintain,omitempty"`
	// Find looks for snapshots in a repository that the cluster does not know.
	Find *Find `json:"find,omitempty"`
	// Adopt verifies a snapshot that somebody else made, and says of what it is.
	Adopt *Adopt `json:"adopt,omitempty"`
}

// Site is one generation of a site: a directory and a database.
type Site struct {
	// Namespace, Name and UID are the Install's. A repository files snapshots under namespace and name.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	// Application is the catalogue entry's name, and Recipe what it says.
	Application string        `json:"application"`
	Recipe      recipe.Recipe `json:"recipe"`
	// Runtime is the name of what the site's code runs on; kept in a snapshot's manifest.
	Runtime string `json:"runtime,omitempty"`
	// URL of the site, as its Install's spec has it.
	URL string `json:"url"`
	// Title of the site where it is known.
	Title string `json:"title,omitempty"`
	// Volume is the directory at which the site's volume is mounted; generations live in it under gen/<n>.
	Volume string `json:"volume"`
	// Generation of the site, from 1.
	Generation int64 `json:"generation"`
	// Database of the generation; nil when the application has none.
	Database *Database `json:"database,omitempty"`
}

// Database is where a generation's tables are.
type Database struct {
	// Host and Port of the server, as they are written into the site's configuration.
	Host string `json:"host"`
	Port int    `json:"port"`
	// ConnectHost is used by the agent instead of Host, where it is set.
	ConnectHost string `json:"connectHost,omitempty"`
	// Name of the database, User to log in as, and the file that holds the password.
	Name         string `json:"name"`
	User         string `json:"user"`
	PasswordFile string `json:"passwordFile"`
	// Prefix of the site's tables; may be empty.
	Prefix string `json:"prefix,omitempty"`
	// Shared says that the database was made by somebody else and may hold other sites' tables: only tables with Prefix
	// are ever read or dropped.
	Shared bool `json:"shared,omitempty"`
}

// Install makes a generation of a fresh release.
type Install struct {
	Site    Site    `json:"site"`
	Release Release `json:"release"`
	Admin   Admin   `json:"admin"`
	// Language and Content are the Install's; Fields hold every field of the application, defaults filled in.
	Language string            `json:"language,omitempty"`
	Content  string            `json:"content,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"`
}

// Release is what is installed.
type Release struct {
	Version string `json:"version"`
	// URL of the archive; one of SHA256 and SHA1 is set, in hexadecimal.
	URL             string `json:"url"`
	SHA256          string `json:"sha256,omitempty"`
	SHA1            string `json:"sha1,omitempty"`
	StripComponents int    `json:"stripComponents,omitempty"`
}

// Admin is the site's first administrator. Of one that is there already, what is empty stays as it is.
type Admin struct {
	Login        string `json:"login,omitempty"`
	Email        string `json:"email,omitempty"`
	PasswordFile string `json:"passwordFile,omitempty"`
}

// Backup makes a snapshot of a generation.
type Backup struct {
	Site     Site     `json:"site"`
	Location Location `json:"location"`
	// Name and UID of the Backup, kept with the snapshot. A second run for the same UID finds the first one's snapshot.
	Name string `json:"name"`
	UID  string `json:"uid"`
	Note string `json:"note,omitempty"`
	// Quiesce keeps the site from writing while files are read for the second time.
	Quiesce bool `json:"quiesce,omitempty"`
	// Maker is the UID of the BackupLocation through which it is made, kept with the snapshot: see Find.
	Maker string `json:"maker,omitempty"`
}

// Restore makes a generation of a snapshot. What of the snapshot's URL, prefix and database differs from the site's is
// rewritten; nothing is where they agree.
type Restore struct {
	Site     Site     `json:"site"`
	Location Location `json:"location"`
	// Snapshot to restore, or Latest to find the newest one of a site.
	Snapshot string      `json:"snapshot,omitempty"`
	Latest   *LatestSnap `json:"latest,omitempty"`
	// NewSite says that this becomes a site of its own beside the one that was backed up: generated secrets are made anew.
	NewSite bool `json:"newSite,omitempty"`
}

// LatestSnap names the site whose newest snapshot is wanted.
type LatestSnap struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// Clone makes a generation of another site's.
type Clone struct {
	Site   Site `json:"site"`
	Source Site `json:"source"`
}

// Upgrade makes a generation of the serving one on the same volume and database server. Visitors are kept out of the serving one from the instant that
// is copied until Resume, or until the upgrade fails.
type Upgrade struct {
	// Site is the generation to make.
	Site Site `json:"site"`
	// FromGeneration is the one that serves, and FromDatabase the name of its database, which the site's user may read too.
	FromGeneration int64  `json:"fromGeneration"`
	FromDatabase   string `json:"fromDatabase,omitempty"`
	// FromVersion is the release that serves.
	FromVersion string `json:"fromVersion,omitempty"`
	// FromURL is where the site is, if it moves: what speaks of that is rewritten, and nothing else is changed. It is empty where the site stays.
	FromURL string `json:"fromURL,omitempty"`
	// Release to upgrade to; nil leaves the application as it is.
	Release *Release `json:"release,omitempty"`
	// Update brings plugins and themes to their newest release afterwards; nil leaves them as they are.
	Update *Update `json:"update,omitempty"`
}

// Update says which plugins and themes are brought to their newest release: those that are named, or all where the only name is "*".
type Update struct {
	Plugins []string `json:"plugins,omitempty"`
	Themes  []string `json:"themes,omitempty"`
}

// Configure brings settings to the application of the generation that serves, in place, by its recipe's configure command. What is empty stays as it is.
type Configure struct {
	Site     Site              `json:"site"`
	Language string            `json:"language,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"`
	Admin    Admin             `json:"admin,omitzero"`
	// PreviousLogin is the login that the administrator has had so far, where it is known.
	PreviousLogin string `json:"previousLogin,omitempty"`
	// Application says that the command is to be run. Else only Database is looked at.
	Application bool `json:"application,omitempty"`
	// Database writes the login of each generation's database into its configuration files, and sees to it that it works: the site's own user is given
	// the password. Previous is the generation that can be gone back to, if any.
	Database bool  `json:"database,omitempty"`
	Previous *Site `json:"previous,omitempty"`
}

// Inspect looks at the generation that serves, and changes nothing of it.
type Inspect struct {
	Site Site `json:"site"`
}

// Resume lets visitors in again: a site that was upgraded, or could not be, is out of maintenance in every generation.
type Resume struct {
	// Volume is the directory at which the site's volume is mounted.
	Volume string `json:"volume"`
}

// Prune removes one generation of a volume, and what killed agents left beside the generations. It is named, so that no
// generation can be taken for unwanted because it was not known yet.
type Prune struct {
	// Volume is the directory at which the site's volume is mounted.
	Volume     string `json:"volume"`
	Generation int64  `json:"generation"`
}

// Forget removes a snapshot.
type Forget struct {
	Location Location `json:"location"`
	Snapshot string   `json:"snapshot"`
	// BackupUID finds the snapshot of a Backup whose id was never learnt; used when Snapshot is empty.
	BackupUID string `json:"backupUID,omitempty"`
}

// Task is the one word for what the plan does, as used in names and messages.
func (p *Plan) Task() string {
	switch {
	case p.Install != nil:
		return "install"
	case p.Backup != nil:
		return "backup"
	case p.Restore != nil:
		return "restore"
	case p.Clone != nil:
		return "clone"
	case p.Upgrade != nil:
		return "upgrade"
	case p.Configure != nil:
		return "configure"
	case p.Inspect != nil:
		return "inspect"
	case p.Resume != nil:
		return "resume"
	case p.Prune != nil:
		return "prune"
	case p.Open != nil:
		return "open"
	case p.Forget != nil:
		return "forget"
	case p.Export != nil:
		return "export"
	case p.Import != nil:
		return "import"
	case p.Maintain != nil:
		return "maintain"
	case p.Find != nil:
		return "find"
	case p.Adopt != nil:
		return "adopt"
	}
	return ""
}

// Target is the site whose generation the task makes, nil when it makes none.
func (p *Plan) Target() *Site {
	switch {
	case p.Install != nil:
		return &p.Install.Site
	case p.Restore != nil:
		return &p.Restore.Site
	case p.Clone != nil:
		return &p.Clone.Site
	case p.Upgrade != nil:
		return &p.Upgrade.Site
	}
	return nil
}

// Read decodes a plan. It refuses unknown fields: a plan that this agent only half understands must not be carried out.
func Read(r io.Reader) (*Plan, error) {
	d := json.NewDecoder(io.LimitReader(r, MaxBytes))
	d.DisallowUnknownFields()
	var p Plan
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	if p.Task() == "" {
		return nil, errors.New("the plan names no task")
	}
	return &p, nil
}
