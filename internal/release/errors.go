// Package release fetches the archive of an application's release, checks that it is what the catalogue says, and
// unpacks it. An archive is hostile until checked, and what it holds may be hostile even then.
package release

import (
	"errors"
	"syscall"
)

// The errors of this package, to be matched with errors.Is.
var (
	// ErrUnreachable means that the server did not answer, or broke off, however often it was asked. Worth retrying.
	ErrUnreachable = errors.New("the release's server is unreachable")
	// ErrNotFound means that the server answered and does not have the archive, or does not give it.
	ErrNotFound = errors.New("the release's archive is not there")
	// ErrChecksum means that the archive is not the one that the catalogue names.
	ErrChecksum = errors.New("the release's archive has another checksum")
	// ErrInvalid means that the archive is damaged, too large, or holds what no release needs.
	ErrInvalid = errors.New("the release's archive is not acceptable")
	// ErrFull means that the volume has no room for it.
	ErrFull = errors.New("the volume is full")
)

// full gives a write error its class when it says that there is no room.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errors.Join(ErrFull, err)
	}
	return err
}
