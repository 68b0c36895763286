package webdav_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
	"github.com/sitewright/sitewright/internal/storage/webdav"
)

const (
	user     = "backup"
	password = "dav-secret-do-not-print"
	wrong    = "wrong-secret"
)

func open(t *testing.T, c webdav.Config) storage.Store {
	t.Helper()
	s, err := webdav.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		auth, scheme string
	}{{"Basic", "webdavs"}, {"Digest", "webdav"}} {
		t.Run(c.auth+" "+c.scheme, func(t *testing.T) { conformance(t, c.auth, c.scheme) })
	}
}

func conformance(t *testing.T, auth, scheme string) {
	start := func(t *testing.T, dir string) (storagetest.Apache, webdav.Config) {
		a := storagetest.StartApache(t, password, dir, auth, scheme == "webdavs")
		return a, webdav.Config{URL: scheme + "://" + a.Address + "/backups", User: user, Password: password, CA: a.CA}
	}
	server, good := start(t, storagetest.SmallDisk(t, 512<<20))
	with := func(change func(*webdav.Config)) func(t *testing.T) storage.Store {
		return func(t *testing.T) storage.Store {
			c := good
			change(&c)
			return open(t, c)
		}
	}
	stranger := storagetest.StartApache(t, password, "", auth, true)
	storagetest.Conformance(t, storagetest.Target{
		Open:        with(func(*webdav.Config) {}),
		Denied:      with(func(c *webdav.Config) { c.Password = wrong }),
		NoContainer: with(func(c *webdav.Config) { c.URL = strings.Replace(c.URL, "backups", "missing", 1) }),
		Unreachable: with(func(c *webdav.Config) { c.URL = scheme + "://" + storagetest.FreeAddress(t) + "/backups" }),
		Untrusted:   with(func(c *webdav.Config) { c.URL = "webdavs://" + stranger.Address + "/backups" }),
		Full: func(t *testing.T) storage.Store {
			_, c := start(t, storagetest.SmallDisk(t, 8<<20))
			return open(t, c)
		},
		Cut: func(t *testing.T) (storage.Store, func()) {
			proxy := storagetest.StartProxy(t, server.Address)
			return with(func(c *webdav.Config) { c.URL = scheme + "://" + proxy.Address + "/backups" })(t), proxy.Cut
		},
		Mortal: func(t *testing.T) (s storage.Store, kill, revive func()) {
			a, c := start(t, "")
			return open(t, c), a.Kill, func() { a.Start(t) }
		},
		Secrets: []string{password, wrong},
	})
	if log := server.Log(); bytes.Contains([]byte(log), []byte(password)) {
		t.Error("the server's log holds the password")
	}
}
