// Package webdav keeps objects as files in a collection of a WebDAV server (RFC 4918).
//
// It speaks HTTP itself. The usual library, gowebdav, takes no context, keeps what it uploads in memory lest the server
// asks who is there, knows Digest only with MD5 and a count that never rises, and reads a listing of any size; what
// would be left of it is the names of the methods. Digest itself is github.com/icholy/digest's.
package webdav

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/filetree"
)

// sessions is how many requests run at once.
const sessions = 8

// Config says which collection, where and with which login.
type Config struct {
	// URL of the collection: webdav://host[:port]/path, which is plain HTTP, or webdavs://…, which is HTTPS. http and
	// https are understood as well. Without login, query and fragment.
	URL string
	// User and Password log in by Digest where the server offers it, else by Basic. Both empty means anonymous.
	User, Password string
	// CA holds PEM certificates that are trusted besides the system's; may be empty.
	CA []byte
}

// New checks the configuration. It does not talk to the server: the first operation does.
func New(c Config) (*filetree.Store, error) {
	base, err := collection(c.URL)
	if err != nil {
		return nil, err
	}
	if strings.Contains(c.User, ":") {
		return nil, errors.New("webdav user must not hold a colon, which Basic authentication cannot send")
	}
	trust, err := storage.TLSConfig(c.CA)
	if err != nil {
		return nil, fmt.Errorf("webdav %s: %w", base.Host, err)
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: storage.DialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   storage.DialTimeout,
		ResponseHeaderTimeout: time.Minute,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   sessions,
		DisableCompression:    true, // Objects come back as they were put.
		TLSClientConfig:       trust,
	}
	return filetree.New(&server{
		base: base,
		user: c.User, password: c.Password,
		client: &http.Client{
			Transport: transport,
			// A redirect may lead to another host, or from HTTPS to HTTP, and the login with it: none is followed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, sessions), nil
}

// collection returns the URL to speak HTTP to, with a '/' at its end.
func collection(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("webdav URL cannot be understood") // The cause would repeat it, with a login that it may hold.
	}
	switch u.Scheme {
	case "webdav", "http":
		u.Scheme = "http"
	case "webdavs", "https":
		u.Scheme = "https"
	default:
		return nil, errors.New("webdav URL must begin with webdav:// or webdavs://")
	}
	if u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("webdav URL must be webdav[s]://host[:port]/path, without login, query and fragment")
	}
	path := strings.Trim(u.Path, "/")
	if path != "" {
		if err := storage.CheckName(path); err != nil {
			return nil, fmt.Errorf("webdav path: %w", err)
		}
		path += "/"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/" + path, RawPath: "/" + escape(path)}, nil
}

// server implements filetree.Server.
type server struct {
	base           *url.URL
	user, password string
	client         *http.Client
}

// Dial implements filetree.Server: it makes a request, from whose answer the session learns how to log in.
func (s *server) Dial(ctx context.Context) (filetree.Session, error) {
	c := &session{server: s}
	_, err := c.propfind(ctx, ".", depthSelf)
	if status, ok := errors.AsType[*statusError](err); ok && status.code == http.StatusNotFound {
		return c, nil
	}
	return c, err
}

// url is the address of a file, or of a directory with a '/' at its end.
func (s *server) url(name string, dir bool) *url.URL {
	u := *s.base
	if name != "." {
		u.Path += name
		u.RawPath += escape(name)
		if dir {
			u.Path += "/"
			u.RawPath += "/"
		}
	}
	return &u
}

// escape percent-encodes all but the slashes. Plus signs too, which some servers take for spaces.
func escape(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(part), "+", "%2B")
	}
	return strings.Join(parts, "/")
}

// String implements filetree.Server.
func (s *server) String() string { return "webdav " + s.base.String() }

// statusError is an answer that is no success.
type statusError struct {
	method string
	code   int
	// location is where a redirect leads: scheme and host only, as the rest may hold a secret.
	location string
	// spent means that a part of the body was sent when the server asked for the login.
	spent bool
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("%s was answered with HTTP %d %s", e.method, e.code, http.StatusText(e.code))
	if e.location != "" {
		text += " to " + e.location
	}
	return text
}

// Explain implements filetree.Server.
func (s *server) Explain(err error) (hint string, kind error) {
	host := s.base.Host
	if status, ok := errors.AsType[*statusError](err); ok {
		return explainStatus(status, host)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", storage.ErrNotFound
	case storage.IsUntrusted(err):
		return "give the location the CA that signed the certificate of " + host, storage.ErrUntrusted
	case storage.IsNetwork(err):
		return "check that " + host + " is right and answers from the cluster", storage.ErrUnreachable
	}
	return "", nil
}

func explainStatus(e *statusError, host string) (hint string, kind error) {
	switch e.code {
	case http.StatusUnauthorized:
		if e.spent {
			return host + " asked for the login in the middle of a transfer", storage.ErrUnreachable
		}
		return "check the user and password", storage.ErrDenied
	case http.StatusForbidden, http.StatusProxyAuthRequired:
		return "check that the user may read and write in the directory", storage.ErrDenied
	case http.StatusLocked:
		return "another client of " + host + " holds a lock on the file or directory; release it", storage.ErrDenied
	case http.StatusNotFound, http.StatusGone, http.StatusConflict: // RFC 4918 says conflict of a missing parent.
		return "", storage.ErrNotFound
	case http.StatusRequestedRangeNotSatisfiable:
		return "", storage.ErrInvalidRange
	case http.StatusInsufficientStorage:
		return "make room on " + host + " or delete old backups", storage.ErrFull
	case http.StatusRequestEntityTooLarge:
		return host + " takes no file of this size; raise its limit for request bodies", storage.ErrFull
	case http.StatusLengthRequired:
		return host + " takes no file whose size is not known in advance", nil
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return "check that the URL is a WebDAV collection that may be written to", nil
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return host + " answers but is overloaded", storage.ErrUnreachable
	}
	if e.location != "" {
		return "write the address to which the server leads into the location's URL", nil
	}
	if e.code >= 500 {
		return host + " answers but fails; see its own log", storage.ErrUnreachable
	}
	return "", nil
}
