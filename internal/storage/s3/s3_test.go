package s3_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/s3"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

func open(t *testing.T, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// servers starts each of the servers that the tests run against. A domain makes its subdomains the names of buckets.
var servers = map[string]func(t testing.TB, dir, domain string) storagetest.S3{
	"versitygw": func(t testing.TB, dir, domain string) storagetest.S3 {
		if domain == "" {
			return storagetest.StartS3(t, dir)
		}
		return storagetest.StartS3(t, dir, "--virtual-domain", domain)
	},
	"MinIO": func(t testing.TB, dir, domain string) storagetest.S3 {
		return storagetest.StartMinIO(t, dir, "MINIO_DOMAIN="+domain)
	},
}

func TestConformance(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			conformance(t, name, func(t testing.TB, dir string) storagetest.S3 { return start(t, dir, "") })
		})
	}
}

func conformance(t *testing.T, name string, start func(t testing.TB, dir string) storagetest.S3) {
	server := start(t, storagetest.SmallDisk(t, 512<<20))
	server.Bucket(t, "backups")
	good := s3.Config{Endpoint: server.Endpoint, Bucket: "backups", Prefix: "shop", AccessKey: server.AccessKey, SecretKey: server.SecretKey}
	with := func(change func(*s3.Config)) func(t *testing.T) storage.Store {
		return func(t *testing.T) storage.Store {
			c := good
			change(&c)
			return open(t, c)
		}
	}
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	target := storagetest.Target{
		Open:        with(func(*s3.Config) {}),
		Denied:      with(func(c *s3.Config) { c.SecretKey = "wrong-secret" }),
		NoContainer: with(func(c *s3.Config) { c.Bucket = "missing" }),
		Unreachable: with(func(c *s3.Config) { c.Endpoint = "http://" + storagetest.FreeAddress(t) }),
		Untrusted:   with(func(c *s3.Config) { c.Endpoint = untrusted.URL }),
		Full: func(t *testing.T) storage.Store {
			small := start(t, storagetest.SmallDisk(t, 8<<20))
			small.Bucket(t, "backups")
			return with(func(c *s3.Config) { c.Endpoint = small.Endpoint })(t)
		},
		Cut: func(t *testing.T) (storage.Store, func()) {
			proxy := storagetest.StartProxy(t, strings.TrimPrefix(server.Endpoint, "http://"))
			return with(func(c *s3.Config) { c.Endpoint = "http://" + proxy.Address })(t), proxy.Cut
		},
		Mortal: func(t *testing.T) (s storage.Store, kill, revive func()) {
			mortal := start(t, t.TempDir())
			mortal.Bucket(t, "backups")
			s = with(func(c *s3.Config) { c.Endpoint = mortal.Endpoint })(t)
			return s, mortal.Daemon.Kill, func() { mortal.Daemon.Start(t) }
		},
		Secrets: []string{server.SecretKey, "wrong-secret"},
	}
	if name != "versitygw" { // No server takes part in these.
		target.Unreachable, target.Untrusted = nil, nil
	}
	storagetest.Conformance(t, target)
}

// TestRefused: every server has words of its own for what is wrong with a signature.
func TestRefused(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			server := start(t, t.TempDir(), "")
			server.Bucket(t, "backups")
			for what, c := range map[string]s3.Config{
				"unknown access key": {AccessKey: "nobody", SecretKey: "nothing"},
				"no keys":            {},
				"another region":     {AccessKey: server.AccessKey, SecretKey: server.SecretKey, Region: "eu-nowhere-1"},
			} {
				c.Endpoint, c.Bucket = server.Endpoint, "backups"
				s := open(t, c)
				if _, err := s.Stat(t.Context(), "x"); !errors.Is(err, storage.ErrDenied) {
					t.Errorf("stat with %s: %v", what, err)
				}
				if err := s.Put(t.Context(), "x", strings.NewReader("x"), 1); !errors.Is(err, storage.ErrDenied) {
					t.Errorf("put with %s: %v", what, err)
				}
			}
		})
	}
}

func TestUnknownHost(t *testing.T) {
	s := open(t, s3.Config{Endpoint: "http://no-such-host.invalid", Bucket: "backups"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "x", strings.NewReader("x"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		"http://s3:7070": true, "https://s3.example": true, "https://s3.example/": true, "s3.example": true,
		"": false, "ftp://s3": false, "http://": false, "http://u:p@s3": false, "http://s3/path": false,
	} {
		_, err := s3.New(s3.Config{Endpoint: endpoint, Bucket: "backups"})
		if ok != (err == nil) {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
	}
	for _, c := range []s3.Config{
		{Endpoint: "http://s3", Bucket: "b", Prefix: "../x"},
		{Endpoint: "http://s3", Bucket: "b", Addressing: "sideways"},
		{Endpoint: "http://s3", Bucket: "b", CA: []byte("not PEM")},
	} {
		if _, err := s3.New(c); err == nil {
			t.Errorf("accepted %+v", c)
		}
	}
}

// TestTransport covers what lies between us and a provider: TLS with a private CA, virtual hosts, and a front end that
// fails now and then.
func TestTransport(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) { transport(t, start(t, t.TempDir(), "s3.localhost")) })
	}
}

func transport(t *testing.T, server storagetest.S3) {
	server.Bucket(t, "backups")
	behind, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(behind)
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%3 == 1 {
			_, _ = io.CopyN(io.Discard, r.Body, 10)
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	config := s3.Config{Endpoint: front.URL, Bucket: "backups", AccessKey: server.AccessKey, SecretKey: server.SecretKey, CA: ca}
	roundTrip(t, open(t, config))
	if requests.Load() < 5 {
		t.Errorf("%d requests passed the front end, want five or more: some fail and are sent again", requests.Load())
	}
	config.Endpoint, config.CA, config.Addressing = "http://s3.localhost:"+behind.Port(), nil, s3.AddressingVirtualHost
	named := open(t, config)
	named.DialTo(behind.Host)
	roundTrip(t, named)
}

func roundTrip(t *testing.T, s storage.Store) {
	t.Helper()
	if err := s.Put(t.Context(), "a/b", strings.NewReader("hello"), 5); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get(t.Context(), "a/b", 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); string(b) != "ell" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	for info, err := range s.List(t.Context(), "a") {
		if info.Name != "a/b" || err != nil {
			t.Errorf("%+v, %v", info, err)
		}
	}
	if err := s.Delete(t.Context(), "a/b"); err != nil {
		t.Error(err)
	}
}
