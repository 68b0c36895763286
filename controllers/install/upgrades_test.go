package install

import (
	"strings"
	"testing"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

func catalogueOf(releases ...api.Release) *api.Application {
	return &api.Application{Spec: api.ApplicationSpec{DisplayName: "Blog", Releases: releases}}
}

func of(v, branch, from, php, mysql string) api.Release {
	return api.Release{Version: v, Branch: branch, UpgradeFrom: api.VersionRange(from),
		Requirements: api.Requirements{PHP: api.VersionRange(php), MySQL: api.VersionRange(mysql)}}
}

func TestUpgrades(t *testing.T) {
	blog := catalogueOf(of("1.0", "", "", "7-7.4", ""), of("1.0.5", "", "", "7-7.4", ""), of("1.1", "", "", "7.4-8.2", ""),
		of("2.0", "", "1.1-", "8.2-8.4", "10.6-"), of("2.1", "", "2.0-", "8.2-8.4", "10.6-"), of("3.0", "", "", "9-", ""))
	named := catalogueOf(of("3.1.2", "REL3_1", "", "", ""), of("3.1.10", "REL3_1", "", "", ""), of("3.2", "REL3_2", "", "", ""))
	for _, c := range []struct {
		name          string
		u             Upgrades
		minor, newest string // what the policies take
		to            string
		runtime, says string // what comes of upgrading to it
	}{
		{"the runtime stays where it can", Upgrades{application: blog, from: "1.0", runtime: "php-7.4"}, "1.0.5", "1.1", "1.1", "php-7.4", ""},
		{"it changes where it must", Upgrades{application: blog, from: "1.1", runtime: "php-7.4"}, "", "2.0", "2.0", "php-8.4", ""},
		{"the spec names it", Upgrades{application: blog, from: "1.1", runtime: "php-7.4", wanted: "php-8.2"}, "", "2.0", "2.0", "php-8.2", ""},
		{"the spec names an old one", Upgrades{application: blog, from: "1.1", runtime: "php-7.4", wanted: "php-7.4"}, "", "", "2.0", "",
			"Blog 1.1 cannot be upgraded to 2.0: it needs PHP 8.2-8.4, and can run on php-7.4"},
		{"the spec names none of the operator's", Upgrades{application: blog, from: "1.1", runtime: "php-7.4", wanted: "php-8.3"}, "", "", "2.0", "",
			"php-8.3 of the Install is none of this operator's: php-8.4, php-8.2, php-7.4"},
		{"by way of others", Upgrades{application: blog, from: "1.0", runtime: "php-7.4"}, "1.0.5", "1.1", "2.0", "", "upgrades 1.1-; upgrade to 1.1 first"},
		{"no way", Upgrades{application: blog, from: "1.0", runtime: "php-7.4"}, "1.0.5", "1.1", "2.1", "", "that release upgrades 2.0-"},
		{"an old server", Upgrades{application: blog, from: "1.1", runtime: "php-7.4", database: "10.5.29"}, "", "", "2.0", "",
			"it needs MySQL or MariaDB 10.6-, and the database server is 10.5.29"},
		{"a new server", Upgrades{application: blog, from: "1.1", runtime: "php-7.4", database: "10.11.6"}, "", "2.0", "", "php-8.4", ""},
		{"no such PHP", Upgrades{application: blog, from: "2.1", runtime: "php-8.4"}, "", "", "3.0", "", "it needs PHP 9-"},
		{"what serves", Upgrades{application: blog, from: "2.1", runtime: "php-8.4"}, "", "", "2.1.0", "", ""},
		{"what is older", Upgrades{application: blog, from: "2.1", runtime: "php-8.4"}, "", "", "2.0", "", "older than 2.1, which serves: nothing is downgraded"},
		{"what is unknown", Upgrades{application: blog, from: "2.0", runtime: "php-8.4"}, "", "2.1", "2.5", "", "newer than 2.0 it has 2.1, 3.0"},
		{"branches by name", Upgrades{application: named, from: "3.1.2", runtime: "php-8.4"}, "3.1.10", "3.2", "", "php-8.4", ""},
		{"the newest of a branch", Upgrades{application: named, from: "3.1.10", runtime: "php-8.4"}, "", "3.2", "", "php-8.4", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.u.runtimes = []string{"php-8.4", "php-8.2", "php-7.4"}
			for policy, want := range map[api.UpdatePolicy]string{api.UpdateMinor: c.minor, api.UpdateAny: c.newest, api.UpdateOff: "", "": ""} {
				got := ""
				if r, _ := c.u.Newest(policy); r != nil {
					got = r.Version
				}
				if got != want {
					t.Errorf("policy %q takes %q, not %q", policy, got, want)
				}
			}
			_, runtime, err := c.u.To(c.to)
			if runtime != c.runtime || (err != nil) != (c.says != "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
				t.Errorf("to %q it runs on %q, not %q, and says %v, not %q", c.to, runtime, c.runtime, err, c.says)
			}
		})
	}
}

func TestSlug(t *testing.T) {
	for v, want := range map[string]string{"6.8.12": "6-8-12", "6.9-RC1": "6-9-rc1", "1.0+build_7": "1-0-build-7"} {
		if got := slug(v); got != want {
			t.Errorf("%s becomes %s, not %s", v, got, want)
		}
	}
}
