package compat

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// TestSource: who is no trusted proxy cannot say where a request comes from.
func TestSource(t *testing.T) {
	s := &Server{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for name, c := range map[string]struct {
		remote string
		hops   []string
		want   string
	}{
		"direct":                   {"192.0.2.1:1000", nil, "192.0.2.1"},
		"a client that lies":       {"192.0.2.1:1000", []string{"198.51.100.7"}, "192.0.2.1"},
		"through a proxy":          {"10.1.1.1:1000", []string{"198.51.100.7"}, "198.51.100.7"},
		"through two":              {"10.1.1.1:1000", []string{"198.51.100.7, 10.2.2.2"}, "198.51.100.7"},
		"a lie through a proxy":    {"10.1.1.1:1000", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		"in two headers":           {"10.1.1.1:1000", []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		"nonsense through a proxy": {"10.1.1.1:1000", []string{"nobody"}, "10.1.1.1"},
		"only proxies":             {"10.1.1.1:1000", []string{"10.2.2.2"}, "10.2.2.2"},
		"mapped":                   {"[::ffff:192.0.2.1]:1000", nil, "192.0.2.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		for _, hop := range c.hops {
			r.Header.Add("X-Forwarded-For", hop)
		}
		if got := s.source(r); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

func TestArgumentOf(t *testing.T) {
	for field, want := range map[string]string{
		"spec.url": "url", "spec.to.url": "url", "spec.to.database.existing.name": "db_name", "spec.admin.login": "login", "spec.notifications.events[0]": "notification",
		"spec.fields.sitetagline": "sitetagline", "spec.backups.daily": "autobk_daily", "spec.backups": "autobk", "spec.to.createDatabase": "db", "spec.storage.size": "",
	} {
		if got := argumentOf(field); got != want {
			t.Errorf("%s comes from %q, not %q", field, got, want)
		}
	}
}
