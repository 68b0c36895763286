package release

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestDownload(t *testing.T) {
	body := []byte(strings.Repeat("release ", 100_000))
	s256, s1 := sha256.Sum256(body), sha1.Sum(body)
	sum256, sum1 := hex.EncodeToString(s256[:]), hex.EncodeToString(s1[:])
	var calls atomic.Int32
	mux := http.NewServeMux()
	whole := func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); _, _ = w.Write(body) }
	mux.HandleFunc("/good", whole)
	mux.HandleFunc("/busy", func(w http.ResponseWriter, r *http.Request) {
		if calls.Load() < 2 {
			calls.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		whole(w, r)
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) { // Dies in the middle, twice.
		if calls.Load() < 2 {
			calls.Add(1)
			w.Header().Set("Content-Length", "800000")
			_, _ = w.Write(body[:1000])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		whole(w, r)
	})
	mux.HandleFunc("/always-cut", func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Length", "800000")
		_, _ = w.Write(body[:1000])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = w.Write(body[:1000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.Handle("/moved", http.RedirectHandler("/good", http.StatusFound))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	for _, c := range []struct {
		path string
		r    Request
		want error
		said string
	}{
		{"/good", Request{SHA256: strings.ToUpper(sum256)}, nil, ""},
		{"/good", Request{SHA1: sum1}, nil, ""},
		{"/moved", Request{SHA256: sum256, SHA1: sum1}, nil, ""},
		{"/busy", Request{SHA256: sum256}, nil, ""},
		{"/cut", Request{SHA256: sum256}, nil, ""},
		{"/good", Request{SHA256: strings.Repeat("a", 64)}, ErrChecksum, sum256},
		{"/good", Request{SHA256: strings.Repeat("a", 64)}, ErrChecksum, strings.Repeat("a", 64)},
		{"/good", Request{SHA1: strings.Repeat("a", 40)}, ErrChecksum, sum1},
		{"/good", Request{}, ErrInvalid, "checksum"},
		{"/good", Request{SHA256: sum256, MaxBytes: 1000}, ErrInvalid, "larger"},
		{"/missing", Request{SHA256: sum256}, ErrNotFound, "404"},
		{"/always-cut", Request{SHA256: sum256}, ErrUnreachable, "broke off"},
		{"/silent", Request{SHA256: sum256, Idle: 50 * time.Millisecond}, ErrUnreachable, "nothing came"},
		{"/round", Request{SHA256: sum256}, ErrUnreachable, "redirects"},
	} {
		calls.Store(0)
		c.r.URL, c.r.Delay = server.URL+c.path, time.Millisecond
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		n, err := Download(t.Context(), c.r, root, "release")
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.said) {
			t.Errorf("%s: %v, want %v saying %q", c.path, err, c.want, c.said)
		}
		b, readErr := root.ReadFile("release")
		if c.want == nil && (n != int64(len(body)) || string(b) != string(body)) || c.want != nil && readErr == nil {
			t.Errorf("%s: %d bytes of file, %v", c.path, len(b), readErr)
		}
		if got := calls.Load(); got > attempts {
			t.Errorf("%s: asked %d times", c.path, got)
		}
		root.Close()
	}
	root, _ := os.OpenRoot(t.TempDir())
	defer root.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Download(ctx, Request{URL: server.URL + "/silent", SHA1: sum1}, root, "release"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := Download(t.Context(), Request{URL: "file:///etc/passwd", SHA1: sum1}, root, "release"); !errors.Is(err, ErrInvalid) {
		t.Errorf("file URL: %v", err)
	}
}
