package location

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxURI bounds a URI. A private key in it is a few KiB.
const MaxURI = 16 << 10

// Parse reads a URI:
//
//	ftp://user:password@host[:port]/directory            in the clear
//	ftps://user:password@host[:port]/directory           over TLS; implicit on port 990 or with ?tls=implicit, else explicit
//	sftp://, ssh://user:password@host[:port]/directory   a private key, percent-encoded, may be in the password's place, or
//	                                                     the word public-key for one that is given otherwise; ?hostkey=…
//	webdav://, webdavs://user:password@host[:port]/collection
//	dropbox2://app-secret:refresh-token@app-key/folder
//	s3://access-key:secret-key@bucket.region/prefix      ?endpoint=URL for other services than Amazon's, &addressing=path
//	file:///directory                                    a directory of this machine
//
// Directories are relative to where the login leads; an absolute one has two slashes in front. Logins are read as lenient
// as clients write them: what is not a valid percent-encoding stands for itself, and a password may hold '@', ':', '/', '?'
// and '#' as they are. Where a directory or host holds an '@' behind an '/' in the password, encode it: the login ends at
// the last '@' before the first '/', or without such at the very last. Errors never show any of the URI but its scheme and host.
func Parse(uri string) (Location, error) {
	p, err := split(uri)
	if err != nil {
		return Location{}, err
	}
	var l Location
	switch p.scheme {
	case "ftp", "ftps":
		l, err = p.ftp()
	case "sftp", "ssh":
		l, err = p.sftp()
	case "webdav", "webdavs":
		l, err = p.webdav()
	case "dropbox2":
		l, err = p.dropbox()
	case "s3":
		l, err = p.s3()
	case "file":
		l, err = p.file()
	default:
		err = errors.New("the scheme must be one of ftp, ftps, sftp, ssh, webdav, webdavs, dropbox2, s3, file")
	}
	if err == nil {
		err = p.options.unused()
	}
	if err != nil {
		return Location{}, fmt.Errorf("backup location %s://: %w", p.scheme, err)
	}
	return l, nil
}

// parts are a URI's, decoded.
type parts struct {
	scheme, user, secret string
	hasSecret            bool
	host                 string // with brackets around IPv6 as in the URI
	port                 int
	path                 string
	options              options
}

type options map[string]string

// take returns an option and marks it as used.
func (o options) take(key string) string {
	v := o[key]
	delete(o, key)
	return v
}

func (o options) unused() error {
	for key := range o {
		return fmt.Errorf("the option %q is not known here", key)
	}
	return nil
}

func split(uri string) (*parts, error) {
	if len(uri) > MaxURI || !utf8.ValidString(uri) {
		return nil, fmt.Errorf("a backup location's URI must be at most %d bytes of UTF-8", MaxURI)
	}
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || !isScheme(scheme) {
		return nil, errors.New("a backup location must be a URI like sftp://user:password@host/directory")
	}
	p := &parts{scheme: strings.ToLower(scheme)}
	login, rest, found := cutLogin(rest)
	if found {
		user, secret, has := strings.Cut(login, ":")
		p.user, p.secret, p.hasSecret = decode(user), decode(secret), has
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, dir, _ := strings.Cut(rest, "/")
	p.path = decode(dir)
	fail := func(err error) (*parts, error) { return nil, fmt.Errorf("backup location %s://: %w", p.scheme, err) }
	if err := p.authority(authority); err != nil {
		return fail(err)
	}
	if err := p.query(query); err != nil {
		return fail(err)
	}
	if hasControl(p.user) || hasControl(p.path) || hasControl(p.host) {
		return fail(errors.New("the user name, host or directory holds a control character"))
	}
	return p, nil
}

func isScheme(s string) bool {
	return s != "" && len(s) <= 16 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// cutLogin finds the login's end as Parse says.
func cutLogin(s string) (login, rest string, found bool) {
	authority, _, _ := strings.Cut(s, "/")
	i := strings.LastIndexByte(authority, '@')
	if i < 0 {
		i = strings.LastIndexByte(s, '@')
	}
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// decode undoes percent-encoding, or returns what is none as it is.
func decode(s string) string {
	if d, err := url.PathUnescape(s); err == nil && utf8.ValidString(d) {
		return d
	}
	return s
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

func (p *parts) authority(s string) error {
	p.host = s
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		port, err := strconv.Atoi(s[i+1:])
		if err != nil || port < 1 || port > 65535 {
			return errors.New("the port must be a number from 1 to 65535")
		}
		p.host, p.port = s[:i], port
	}
	inner, bracketed := strings.CutPrefix(p.host, "[")
	if bracketed {
		inner, bracketed = strings.CutSuffix(inner, "]")
		if !bracketed || net.ParseIP(inner) == nil {
			return errors.New("the host in brackets must be an IPv6 address")
		}
		return nil
	}
	if strings.ContainsAny(p.host, ":[]% \\#@") || len(p.host) > 253 {
		return errors.New("the host name is not valid; if the password holds a '/', write it as %2F")
	}
	return nil
}

func (p *parts) query(s string) error {
	p.options = options{}
	values, err := url.ParseQuery(s)
	if err != nil {
		return errors.New("what follows the '?' is not of the form key=value")
	}
	for key, list := range values {
		if len(list) != 1 {
			return fmt.Errorf("the option %q is given more than once", key)
		}
		p.options[key] = list[0]
	}
	return nil
}

// name is the host without brackets.
func (p *parts) name() string { return strings.Trim(p.host, "[]") }

// login checks that there are a host and a user.
func (p *parts) login() error {
	if p.host == "" {
		return errors.New("the host is missing")
	}
	if p.user == "" {
		return errors.New("the user name is missing")
	}
	return nil
}

// dir is the directory as the protocols take it: relative unless it begins with '/'.
func (p *parts) dir() string {
	if p.path == "" {
		return ""
	}
	return path.Clean(p.path)
}
