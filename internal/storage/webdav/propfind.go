package webdav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/filetree"
)

// Bounds of a listing: what a server sends is not to be trusted with our memory.
const (
	maxEntries  = 1 << 20   // files in one directory
	maxResponse = 256 << 10 // bytes that describe one of them
)

type depth string

const (
	depthSelf     depth = "0"
	depthChildren depth = "1"
)

const wanted = `<?xml version="1.0" encoding="utf-8"?>` +
	`<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>`

// response is what a server says about one file.
type response struct {
	Href     string `xml:"DAV: href"`
	Status   string `xml:"DAV: status"`
	Propstat []struct {
		Status string `xml:"DAV: status"`
		Prop   struct {
			Length   string `xml:"DAV: getcontentlength"`
			Modified string `xml:"DAV: getlastmodified"`
			Type     struct {
				Collection *struct{} `xml:"DAV: collection"`
			} `xml:"DAV: resourcetype"`
		} `xml:"DAV: prop"`
	} `xml:"DAV: propstat"`
}

// Stat implements filetree.Session.
func (c *session) Stat(ctx context.Context, name string) (filetree.Entry, error) {
	entries, err := c.propfind(ctx, name, depthSelf)
	if err != nil {
		return filetree.Entry{}, err
	}
	return entries[0], nil
}

// ReadDir implements filetree.Session.
func (c *session) ReadDir(ctx context.Context, name string) ([]filetree.Entry, error) {
	return c.propfind(ctx, name, depthChildren)
}

func (c *session) propfind(ctx context.Context, name string, d depth) ([]filetree.Entry, error) {
	dir := name == "." || d == depthChildren
	res, err := c.do(ctx, request{method: "PROPFIND", name: name, dir: dir, text: wanted,
		header: map[string]string{"Depth": string(d), "Content-Type": `application/xml; charset="utf-8"`}})
	if err != nil {
		return nil, err
	}
	asked := c.url(name, dir)
	if to, err := res.Location(); err == nil && res.StatusCode/100 == 3 && d == depthSelf && to.Host == asked.Host &&
		to.EscapedPath() == asked.EscapedPath()+"/" {
		drop(res)
		return []filetree.Entry{{Name: path.Base(name), Mode: fs.ModeDir}}, nil
	}
	if res.StatusCode != http.StatusMultiStatus {
		return nil, c.missing(ctx, name, expect("PROPFIND", res))
	}
	defer drop(res)
	l := listing{of: path.Clean(asked.Path), depth: d}
	if err := l.read(res.Body); err != nil {
		return nil, fmt.Errorf("read the server's listing: %w", err)
	}
	if d == depthSelf && len(l.entries) != 1 {
		return nil, fmt.Errorf("the server described %d files when asked for one: %w", len(l.entries), fs.ErrNotExist)
	}
	return l.entries, nil
}

// missing makes a path that is not there of a refusal that comes from a parent which is no directory: Apache says that the
// request is bad.
func (c *session) missing(ctx context.Context, name string, refusal error) error {
	status, ok := errors.AsType[*statusError](refusal)
	parent := path.Dir(name)
	if !ok || status.code != http.StatusBadRequest || parent == "." {
		return refusal
	}
	e, err := c.Stat(ctx, parent)
	if err != nil || e.Mode.IsDir() {
		return refusal
	}
	return fmt.Errorf("%s is no directory: %w", parent, fs.ErrNotExist)
}

// listing collects the responses about a directory's children, or about the path itself.
type listing struct {
	of      string
	depth   depth
	entries []filetree.Entry
}

// read takes responses one by one. The decoder knows no entities but XML's own, and a document that declares some is refused.
func (l *listing) read(body io.Reader) error {
	bounded := &allowance{r: body}
	decoder := xml.NewDecoder(bounded)
	inside := false
	for {
		bounded.left = maxResponse
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && !inside {
			return fmt.Errorf("it is empty: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("it declares a document type, which WebDAV has no use for")
		case xml.StartElement:
			switch {
			case !inside && t.Name == xml.Name{Space: "DAV:", Local: "multistatus"}:
				inside = true
			case !inside:
				return fmt.Errorf("it is a %q and no multistatus", t.Name.Local)
			case t.Name == xml.Name{Space: "DAV:", Local: "response"}:
				var r response
				if err := decoder.DecodeElement(&r, &t); err != nil {
					return err
				}
				if err := l.add(r); err != nil {
					return err
				}
			default:
				if err := decoder.Skip(); err != nil {
					return err
				}
			}
		case xml.EndElement: // Of multistatus: DecodeElement and Skip take all others.
			return nil
		}
	}
}

func (l *listing) add(r response) error {
	href, err := url.Parse(strings.TrimSpace(r.Href))
	if err != nil {
		return errors.New("it holds an address that cannot be understood")
	}
	at := path.Clean(href.Path)
	self := at == l.of
	if !self && (l.depth == depthSelf || path.Dir(at) != l.of) {
		return fmt.Errorf("it names %q, which is not in %q; correct the path in the location's URL", at, l.of)
	}
	if self && l.depth == depthChildren {
		return nil
	}
	if len(l.entries) == maxEntries {
		return fmt.Errorf("the directory holds more than %d files", maxEntries)
	}
	e, known, err := r.entry(path.Base(at))
	if known {
		l.entries = append(l.entries, e)
	}
	return err
}

// entry is not known of what was removed while the server listed.
func (r response) entry(name string) (e filetree.Entry, known bool, err error) {
	e.Name = name
	switch {
	case statusOf(r.Status) == http.StatusUnauthorized || statusOf(r.Status) == http.StatusForbidden:
		return e, false, fmt.Errorf("%w to %q", storage.ErrDenied, name)
	case r.Status != "" && statusOf(r.Status) != http.StatusOK:
		return e, false, nil
	}
	for _, p := range r.Propstat {
		if statusOf(p.Status) != http.StatusOK {
			continue
		}
		known = true
		if p.Prop.Type.Collection != nil {
			e.Mode = fs.ModeDir
		}
		if p.Prop.Length != "" {
			if e.Size, err = strconv.ParseInt(strings.TrimSpace(p.Prop.Length), 10, 64); err != nil || e.Size < 0 {
				return e, false, fmt.Errorf("it gives %q the length %q", name, p.Prop.Length)
			}
		}
		if t, err := http.ParseTime(strings.TrimSpace(p.Prop.Modified)); err == nil {
			e.ModTime = t
		}
	}
	if e.Mode.IsDir() {
		e.Size = 0
	}
	return e, known, nil
}

// statusOf reads a status line such as "HTTP/1.1 200 OK"; 0 when it is none.
func statusOf(line string) int {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return 0
	}
	code, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return code
}

// allowance fails when more is read than is left, which whoever consumes what was read renews.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, fmt.Errorf("more than %d bytes describe one file", maxResponse)
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}
