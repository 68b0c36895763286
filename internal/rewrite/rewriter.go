package rewrite

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// Options says what moves where. A pair of equal members, or of empty ones,
// moves nothing.
type Options struct {
	// FromURL and ToURL are absolute http or https URLs, optionally with a
	// port and a path, without query, fragment and credentials. A trailing
	// slash makes no difference.
	FromURL, ToURL string
	// FromPath and ToPath are absolute paths of the document root.
	FromPath, ToPath string
	// FromPrefix and ToPrefix are the prefixes of the site's table names.
	FromPrefix, ToPrefix string
	// Tables names, with the old prefix, what the dump holds of the site:
	// tables and views, and those triggers, routines, events and sequences
	// that should be renamed too. Only these names are mapped. When nil,
	// every name that begins with FromPrefix and stands where SQL expects a
	// table is mapped.
	Tables []string
}

// Rewriter moves a site's addresses inside text and SQL. It never changes
// after New and may be used by many goroutines at once.
type Rewriter struct {
	needles []needle
	names   names
}

// New checks the options and prepares a Rewriter. The error names the option
// that cannot be used and why.
func New(o Options) (*Rewriter, error) {
	r := &Rewriter{}
	if err := r.addURL(o.FromURL, o.ToURL); err != nil {
		return nil, err
	}
	if err := r.addPath(o.FromPath, o.ToPath); err != nil {
		return nil, err
	}
	n, err := newNames(o.FromPrefix, o.ToPrefix, o.Tables)
	if err != nil {
		return nil, err
	}
	r.names = n
	return r, nil
}

// Value rewrites one column value or option. Serialized PHP values, at the
// top, nested in each other or embedded in other text, keep lengths that
// match their contents. It returns the new value and how many occurrences
// were replaced; when there are none, it returns v itself.
func (r *Rewriter) Value(v []byte) (out []byte, changed int) {
	if !r.mentions(v) {
		return v, 0
	}
	j := job{r: r}
	out = j.suspect(v, 0)
	return out, j.occurrences
}

// Text rewrites the content of a text file: like Value, but a content that
// begins like a serialized value and is not one is treated as any other text.
func (r *Rewriter) Text(v []byte) (out []byte, changed int) {
	if !r.mentions(v) {
		return v, 0
	}
	j := job{r: r}
	out = j.text(v, 0, segment{})
	return out, j.occurrences
}

// mentions reports whether v may hold an occurrence. It is the fast path that
// nearly every value takes.
func (r *Rewriter) mentions(v []byte) bool {
	for i := range r.needles {
		if r.needles[i].anchor.index(v, 0) < len(v) {
			return true
		}
	}
	return false
}

// addURL adds the needles that find the old URL.
func (r *Rewriter) addURL(from, to string) error {
	if from == "" && to == "" {
		return nil
	}
	f, err := parseSite(from)
	if err != nil {
		return fmt.Errorf("FromURL %q: %w", from, err)
	}
	t, err := parseSite(to)
	if err != nil {
		return fmt.Errorf("ToURL %q: %w", to, err)
	}
	if f == t {
		return nil
	}
	hosts := []string{f.host}
	if lower := strings.ToLower(f.host); lower != f.host {
		hosts = append(hosts, lower)
	}
	for _, host := range hosts {
		n := needle{
			head: "//", anchor: newAnchor(host), tail: f.port + f.path,
			isURL: true, hasPath: f.path != "", hasPort: f.port != "",
			to: "//" + t.host + t.port + t.path, scheme: t.scheme,
		}
		if f.host == t.host && f.port == t.port && strings.HasPrefix(t.path, f.path+"/") {
			n.inside = f.port + t.path
		}
		r.needles = append(r.needles, n)
	}
	return nil
}

// addPath adds the needle that finds the old document root.
func (r *Rewriter) addPath(from, to string) error {
	if from == "" && to == "" {
		return nil
	}
	for name, p := range map[string]string{"FromPath": from, "ToPath": to} {
		if err := checkPath(p); err != nil {
			return fmt.Errorf("%s %q: %w", name, p, err)
		}
	}
	from, to = path.Clean(from), path.Clean(to)
	if from == to {
		return nil
	}
	n := needle{hasPath: true, to: to}
	n.head, n.tail = splitPath(from)
	n.anchor = newAnchor(from[len(n.head) : len(from)-len(n.tail)])
	if strings.HasPrefix(to, from+"/") {
		n.inside = to[len(n.head)+len(n.anchor.text):]
	}
	r.needles = append(r.needles, n)
	return nil
}

// splitPath cuts a path around the segment that is searched for: the longest
// of those that every spelling leaves as they are, else the longest.
func splitPath(p string) (head, tail string) {
	best, bestAt, bestScore := "", 0, -1
	at := 1
	for seg := range strings.SplitSeq(p[1:], "/") {
		score := len(seg)
		if strings.IndexFunc(seg, func(c rune) bool { return c > 127 || !unreserved(byte(c)) }) < 0 {
			score += len(p)
		}
		if score > bestScore {
			best, bestAt, bestScore = seg, at, score
		}
		at += len(seg) + 1
	}
	return p[:bestAt], p[bestAt+len(best):]
}

func checkPath(p string) error {
	switch {
	case !strings.HasPrefix(p, "/"):
		return errors.New("give an absolute path")
	case path.Clean(p) == "/":
		return errors.New("the root directory cannot be a document root")
	case !utf8.ValidString(p) || strings.ContainsFunc(p, unsafeRune):
		return errors.New("it holds quotes, backslashes or control characters")
	}
	return nil
}

// site is a URL in parts; port is "" or ":8080", path is "" or "/blog".
type site struct{ scheme, host, port, path string }

func parseSite(s string) (site, error) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unsafeRune) {
		return site{}, errors.New("it holds quotes, backslashes, spaces or control characters")
	}
	u, err := url.Parse(s)
	if err != nil {
		return site{}, fmt.Errorf("it does not parse: %w", err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return site{}, errors.New("give an absolute http or https URL")
	case u.Hostname() == "":
		return site{}, errors.New("it has no host")
	case u.User != nil:
		return site{}, errors.New("credentials do not belong in a site's URL")
	case strings.ContainsAny(s, "?#"):
		return site{}, errors.New("a site's URL has no query and no fragment")
	}
	out := site{scheme: u.Scheme, host: u.Hostname(), path: strings.TrimRight(rawPath(s), "/")}
	if strings.ContainsAny(out.host, "[]% :") && !strings.Contains(u.Host, "[") {
		return site{}, errors.New("its host holds characters that no host name has")
	}
	if strings.Contains(u.Host, "[") {
		out.host = "[" + out.host + "]"
	}
	if strings.Contains(out.path, "//") || strings.HasSuffix(out.host, ".") {
		return site{}, errors.New("write the host without a final dot and the path without empty segments")
	}
	if p := u.Port(); p != "" && p != defaultPort(u.Scheme) {
		out.port = ":" + p
	}
	return out, nil
}

// rawPath is the path exactly as it was written, because that is how the
// site's texts spell it.
func rawPath(s string) string {
	_, rest, _ := strings.Cut(s, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// unsafeRune reports characters whose spelling differs between SQL, JSON and
// PHP source, so that a search for their bytes would miss them.
func unsafeRune(c rune) bool {
	return c <= ' ' || c == 0x7f || strings.ContainsRune("\\'\"`<>", c)
}
