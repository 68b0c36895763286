package apivalidation

import (
	"fmt"
	"testing"
)

const (
	notAbsolute = "must be an absolute http:// or https:// URL"
	noHost      = "must name a host"
	noLogin     = "must not carry credentials"
	noQuery     = "must not have a query or a fragment"
	badHost     = "the host must be a lower-case DNS name"
	badPort     = "the port must be between 1 and 65535"
	badPath     = "the path may hold letters, digits and the characters . _ ~ - between slashes"
)

var urls = []struct{ url, message string }{
	{"http://blog.localtest/", ""},
	{"http://blog.localtest", ""},
	{"https://shop.localtest/store", ""},
	{"https://shop.localtest/store/", ""},
	{"https://shop.localtest:8443/a/b-c_d.e~f", ""},
	{"http://localhost", ""},
	{"http://192.0.2.7/", ""},
	{"http://xn--bcher-kva.example/", ""},
	{"http://a.b:1/", ""},
	{"http://a.b:65535", ""},
	{"http://a.b/.well-known/x..y", ""},

	{"", "should be at least 1 chars long"},
	{"http://" + repeat(510), "Too long"},
	{"blog.localtest", notAbsolute},
	{"/blog", notAbsolute},
	{"//blog.localtest/", notAbsolute},
	{"ftp://blog.localtest/", notAbsolute},
	{"HTTP://blog.localtest/", notAbsolute},
	{"http:blog.localtest", notAbsolute},
	{"http://blog .localtest/", notAbsolute},
	{" http://blog.localtest/", notAbsolute},
	{"http://", noHost},
	{"http:///blog", noHost},
	{"http://:8080/", noHost},
	{"http://?x", noHost},
	{"http://ops@blog.localtest/", noLogin},
	{"http://ops:secret@blog.localtest/", noLogin},
	{"http://blog.localtest/@x", noLogin},
	{"http://blog.localtest/?p=1", noQuery},
	{"http://blog.localtest?p=1", noQuery},
	{"http://blog.localtest/#top", noQuery},
	{"http://Blog.localtest/", badHost},
	{"http://blog_1.localtest/", badHost},
	{"http://-blog.localtest/", badHost},
	{"http://blog-.localtest/", badHost},
	{"http://blog..localtest/", badHost},
	{"http://blog.localtest./", badHost},
	{"http://bücher.example/", badHost},
	{"http://" + repeat(64) + ".localtest/", badHost},
	{"http://[::1]/", badHost},
	{"http://[2001:db8::1]:8080/", badHost},
	{"http://blog.localtest:/", badPort},
	{"http://blog.localtest:0/", badPort},
	{"http://blog.localtest:080/", badPort},
	{"http://blog.localtest:65536/", badPort},
	{"http://blog.localtest:99999999999999999999/", badPort},
	{"http://blog.localtest/a/../b", badPath},
	{"http://blog.localtest/..", badPath},
	{"http://blog.localtest/./a", badPath},
	{"http://blog.localtest/a/.", badPath},
	{"http://blog.localtest//a", badPath},
	{"http://blog.localtest/a//", badPath},
	{"http://blog.localtest/a%2f..%2fb", badPath},
	{"http://blog.localtest/a;b", badPath},
	{"http://blog.localtest/a'b", badPath},
	{`http://blog.localtest/a\b`, badPath},
	{"http://blog.localtest/é", badPath},
}

func TestInstallURL(t *testing.T) {
	var attempts []attempt
	for _, u := range urls {
		a := attempt{name: fmt.Sprintf("%.60q", u.url), patch: fmt.Sprintf("spec: {url: %q}", u.url)}
		if u.message != "" {
			a.field, a.message = "spec.url", u.message
		}
		attempts = append(attempts, a)
	}
	attempts = append(attempts, attempt{"absent", "spec: {url: null}", "spec.url", "Required value"})
	creations(t, install, attempts...)
}

// The same type elsewhere.
func TestOtherURLs(t *testing.T) {
	creations(t, clone, attempt{"clone", "spec: {to: {url: 'ftp://x/'}}", "spec.to.url", notAbsolute})
	creations(t, restore, attempt{"restore", "spec: {to: {name: x, url: 'http://X/'}}", "spec.to.url", badHost})
	creations(t, install, attempt{"import", `spec: {bootstrap: {import: {url: "http://a@b/", source: {application: {credentialsSecretRef: {name: x}}}}}}`,
		"spec.bootstrap.import.url", noLogin})
}
