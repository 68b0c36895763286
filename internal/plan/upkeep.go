package plan

import "time"

// What is done with a repository as a whole, apart from any site.

// Maintain gives back the room of what a repository no longer needs. It does so beside any number of running Backups.
type Maintain struct {
	Location Location `json:"location"`
	// Owner is who asks, as user@host. Nothing is done where somebody else maintains the repository.
	Owner string `json:"owner"`
	// Full drops what no snapshot needs; otherwise only indexes are compacted.
	Full bool `json:"full,omitempty"`
}

// Find looks for snapshots that the cluster does not know: made by this agent, but neither through the location of UID Maker
// nor named in Known.
type Find struct {
	Location Location `json:"location"`
	Maker    string   `json:"maker"`
	// Known holds a Key of every Backup, by its UID, and of every adopted snapshot, by its id.
	Known []string `json:"known,omitempty"`
}

// keyLength keeps many thousand keys within a plan, and two of them apart.
const keyLength = 12

// Key is what of an id or UID stands in Find.Known.
func Key(id string) string {
	b := make([]byte, 0, keyLength)
	for i := 0; i < len(id) && len(b) < keyLength; i++ {
		if id[i] != '-' {
			b = append(b, id[i])
		}
	}
	return string(b)
}

// Adopt verifies a snapshot, without reading all of it, and says of what it is.
type Adopt struct {
	Location Location `json:"location"`
	Snapshot string   `json:"snapshot"`
}

// MaxFound is how many snapshots a Find answers with: as many as fit into a result.
const MaxFound = 20

// Found is one snapshot that the cluster does not know.
type Found struct {
	ID string `json:"id"`
	// Name of the Backup that it was made for.
	Name string `json:"name"`
}

// Maintenance is who maintains a repository and when it was done last, as the repository itself knows it.
type Maintenance struct {
	Owner     string     `json:"owner,omitempty"`
	LastQuick *time.Time `json:"lastQuick,omitempty"`
	LastFull  *time.Time `json:"lastFull,omitempty"`
}

// Statistics are figures of a whole repository.
type Statistics struct {
	// Snapshots is their number, LogicalBytes what they would take as plain copies, UniqueBytes what is left of that after
	// deduplication and before compression.
	Snapshots    int64 `json:"snapshots"`
	LogicalBytes int64 `json:"logicalBytes"`
	UniqueBytes  int64 `json:"uniqueBytes"`
	// StoredBytes and Blobs are what the location holds.
	StoredBytes int64 `json:"storedBytes"`
	Blobs       int64 `json:"blobs"`
}
