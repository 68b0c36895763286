package plan

import "github.com/sitewright/sitewright/api/recipe"

// What is done with portable archives.

// Export writes a snapshot as an archive into the location that it lies in.
type Export struct {
	Location Location `json:"location"`
	Snapshot string   `json:"snapshot"`
	// Archive is the name of the object to write; it ends in .tar.zst or .tar.gz.
	Archive string `json:"archive"`
}

// Import makes a snapshot of an archive: one that Export wrote, or a document root and a dump.
type Import struct {
	Location Location `json:"location"`
	// Archive is the name of the object in the location.
	Archive string `json:"archive"`
	// Namespace, Name and UID of the Backup that the snapshot is for, and under which it is filed. A second run for the same
	// UID finds the first one's snapshot.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Note      string `json:"note,omitempty"`
	// Maker is the UID of the BackupLocation through which it is made: see Find.
	Maker string `json:"maker,omitempty"`
	// Candidates are the applications of which an archive of another program may be. Of their recipes only what tells one
	// from another and what is read of a site is needed.
	Candidates []Candidate `json:"candidates,omitempty"`
	// The rest says what an archive of another program does not tell, and is empty where it does: the site's URL, the
	// absolute path of its document root's release where it came from, the table prefix, what its code runs on, and which
	// of several dumps is the site's, by its name in the archive.
	URL     string `json:"url,omitempty"`
	Path    string `json:"path,omitempty"`
	Prefix  string `json:"prefix,omitempty"`
	Runtime string `json:"runtime,omitempty"`
	Dump    string `json:"dump,omitempty"`
}

// Candidate is an application that an archive may be of.
type Candidate struct {
	Application string        `json:"application"`
	Recipe      recipe.Recipe `json:"recipe"`
}
