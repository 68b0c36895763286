package rewrite

import "bytes"

// maxNeedles is how many things one Rewriter searches for at most: the host
// as given, the host in lower case and the document root.
const maxNeedles = 3

// needle is one thing that is searched for: a URL without its scheme, or a
// path. It is found by its anchor, a run of bytes that no encoding changes,
// and then checked in both directions.
type needle struct {
	head   string // what stands before the anchor: "//" or "/var/www/"
	anchor anchor // the host name, or one segment of the path
	tail   string // what follows it: ":8080/blog"
	inside string // what follows it in an occurrence that has moved already, "" unless the new place lies inside the old one

	isURL, hasPort, hasPath bool

	to     string // "//new.example/path" or "/new/path"
	scheme string // "http" or "https"
}

// match is an occurrence v[start:end] and what replaces it.
type match struct {
	start, end int
	with       []byte
}

// finder walks through the occurrences in one text. The zero value is not
// ready: use newFinder.
type finder struct {
	r    *Rewriter
	v    []byte
	next [maxNeedles]int // where each anchor comes next; len(v) when it does not
	buf  []byte          // backs match.with
}

func newFinder(r *Rewriter, v []byte) finder {
	f := finder{r: r, v: v}
	for i := range r.needles {
		f.next[i] = r.needles[i].anchor.index(v, 0)
	}
	return f
}

// find returns the first occurrence that starts at or after pos and that
// replacing would change. The match is good until the next call.
func (f *finder) find(pos int) (match, bool) {
	for {
		best := -1
		for i := range f.r.needles {
			if f.next[i] < pos {
				f.next[i] = f.r.needles[i].anchor.index(f.v, pos)
			}
			if f.next[i] < len(f.v) && (best < 0 || f.next[i] < f.next[best]) {
				best = i
			}
		}
		if best < 0 {
			return match{}, false
		}
		n, at := &f.r.needles[best], f.next[best]
		f.next[best] = n.anchor.index(f.v, at+1)
		m, ok := n.match(f.v, at, f.buf[:0])
		if !ok {
			continue
		}
		f.buf = m.with
		if m.start >= pos && !bytes.Equal(m.with, f.v[m.start:m.end]) {
			return m, true
		}
	}
}

// match checks the text around the anchor at v[at]. The replacement is
// appended to buf.
func (n *needle) match(v []byte, at int, buf []byte) (m match, ok bool) {
	f, ok := slashBefore(v, at)
	if !ok {
		return m, false
	}
	m.start = at - f.size(n.head)
	if m.start < 0 {
		return m, false
	}
	if p, ok := f.match(v, m.start, n.head); !ok || p != at {
		return m, false
	}
	after := at + len(n.anchor.text)
	if !n.isURL {
		if !begins(v, m.start, f, false) {
			return m, false
		}
		m.end, ok = n.end(v, after, f, false)
		if !ok || n.moved(v, after, f) {
			return m, false
		}
		m.with = f.append(buf, n.to)
		return m, true
	}
	return n.matchURL(v, m.start, after, f, buf)
}

// matchURL goes on from the "//" at v[start] and the end of the host name.
func (n *needle) matchURL(v []byte, start, after int, f form, buf []byte) (m match, ok bool) {
	m.start = start
	colon := f.colonBefore(v, start)
	scheme := ""
	if colon > 0 {
		if scheme = schemeBefore(v, start-colon); scheme == "" {
			return m, false // another scheme: not a page of the site
		}
		m.start = start - colon - len(scheme)
	} else if !begins(v, start, f, true) {
		return m, false
	}
	port := n.skipDefaultPort(v, after, f, scheme)
	m.end, ok = n.end(v, port, f, port != after)
	if !ok {
		return m, false
	}
	if n.moved(v, after, f) {
		if colon == 0 {
			return m, false
		}
		m.end = start - colon
		m.with = append(buf, n.scheme...)
		return m, true
	}
	if colon > 0 {
		buf = append(buf, n.scheme...)
		buf = append(buf, v[start-colon:start]...)
	}
	m.with = f.append(buf, n.to)
	return m, true
}

// end matches the tail at v[p] and the boundary behind it.
func (n *needle) end(v []byte, p int, f form, skippedPort bool) (int, bool) {
	end, ok := f.match(v, p, n.tail)
	if !ok {
		return 0, false
	}
	if n.hasPath {
		return end, pathEnds(v, end, f)
	}
	if !hostEnds(v, end, f, n.hasPort || skippedPort) {
		return 0, false
	}
	// What moves inside itself must be recognised afterwards, when a path
	// stands in front of this boundary.
	return end, n.inside == "" || pathEnds(v, end, f)
}

// moved reports whether the occurrence whose anchor ends at v[p] is of the new
// place already, which is possible only when that lies inside the old one.
func (n *needle) moved(v []byte, p int, f form) bool {
	if n.inside == "" {
		return false
	}
	end, ok := f.match(v, p, n.inside)
	return ok && pathEnds(v, end, f)
}

// skipDefaultPort steps over ":80" behind http and ":443" behind https.
func (n *needle) skipDefaultPort(v []byte, p int, f form, scheme string) int {
	if n.hasPort || scheme == "" {
		return p
	}
	want := ":80"
	if len(scheme) == len("https") {
		want = ":443"
	}
	end, ok := f.match(v, p, want)
	if !ok || end < len(v) && isDigit(v[end]) {
		return p
	}
	return end
}

// schemeBefore returns "http" or "https", as long as what ends at v[i], or "".
func schemeBefore(v []byte, i int) string {
	for _, s := range [2]string{"https", "http"} {
		if i >= len(s) && bytes.EqualFold(v[i-len(s):i], []byte(s)) {
			return s
		}
	}
	return ""
}
