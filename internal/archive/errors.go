// Package archive reads and writes portable archives: .tar.gz, .tar.zst, .tar and .zip. It exports a snapshot of a
// repository as one, and makes a snapshot of one, of its own making or of the common shape "a document root and a dump".
//
// An archive is read as a stream, once, and never unpacked to disk: contents go into the repository as they come, and
// only the tree of their names is kept in memory. A process that is killed meanwhile leaves nothing but blobs that
// nothing refers to.
//
// An archive is hostile until it was read to its end. What is wrong with it is a Refusal, which names the entry.
package archive

import (
	"errors"
	"fmt"
)

// ErrInvalid is matched by every Refusal: the archive is damaged, hostile or of no known shape. Reading it again cannot
// help. Errors of what it is read from, such as storage.ErrUnreachable, are not of this kind.
var ErrInvalid = errors.New("the archive is not acceptable")

// Refusal says why an archive is not taken.
type Refusal struct {
	// Entry is the name of the entry that is at fault, as the archive has it; empty when it is the archive as a whole.
	Entry string
	// Reason is what is wrong with it.
	Reason string
}

// Error names the entry and the reason.
func (r *Refusal) Error() string {
	if r.Entry == "" {
		return r.Reason
	}
	return fmt.Sprintf("entry %q %s", shorten(r.Entry), r.Reason)
}

// Is makes every Refusal an ErrInvalid.
func (r *Refusal) Is(target error) bool { return target == ErrInvalid }

// refuse words what is wrong with an entry: the rest of a sentence that begins with its name.
func refuse(entry, format string, args ...any) error {
	return &Refusal{Entry: entry, Reason: fmt.Sprintf(format, args...)}
}

// refuseAll words what is wrong with the archive as a whole.
func refuseAll(format string, args ...any) error { return refuse("", format, args...) }

// shorten keeps messages readable whatever a name's length.
func shorten(name string) string {
	const most = 200
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
