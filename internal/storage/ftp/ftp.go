// Package ftp keeps objects in a directory of an FTP server, in the clear or over TLS (RFC 959, 3659 and 4217).
package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"path"
	"strconv"
	"sync/atomic"

	"github.com/jlaffaye/ftp"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/filetree"
)

// TLS says whether and how a connection is encrypted.
type TLS string

const (
	// TLSNone sends everything, the password too, in the clear.
	TLSNone TLS = "None"
	// TLSExplicit connects in the clear and encrypts before the login (AUTH TLS).
	TLSExplicit TLS = "Explicit"
	// TLSImplicit encrypts from the first byte.
	TLSImplicit TLS = "Implicit"
)

// Default ports, of TLSImplicit and of everything else.
const (
	DefaultPort         = 21
	DefaultImplicitPort = 990
)

// Config says which server and directory, and who logs in.
type Config struct {
	// Host is a name or address; Port a TCP port, 0 means the default one.
	Host string
	Port int
	// Path of the directory; relative to where the login leads unless it begins with '/'. Empty means that place.
	Path string
	// TLS defaults to TLSExplicit. A server that does not offer what is asked for is an error: nothing falls back to clear text.
	TLS TLS
	// User and Password log in.
	User, Password string
	// CA holds PEM certificates that are trusted besides the system's; may be empty.
	CA []byte
}

// New checks the configuration. It does not talk to the server: the first operation does.
func New(c Config) (*filetree.Store, error) {
	if c.Host == "" || c.User == "" {
		return nil, errors.New("ftp: a host and a user name are needed")
	}
	if c.TLS == "" {
		c.TLS = TLSExplicit
	}
	scheme := "ftps"
	switch c.TLS {
	case TLSNone:
		scheme = "ftp"
	case TLSExplicit, TLSImplicit:
	default:
		return nil, fmt.Errorf("ftp %s: tls %q must be %s, %s or %s", c.Host, c.TLS, TLSNone, TLSExplicit, TLSImplicit)
	}
	if c.Port == 0 {
		c.Port = DefaultPort
		if c.TLS == TLSImplicit {
			c.Port = DefaultImplicitPort
		}
	}
	trust, err := storage.TLSConfig(c.CA)
	if err != nil {
		return nil, fmt.Errorf("ftp %s: %w", c.Host, err)
	}
	trust.ServerName = c.Host
	s := &server{Config: c, address: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), trust: trust, dir: path.Clean(c.Path)}
	s.name = fmt.Sprintf("%s %s@%s, directory %s", scheme, c.User, s.address, s.dir)
	return filetree.New(s, 0), nil
}

// server implements filetree.Server.
type server struct {
	Config
	address, dir, name string
	trust              *tls.Config
	// plainListings is set once the server turned out not to know MLSD.
	plainListings atomic.Bool
}

// String implements filetree.Server.
func (s *server) String() string { return s.name }

// Dial implements filetree.Server. A server without MLSD is logged in to once more, for listings that show all names.
func (s *server) Dial(ctx context.Context) (filetree.Session, error) {
	c, err := s.login(ctx)
	if err != nil || c.ftp.IsTimePreciseInList() || s.plainListings.Swap(true) {
		return c.orNil(), err
	}
	if err := c.Close(); err != nil && !storage.IsNetwork(err) {
		return nil, err
	}
	c, err = s.login(ctx)
	return c.orNil(), err
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func (c *session) orNil() filetree.Session {
	if c == nil {
		return nil
	}
	return c
}

func (s *server) login(ctx context.Context) (*session, error) {
	c := &session{server: s}
	// Data connections must continue the TLS session of their own control connection, so each login has a cache of its own.
	trust := s.trust.Clone()
	trust.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	dial := &dialer{session: c, trust: trust, mode: s.TLS}
	options := []ftp.DialOption{ftp.DialWithDialFunc(dial.connect), ftp.DialWithForceListHidden(s.plainListings.Load())}
	switch s.TLS {
	case TLSExplicit:
		options = append(options, ftp.DialWithExplicitTLS(trust))
	case TLSImplicit:
		options = append(options, ftp.DialWithTLS(trust))
	}
	err := c.guard(ctx, func() (err error) {
		if c.ftp, err = ftp.Dial(s.address, options...); err != nil {
			return err
		}
		if err = c.ftp.Login(s.User, s.Password); err != nil {
			return err
		}
		c.home, err = c.ftp.CurrentDir()
		c.control.patience = silence // Whoever logs in must answer at once; what follows may take its time.
		return err
	})
	if err != nil {
		c.cut()
		return nil, err
	}
	return c, nil
}

// Explain implements filetree.Server.
func (s *server) Explain(err error) (hint string, kind error) {
	if storage.IsUntrusted(err) {
		return "give the location the CA that signed the certificate of " + s.Host, storage.ErrUntrusted
	}
	switch {
	case errors.Is(err, errMissing):
		return "", storage.ErrNotFound
	case errors.Is(err, errForbidden):
		return fmt.Sprintf("let %s write to directory %s on %s", s.User, s.dir, s.address), storage.ErrDenied
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		switch reply.Code {
		case ftp.StatusNotLoggedIn, ftp.StatusInvalidCredentials, ftp.StatusLoginNeedAccount:
			return "check the user name and the password for " + s.address, storage.ErrDenied
		case ftp.StatusStorNeedAccount, statusNeedsTLS, statusTLSRefused:
			return fmt.Sprintf("%s does not take tls %s; choose another mode", s.address, s.TLS), storage.ErrDenied
		case ftp.Status452, ftp.StatusExceededStorage:
			return "make room on " + s.address + " or delete old backups", storage.ErrFull
		case ftp.StatusNotAvailable, ftp.StatusCanNotOpenDataConnection, ftp.StatusTransfertAborted, ftp.StatusHostUnavailable,
			ftp.StatusFileActionIgnored, ftp.StatusActionAborted:
			return s.address + " answers but fails; see its own log", storage.ErrUnreachable
		}
	}
	if storage.IsNetwork(err) {
		return "check that " + s.address + " is right, answers from the cluster, and lets passive connections through", storage.ErrUnreachable
	}
	return "", nil
}

// Reply codes of RFC 2228 that the library has no names for.
const (
	statusNeedsTLS   = 522
	statusTLSRefused = 534
)
