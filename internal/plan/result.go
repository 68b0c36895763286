package plan

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxResultBytes is the most that Kubernetes keeps of a container's termination message.
const MaxResultBytes = 4096

// ExitTerminal is the agent's exit code for a failure that trying again cannot mend. Every other failure exits with 1.
const ExitTerminal = 3

// Result is what the agent answers with: the container's termination message, and the seal of a generation.
type Result struct {
	// Failure is nil when the task was done.
	Failure *Failure `json:"failure,omitempty"`
	// Version and SchemaVersion are what was found in the generation that was made or read.
	Version       string `json:"version,omitempty"`
	SchemaVersion string `json:"schemaVersion,omitempty"`
	// Files and Bytes are the site's files, DatabaseBytes the size of its tables or, of a backup, of their dump.
	Files         int64 `json:"files,omitempty"`
	Bytes         int64 `json:"bytes,omitempty"`
	DatabaseBytes int64 `json:"databaseBytes,omitempty"`
	// Snapshot that was made or restored.
	Snapshot string `json:"snapshot,omitempty"`
	// Title, SourceURL, Prefix and Runtime are those of the site in the snapshot.
	Title     string `json:"title,omitempty"`
	SourceURL string `json:"sourceURL,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
	Runtime   string `json:"runtime,omitempty"`
	// UploadedBytes is what a backup added to its location.
	UploadedBytes int64 `json:"uploadedBytes,omitempty"`
	// PauseMillis is how long the site could not write.
	PauseMillis int64 `json:"pauseMillis,omitempty"`
	// Rewritten is the number of values and files changed by a move, and Malformed those that looked serialized, were not
	// well formed, and were left as they are.
	Rewritten int64 `json:"rewritten,omitempty"`
	Malformed int64 `json:"malformed,omitempty"`
	// Install and Application are those of the site in an adopted snapshot, and Time is when it was taken.
	Install     string     `json:"install,omitempty"`
	Application string     `json:"application,omitempty"`
	Time        *time.Time `json:"time,omitempty"`
	// HostKey is what the SSH server of a location showed, as in known_hosts but without the host's name.
	HostKey string `json:"hostKey,omitempty"`
	// Repository is the repository's unique id, Maintenance who cares for it, and Statistics how large it is.
	Repository  string       `json:"repository,omitempty"`
	Maintenance *Maintenance `json:"maintenance,omitempty"`
	Statistics  *Statistics  `json:"statistics,omitempty"`
	// Found are snapshots that the cluster does not know, newest first, and More is how many more there are: of them, or of Plugins and Themes.
	Found []Found `json:"found,omitempty"`
	More  int64   `json:"more,omitempty"`
	// Plugins and Themes that were found; More is how many are left out, see above.
	Plugins []Component `json:"plugins,omitempty"`
	Themes  []Component `json:"themes,omitempty"`
	// Warnings tell what was done other than asked for.
	Warnings []string `json:"warnings,omitempty"`
}

// Component is a plugin or theme. The names are short because many have to fit into a result.
type Component struct {
	// Name that the application knows it by, Version that is there, Latest that is to be had.
	Name    string `json:"n"`
	Version string `json:"v,omitempty"`
	Latest  string `json:"l,omitempty"`
	// Active says whether it is in use.
	Active bool `json:"a,omitempty"`
}

// Reason says what kind of failure it was, so that a controller can act without reading the message.
type Reason string

// The reasons of failures.
const (
	// ReasonUnreachable: a server did not answer.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonDenied: a server refused the login, or the login may not do what is needed.
	ReasonDenied Reason = "Denied"
	// ReasonMissing: a bucket, database or file that must exist does not.
	ReasonMissing Reason = "Missing"
	// ReasonNoSnapshot: the location has no snapshot of the site.
	ReasonNoSnapshot Reason = "NoSnapshot"
	// ReasonWrongPassword: the repository exists and another password opens it.
	ReasonWrongPassword Reason = "WrongPassword"
	// ReasonDiskFull: a volume or a location has no room.
	ReasonDiskFull Reason = "DiskFull"
	// ReasonChecksum: a download is not what the catalogue says it is.
	ReasonChecksum Reason = "Checksum"
	// ReasonCorrupt: what was read back is not what was written.
	ReasonCorrupt Reason = "Corrupt"
	// ReasonCommand: one of the recipe's commands failed.
	ReasonCommand Reason = "Command"
	// ReasonInvalid: the content is not what the plan says: another version, a hostile archive.
	ReasonInvalid Reason = "Invalid"
	// ReasonInternal: everything else.
	ReasonInternal Reason = "Internal"
)

// Failure says why a task was not done, and what to do about it.
type Failure struct {
	Reason Reason `json:"reason"`
	// Message is a sentence for the user that names the object, and the remedy. It holds no secret.
	Message string `json:"message"`
	// Terminal says that trying again cannot help.
	Terminal bool `json:"terminal,omitempty"`
}

// Error makes a Failure an error.
func (f *Failure) Error() string { return f.Message }

// Marshal encodes a result within MaxResultBytes: warnings go first, then plugins and themes from the end, then the tail of the failure's message.
func (r Result) Marshal() []byte {
	if r.Failure != nil {
		r.Failure = &Failure{r.Failure.Reason, strings.ToValidUTF8(r.Failure.Message, "?"), r.Failure.Terminal}
	}
	for {
		b, err := json.Marshal(r)
		switch {
		case err == nil && len(b) <= MaxResultBytes:
			return b
		case len(r.Warnings) > 0:
			r.Warnings = r.Warnings[:len(r.Warnings)-1]
		case len(r.Plugins) > 0 && len(r.Plugins) >= len(r.Themes):
			r.Plugins, r.More = r.Plugins[:len(r.Plugins)-1], r.More+1
		case len(r.Themes) > 0:
			r.Themes, r.More = r.Themes[:len(r.Themes)-1], r.More+1
		case r.Failure != nil && len(r.Failure.Message) > 64:
			r.Failure.Message = truncate(r.Failure.Message, len(r.Failure.Message)/2)
		default:
			return []byte(`{"failure":{"reason":"Internal","message":"the result does not fit into a termination message"}}`)
		}
	}
}

// truncate cuts s to at most n bytes at a rune's boundary and says so with an ellipsis.
func truncate(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// ParseResult decodes a termination message. Anything that is not a result, such as a log tail, is reported as not ok.
func ParseResult(message string) (Result, bool) {
	var r Result
	if err := json.Unmarshal([]byte(message), &r); err != nil {
		return Result{}, false
	}
	return r, true
}

// Progress is one line of the agent's standard output.
type Progress struct {
	// Percent of the whole task, 0 to 100, never falling.
	Percent int `json:"percent"`
	// Until is what Percent will be at the end of the current phase; 0 when it is not known.
	Until int `json:"until,omitempty"`
	// RateMillis is how long the current phase is expected to take.
	RateMillis int64 `json:"rate,omitempty"`
	// Message says what is being done.
	Message string `json:"message"`
}

// ParseProgress finds the last progress line in the tail of a log.
func ParseProgress(tail string) (Progress, bool) {
	lines := strings.Split(strings.TrimSpace(tail), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		var p Progress
		if json.Unmarshal([]byte(lines[i]), &p) == nil && p.Message != "" {
			return p, true
		}
	}
	return Progress{}, false
}
