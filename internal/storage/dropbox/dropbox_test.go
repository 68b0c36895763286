package dropbox_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/dropbox"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

var good = dropbox.Config{AppKey: appKey, AppSecret: appSecret, RefreshToken: refreshToken, Folder: "Backups/Shop"}

func open(t *testing.T, c dropbox.Config, api string) *dropbox.Store {
	t.Helper()
	s, err := dropbox.NewAt(c, api)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestConformance runs against the stand-in: there is no Dropbox on loopback.
func TestConformance(t *testing.T) {
	server := startStandIn(t, 1<<30)
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	denied := good
	denied.RefreshToken = "wrong-token"
	storagetest.Conformance(t, storagetest.Target{
		Open:   func(t *testing.T) storage.Store { return open(t, good, server.url()) },
		Denied: func(t *testing.T) storage.Store { return open(t, denied, server.url()) },
		// No NoContainer: a folder comes into being with its first file.
		Unreachable: func(t *testing.T) storage.Store { return open(t, good, "http://"+storagetest.FreeAddress(t)) },
		Untrusted:   func(t *testing.T) storage.Store { return open(t, good, untrusted.URL) },
		Full:        func(t *testing.T) storage.Store { return open(t, good, startStandIn(t, 8<<20).url()) },
		Cut: func(t *testing.T) (storage.Store, func()) {
			proxy := storagetest.StartProxy(t, server.address)
			return open(t, good, "http://"+proxy.Address), proxy.Cut
		},
		Mortal: func(t *testing.T) (s storage.Store, kill, revive func()) {
			mortal := startStandIn(t, 1<<30)
			return open(t, good, mortal.url()), mortal.kill, func() { mortal.start(t) }
		},
		Secrets: []string{appSecret, refreshToken, "wrong-token"},
	})
}

func put(t *testing.T, s storage.Store, name string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), name, struct{ io.Reader }{bytes.NewReader(data)}, -1); err != nil {
		t.Errorf("put %d bytes: %v", len(data), err)
		return
	}
	r, err := s.Get(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes put, %d other bytes read, %v", len(data), len(got), err)
	}
}

// TestPassingFailures covers what Dropbox does now and then: it forgets a token, asks for patience, and its answers or a
// part of what it is sent get lost.
func TestPassingFailures(t *testing.T) {
	server := startStandIn(t, 1<<30)
	s := open(t, good, server.url())
	large := storagetest.Data(1, 2*dropbox.ChunkSize+100)
	change := func(f func()) {
		server.mu.Lock()
		defer server.mu.Unlock()
		f()
	}
	put(t, s, "a", []byte("first"))
	change(func() { clear(server.tokens) })
	put(t, s, "a", []byte("after the token was revoked"))
	change(func() { server.damage = true })
	put(t, s, "a", []byte("after damage"))
	for _, endpoint := range []string{"upload", "upload_session/start", "upload_session/append_v2", "upload_session/finish"} {
		change(func() { server.lose = endpoint })
		data := large
		if endpoint == "upload" {
			data = large[:100]
		}
		put(t, s, "lost", data)
		change(func() {
			if server.lose != "" {
				t.Errorf("%s was never called", endpoint)
			}
		})
	}
	put(t, s, "exact", large[:dropbox.ChunkSize])
	change(func() { server.refused, server.after = 2, 1 })
	start := time.Now()
	put(t, s, "a", []byte("after patience"))
	if took := time.Since(start); took < 2*time.Second || took > 10*time.Second {
		t.Errorf("two requests to wait a second were obeyed in %v", took)
	}
	change(func() {
		if server.issued != 2 {
			t.Errorf("%d access tokens were bought, want one and one after the revocation", server.issued)
		}
	})
}

func TestNames(t *testing.T) {
	server := startStandIn(t, 1<<20)
	s := open(t, good, server.url())
	if err := s.Put(t.Context(), "kopia.Repository", strings.NewReader(""), 0); !errors.Is(err, storage.ErrInvalidName) {
		t.Errorf("upper-case name: %v, want ErrInvalidName", err)
	}
	for _, name := range []string{"kopia.repository", "kopia.blobcfg", "p0a1b2c3", "xn0_0a1b2c-s0d1e2f-c1", "_log_20260102030405_0a1b", "xw17"} {
		put(t, s, name, []byte(name))
	}
	if got, want := dropbox.HeaderJSON(`{"path":"/ü🦊"}`), `{"path":"/\u00fc\ud83e\udd8a"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	put(t, s, "folder/inside", []byte("x"))
	if err := s.Delete(t.Context(), "folder"); err != nil {
		t.Error(err)
	}
	if _, err := s.Stat(t.Context(), "folder/inside"); err != nil {
		t.Errorf("deleting a folder's name: %v", err)
	}
	for _, c := range []dropbox.Config{{}, {AppKey: "k"}, {AppKey: "k", RefreshToken: "t", Folder: "../x"}} {
		if _, err := dropbox.New(c); err == nil {
			t.Errorf("accepted %+v", c)
		}
	}
}
