package apivalidation

import (
	"strings"
	"testing"
)

func TestBackupLocation(t *testing.T) {
	const (
		one      = "exactly one of the fields in [s3 ftp sftp webdav dropbox volume] must be set"
		endpoint = "must be an http:// or https:// URL without credentials, query or fragment"
	)
	instead := func(other string) string { return "spec: {volume: null, " + other + "}" }
	creations(t, location,
		attempt{"ftp", instead("ftp: {host: a, path: backups, credentialsSecretRef: {name: x}}"), "", ""},
		attempt{"sftp", instead("sftp: {host: a, port: 2222, hostKey: ssh-ed25519 AAAA, credentialsSecretRef: {name: x}}"), "", ""},
		attempt{"webdav", instead(`webdav: {url: "https://a/b", credentialsSecretRef: {name: x}}`), "", ""},
		attempt{"dropbox", instead("dropbox: {path: /backups, credentialsSecretRef: {name: x}}"), "", ""},
		attempt{"one that adopts", "spec: {adopt: true}", "", ""},
		attempt{"one that adopts some", "spec: {adopt: some}", "spec.adopt", "must be of type boolean"},
		attempt{"nowhere", instead(""), "spec", one},
		attempt{"two places", "spec: {dropbox: {credentialsSecretRef: {name: x}}}", "spec", one},
		attempt{"volume of nothing", "spec: {volume: {size: 0}}", "spec.volume.size", "must be more than 0"},
		attempt{"sftp without a login", instead("sftp: {host: a}"), "spec.sftp.credentialsSecretRef", "Required value"},
		attempt{"ftp at port 0", instead("ftp: {host: a, port: 0, credentialsSecretRef: {name: x}}"), "spec.ftp.port", "greater than or equal to 1"},
		attempt{"ftp out of its place", instead("ftp: {host: a, path: x/../../y, credentialsSecretRef: {name: x}}"), "spec.ftp.path", "must be a path without '..'"},
		attempt{"ftp with odd certificates", instead("ftp: {host: a, caBundle: " + strings.Repeat("x", 32769) + ", credentialsSecretRef: {name: x}}"),
			"spec.ftp.caBundle", "Too long"},
		attempt{"sftp out of its place", instead("sftp: {host: a, path: .., credentialsSecretRef: {name: x}}"), "spec.sftp.path", "must be a path without '..'"},
		attempt{"dropbox out of its place", instead("dropbox: {path: a/../.., credentialsSecretRef: {name: x}}"), "spec.dropbox.path",
			"must be a path without '..'"},
		attempt{"s3 addressed oddly", instead(`s3: {endpoint: "https://a", bucket: abc, addressing: Sideways, credentialsSecretRef: {name: x}}`),
			"spec.s3.addressing", "Unsupported value"},
		attempt{"webdav over ftp", instead(`webdav: {url: "ftp://a/b", credentialsSecretRef: {name: x}}`), "spec.webdav.url", "must be an http:// or https:// URL without credentials"},
		attempt{"webdav with a login", instead(`webdav: {url: "https://a:b@c/", credentialsSecretRef: {name: x}}`), "spec.webdav.url", "must be an http:// or https:// URL without credentials"},
	)
	creations(t, s3,
		attempt{"all of it", "spec: {s3: {region: us-east-1, prefix: acme/}, encryption: {passwordSecretRef: {name: x, key: password}}}", "", ""},
		attempt{"endpoint without a scheme", "spec: {s3: {endpoint: 's3.storage.svc:7070'}}", "spec.s3.endpoint", endpoint},
		attempt{"endpoint with a login", "spec: {s3: {endpoint: 'http://a:b@c'}}", "spec.s3.endpoint", endpoint},
		attempt{"endpoint with a query", "spec: {s3: {endpoint: 'http://a/?b'}}", "spec.s3.endpoint", endpoint},
		attempt{"bucket of two letters", "spec: {s3: {bucket: ab}}", "spec.s3.bucket", "at least 3 chars"},
		attempt{"bucket in capitals", "spec: {s3: {bucket: Backups}}", "spec.s3.bucket", "should match"},
		attempt{"prefix from the root", "spec: {s3: {prefix: /acme}}", "spec.s3.prefix", "must be a relative path without '..'"},
		attempt{"prefix that climbs", "spec: {s3: {prefix: a/../b}}", "spec.s3.prefix", "must be a relative path without '..'"},
	)
}

func TestBackupSchedule(t *testing.T) {
	const none = "at least one of daily, weekly, monthly must be more than 0"
	creations(t, schedule,
		attempt{"all of it", `spec: {timeZone: Europe/Berlin, window: 2h, keep: {weekly: 4, monthly: 6}, locationRef: {name: s3}, suspend: true}`, "", ""},
		attempt{"midnight", `spec: {at: "00:00"}`, "", ""},
		attempt{"a minute to", `spec: {at: "23:59"}`, "", ""},
		attempt{"24:00", `spec: {at: "24:00"}`, "spec.at", "should match"},
		attempt{"no leading zero", `spec: {at: "2:30"}`, "spec.at", "should match"},
		attempt{"no time", "spec: {at: null}", "spec.at", "Required value"},
		attempt{"odd zone", "spec: {timeZone: 'Europe Berlin'}", "spec.timeZone", "should match"},
		attempt{"zone that climbs", "spec: {timeZone: ../../etc/passwd}", "spec.timeZone", "should match"},
		attempt{"window beyond a day", "spec: {window: 25h}", "spec.window", "between 0s and 24h"},
		attempt{"no window", "spec: {window: 0s}", "", ""},
		attempt{"keeps nothing", "spec: {keep: {daily: 0}}", "spec.keep", none},
		attempt{"says nothing of keeping", "spec: {keep: {daily: null}}", "spec.keep", none},
		attempt{"weekly only", "spec: {keep: {daily: 0, weekly: 1}}", "", ""},
		attempt{"261 weekly", "spec: {keep: {weekly: 261}}", "spec.keep.weekly", "less than or equal to 260"},
		attempt{"121 monthly", "spec: {keep: {monthly: 121}}", "spec.keep.monthly", "less than or equal to 120"},
	)
}

func TestDatabaseServer(t *testing.T) {
	creations(t, databaseServer,
		attempt{"by address", "spec: {host: 192.0.2.1}", "", ""},
		attempt{"by IPv6 address", "spec: {host: '2001:db8::1'}", "", ""},
		attempt{"for some namespaces", "spec: {namespaceSelector: {matchLabels: {a: b}}}", "", ""},
		attempt{"host with a port", "spec: {host: 'db:3306'}", "spec.host", "must be a DNS name or an IP address"},
		attempt{"host with a path", "spec: {host: db/x}", "spec.host", "must be a DNS name or an IP address"},
		attempt{"empty host", "spec: {host: ''}", "spec.host", "at least 1 chars"},
		attempt{"port 65536", "spec: {port: 65536}", "spec.port", "less than or equal to 65535"},
		attempt{"no secret", "spec: {adminSecretRef: null}", "spec.adminSecretRef", "Required value"},
		attempt{"secret without a namespace", "spec: {adminSecretRef: {namespace: null}}", "spec.adminSecretRef.namespace", "Required value"},
	)
}
