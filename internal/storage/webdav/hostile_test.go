package webdav_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

// multistatus describes the collection and one file of 10 bytes.
const multistatus = `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">%s</D:multistatus>`

func described(href, prop string) string {
	return `<D:response><D:href>` + href + `</D:href><D:propstat><D:prop>` + prop +
		`</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}

const (
	isFile       = `<D:resourcetype/><D:getcontentlength>10</D:getcontentlength>`
	isCollection = `<D:resourcetype><D:collection/></D:resourcetype>`
)

func serve(t *testing.T, h http.HandlerFunc) storage.Store {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return open(t, webdav.Config{URL: server.URL + "/dav", User: user, Password: password})
}

// TestListings covers what servers write, and what none should.
func TestListings(t *testing.T) {
	self := described("/dav/", isCollection)
	for what, c := range map[string]struct {
		body, want string // want is the listed name; empty means an error
	}{
		"absolute address":    {fmt.Sprintf(multistatus, self+described("http://other/dav/a%20b", isFile)), "a b"},
		"path":                {fmt.Sprintf(multistatus, self+described("/dav/%C3%BC", isFile)), "ü"},
		"other properties":    {fmt.Sprintf(multistatus, self+described("/dav/a", isFile+`<D:x><D:y>z</D:y></D:x>`)), "a"},
		"outside":             {fmt.Sprintf(multistatus, self+described("/dav/../etc/passwd", isFile)), ""},
		"elsewhere":           {fmt.Sprintf(multistatus, self+described("/other/a", isFile)), ""},
		"negative length":     {fmt.Sprintf(multistatus, described("/dav/a", "<D:getcontentlength>-1</D:getcontentlength>")), ""},
		"declared entity":     {`<!DOCTYPE x [<!ENTITY e "a">]>` + fmt.Sprintf(multistatus, described("/dav/&e;", isFile)), ""},
		"unknown entity":      {fmt.Sprintf(multistatus, described("/dav/&e;", isFile)), ""},
		"huge response":       {fmt.Sprintf(multistatus, described("/dav/"+strings.Repeat("a", 1<<20), isFile)), ""},
		"cut in the middle":   {fmt.Sprintf(multistatus, self)[:150], ""},
		"nothing":             {"", ""},
		"page of a web shop":  {"<html><body>Welcome</body></html>", ""},
		"endlessly deep tags": {`<D:multistatus xmlns:D="DAV:">` + strings.Repeat("<a>", 1<<20), ""},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusMultiStatus)
			if r.Header.Get("Depth") == "0" {
				fmt.Fprintf(w, multistatus, self)
				return
			}
			_, _ = io.WriteString(w, c.body)
		})
		var names []string
		var failure error
		ctx := t.Context()
		for info, err := range s.List(ctx, "") {
			if names = append(names, info.Name); err != nil {
				names, failure = nil, err
			}
		}
		if got := strings.Join(names, "|"); got != c.want || (failure == nil) != (c.want != "") {
			t.Errorf("%s: listed %q, %v; want %q", what, got, failure, c.want)
		}
	}
}

// TestRedirect checks that a login goes nowhere but to the configured server.
func TestRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s followed a redirect, with the login %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, elsewhere.URL+"/secret-path", http.StatusTemporaryRedirect)
	})
	_, err := s.Stat(t.Context(), "x")
	if err == nil || !strings.Contains(err.Error(), elsewhere.URL) || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("%v, want an error that names the other server", err)
	}
}

// TestWithoutRanges reads from a server that answers every GET with the whole file.
func TestWithoutRanges(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "0123456789")
			return
		}
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprintf(w, multistatus, described(r.URL.Path, isFile))
	})
	r, err := s.Get(t.Context(), "a", 3, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); string(b) != "3456" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := s.Get(t.Context(), "a", 8, 3); !errors.Is(err, storage.ErrInvalidRange) {
		t.Errorf("range beyond the end: %v", err)
	}
}

func TestStatus(t *testing.T) {
	for code, kind := range map[int]error{401: storage.ErrDenied, 403: storage.ErrDenied, 423: storage.ErrDenied, 404: storage.ErrNotFound,
		507: storage.ErrFull, 413: storage.ErrFull} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "PROPFIND" {
				w.WriteHeader(http.StatusMultiStatus)
				fmt.Fprintf(w, multistatus, described(r.URL.Path, isCollection))
				return
			}
			w.WriteHeader(code)
		})
		if err := s.Put(t.Context(), "a", strings.NewReader("x"), 1); !errors.Is(err, kind) {
			t.Errorf("HTTP %d: %v, want %v", code, err, kind)
		}
	}
}

// TestBehindProxy puts through a proxy that ends TLS, behind which Apache takes the destination for another server's.
func TestBehindProxy(t *testing.T) {
	behind := storagetest.StartApache(t, password, "", "Digest", false)
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: behind.Address}))
	t.Cleanup(front.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	s := open(t, webdav.Config{URL: strings.Replace(front.URL, "https", "webdavs", 1) + "/backups/", User: user, Password: password, CA: ca})
	if err := s.Put(t.Context(), "a/b", strings.NewReader("hello"), 5); err != nil {
		t.Fatal(err)
	}
	if info, err := s.Stat(t.Context(), "a/b"); err != nil || info.Size != 5 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestConfig(t *testing.T) {
	for address, ok := range map[string]bool{
		"webdav://host": true, "webdavs://host:8443/a/b/": true, "https://host/a%20b": true,
		"": false, "ftp://host": false, "webdav://": false, "webdav://u:p@host/": false, "webdav://host/a/../b": false, "webdav://host/?x": false,
	} {
		if _, err := webdav.New(webdav.Config{URL: address}); ok != (err == nil) {
			t.Errorf("URL %q: %v", address, err)
		}
	}
	if _, err := webdav.New(webdav.Config{URL: "webdav://host", CA: []byte("not PEM")}); err == nil {
		t.Error("accepted a CA that is none")
	}
}
