package sftp

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/pkg/sftp"

	"github.com/sitewright/sitewright/internal/storage"
)

// loginError is a login that the server refused after it had proved who it is.
type loginError struct{ err error }

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// subsystemError is a server that let the user in but does not serve files.
type subsystemError struct{ err error }

func (e *subsystemError) Error() string { return "start the server's SFTP subsystem: " + e.err.Error() }
func (e *subsystemError) Unwrap() error { return e.err }

// Explain implements filetree.Server.
func (s *server) Explain(err error) (hint string, kind error) {
	host := s.address
	if _, ok := errors.AsType[*hostKeyError](err); ok {
		return "if the server was set up anew, give the location its new host key; if not, somebody may stand between", storage.ErrUntrusted
	}
	if _, ok := errors.AsType[*loginError](err); ok {
		return "check the user name and the password or private key for " + host, storage.ErrDenied
	}
	if _, ok := errors.AsType[*subsystemError](err); ok && !storage.IsNetwork(err) {
		return fmt.Sprintf("let %s use SFTP on %s, without a login script that prints", s.user, host), storage.ErrDenied
	}
	if status, ok := errors.AsType[*sftp.StatusError](err); ok {
		switch status.Code {
		case sshFxNoSpace, sshFxQuota:
			return "make room on " + host + " or delete old backups", storage.ErrFull
		case sshFxNoConnection, sshFxConnectionLost:
			return "check that " + host + " answers from the cluster", storage.ErrUnreachable
		}
	}
	switch {
	case errors.Is(err, storage.ErrFull):
		return "make room on " + host + " or delete old backups", storage.ErrFull
	case errors.Is(err, fs.ErrNotExist):
		return "", storage.ErrNotFound
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("let %s write to directory %s on %s", s.user, s.dir, host), storage.ErrDenied
	case errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, sftp.ErrSSHFxNoConnection), storage.IsNetwork(err):
		return "check that " + host + " is right and answers from the cluster", storage.ErrUnreachable
	}
	return "", nil
}

// Codes of draft-ietf-secsh-filexfer-13, section 9.1, which some servers use in version 3 as well.
const (
	sshFxNoConnection   = 6
	sshFxConnectionLost = 7
	sshFxNoSpace        = 14
	sshFxQuota          = 15
)
