package ftp_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/filetree"
	"github.com/sitewright/sitewright/internal/storage/ftp"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

const password = "ftp-secret: do not print"

// ftpServer is a running ProFTPD, and a login to it.
type ftpServer struct {
	daemon *storagetest.Daemon
	config ftp.Config
}

// start runs ProFTPD on dir. more is added to its configuration.
func start(t *testing.T, dir string, mode ftp.TLS, ca storagetest.CA, more ...string) ftpServer {
	t.Helper()
	s := storagetest.StartProFTPD(t, dir, password, string(mode), ca, more...)
	return ftpServer{s.Daemon, ftp.Config{Host: s.Host, Port: s.Port, Path: dir, TLS: mode, User: s.User, Password: password, CA: ca.PEM}}
}

func open(t *testing.T, c ftp.Config) *filetree.Store {
	t.Helper()
	s, err := ftp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	for _, mode := range []ftp.TLS{ftp.TLSNone, ftp.TLSExplicit, ftp.TLSImplicit} {
		t.Run(string(mode), func(t *testing.T) { conformance(t, mode) })
	}
	// As servers that know neither MLSD nor MLST, vsftpd among them.
	t.Run("plain listings", func(t *testing.T) { conformance(t, ftp.TLSNone, "FactsAdvertise off") })
}

func conformance(t *testing.T, mode ftp.TLS, more ...string) {
	ca := storagetest.NewCA(t)
	dir := storagetest.SmallDisk(t, 512<<20)
	server := start(t, dir, mode, ca, more...)
	with := func(change func(*ftp.Config)) func(t *testing.T) storage.Store {
		return func(t *testing.T) storage.Store {
			c := server.config
			change(&c)
			return open(t, c)
		}
	}
	target := storagetest.Target{
		Open: with(func(*ftp.Config) {}),
		Full: func(t *testing.T) storage.Store {
			return open(t, start(t, storagetest.SmallDisk(t, 8<<20), mode, ca, more...).config)
		},
		Denied:      with(func(c *ftp.Config) { c.Password = "wrong-secret" }),
		NoContainer: with(func(c *ftp.Config) { c.Path = filepath.Join(dir, "missing") }),
		Unreachable: with(func(c *ftp.Config) {
			_, port, _ := net.SplitHostPort(storagetest.FreeAddress(t))
			c.Port, _ = strconv.Atoi(port)
		}),
		// A transfer has a connection of its own to the server, so the server's process of the session is killed.
		Cut: func(t *testing.T) (storage.Store, func()) {
			cut := start(t, storagetest.SmallDisk(t, 128<<20), mode, ca, more...)
			return open(t, cut.config), cut.daemon.Cut
		},
		Mortal: func(t *testing.T) (s storage.Store, kill, revive func()) {
			mortal := start(t, storagetest.SmallDisk(t, 128<<20), mode, ca, more...)
			return open(t, mortal.config), mortal.daemon.Kill, func() { mortal.daemon.Start(t) }
		},
		Secrets: []string{password, "wrong-secret"},
	}
	if mode != ftp.TLSNone || len(more) > 0 {
		// They wait for retries to end, which they do in every mode alike.
		target.Unreachable, target.Mortal = nil, nil
	}
	if mode != ftp.TLSNone {
		target.Untrusted = with(func(c *ftp.Config) { c.CA = nil })
	}
	storagetest.Conformance(t, target)
}

// TestNoFallback: a server that does not offer TLS is not logged in to in the clear.
func TestNoFallback(t *testing.T) {
	server := start(t, t.TempDir(), ftp.TLSNone, storagetest.CA{})
	server.config.TLS = ftp.TLSExplicit
	if _, err := open(t, server.config).Stat(t.Context(), "x"); err == nil || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("asked for TLS of a server that has none: %v", err)
	}
}

// TestPaths: locations below the login's directory, and directories that are made.
func TestPaths(t *testing.T) {
	dir := t.TempDir()
	server := start(t, dir, ftp.TLSNone, storagetest.CA{})
	for location, at := range map[string]string{"": dir, "a/-b c": filepath.Join(dir, "a", "-b c"), filepath.Join(dir, "x/y"): filepath.Join(dir, "x", "y")} {
		c := server.config
		c.Path = location
		s := open(t, c)
		for range 2 {
			if err := s.Make(t.Context()); err != nil {
				t.Fatalf("path %q: %v", location, err)
			}
		}
		if err := s.Put(t.Context(), "-object", strings.NewReader("x"), 1); err != nil {
			t.Errorf("path %q: %v", location, err)
		}
		if _, err := os.Stat(filepath.Join(at, "-object")); err != nil {
			t.Errorf("path %q: %v", location, err)
		}
		found := 0
		for info, err := range s.List(t.Context(), "-") {
			if found++; err != nil || info.Name != "-object" {
				t.Errorf("path %q: listed %+v, %v", location, info, err)
			}
		}
		if found != 1 {
			t.Errorf("path %q: listed %d objects", location, found)
		}
	}
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]ftp.Config{
		"no host": {User: "u"}, "no user": {Host: "h"}, "unknown mode": {Host: "h", User: "u", TLS: "Sideways"},
		"no certificate": {Host: "h", User: "u", CA: []byte("not PEM")},
	} {
		if _, err := ftp.New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	for mode, want := range map[ftp.TLS]string{"": "ftps u@h:21", ftp.TLSNone: "ftp u@h:21", ftp.TLSImplicit: "ftps u@h:990"} {
		s, err := ftp.New(ftp.Config{Host: "h", User: "u", Password: password, TLS: mode})
		if err != nil || !strings.HasPrefix(s.String(), want) || strings.Contains(s.String(), password) {
			t.Errorf("mode %q: %v, %v", mode, s, err)
		}
	}
}
