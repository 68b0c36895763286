package apivalidation

import (
	"strings"
	"testing"
)

const tooLong = "metadata.name must be no more than 63 characters"

// An Install's name is shorter, and tested with it.
func TestNames(t *testing.T) {
	for kind, manifest := range all {
		if kind == "Install" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			creations(t, manifest,
				attempt{"63 characters", "metadata: {name: " + repeat(63) + "}", "", ""},
				attempt{"64 characters", "metadata: {name: " + repeat(64) + "}", "<nil>", tooLong},
			)
		})
	}
}

func TestBackup(t *testing.T) {
	const one = "exactly one of the fields in [installRef archive snapshot] must be set"
	creations(t, backup,
		attempt{"archive", "spec: {installRef: null, archive: {path: uploads/old-site.tar.gz}}", "", ""},
		attempt{"snapshot", "spec: {installRef: null, snapshot: {id: 1f0a5c0de7b95c32d1f4a9b8c7e6d5f4}}", "", ""},
		attempt{"snapshot of a site", "spec: {snapshot: {id: 1f0a5c0de7b95c32d1f4a9b8c7e6d5f4}}", "spec", one},
		attempt{"snapshot without an id", "spec: {installRef: null, snapshot: {}}", "spec.snapshot.id", "Required value"},
		attempt{"snapshot with a short id", "spec: {installRef: null, snapshot: {id: a1b2c3d4e5f}}", "spec.snapshot.id", "at least 12 chars"},
		attempt{"snapshot with a long id", "spec: {installRef: null, snapshot: {id: " + strings.Repeat("a", 65) + "}}", "spec.snapshot.id", "Too long"},
		attempt{"snapshot with an odd id", "spec: {installRef: null, snapshot: {id: ../../etc/passwd}}", "spec.snapshot.id", "should match"},
		attempt{"neither", "spec: {installRef: null}", "spec", one},
		attempt{"both", "spec: {archive: {path: x}}", "spec", one},
		attempt{"archive above the location", "spec: {installRef: null, archive: {path: ../x}}", "spec.archive.path", "must be a relative path without '..'"},
		attempt{"archive at an absolute path", "spec: {installRef: null, archive: {path: /x}}", "spec.archive.path", "must be a relative path without '..'"},
		attempt{"archive with dots in its name", "spec: {installRef: null, archive: {path: a..b}}", "", ""},
		attempt{"archive without a path", "spec: {installRef: null, archive: {path: ''}}", "spec.archive.path", "at least 1 chars"},
		attempt{"ttl", "spec: {ttl: 336h}", "", ""},
		attempt{"ttl in compound", "spec: {ttl: 1h30m}", "", ""},
		attempt{"ttl of a second", "spec: {ttl: 1s}", "spec.ttl", "between 1m and 87600h"},
		attempt{"ttl beyond ten years", "spec: {ttl: 87601h}", "spec.ttl", "between 1m and 87600h"},
		attempt{"ttl in days", "spec: {ttl: 14d}", "spec.ttl", "must be a duration such as"},
		attempt{"ttl in words", "spec: {ttl: long}", "spec.ttl", "must be a duration such as"},
		attempt{"quiesced", "spec: {consistency: Quiesced}", "", ""},
		attempt{"unknown consistency", "spec: {consistency: Strong}", "spec.consistency", "Unsupported value"},
		attempt{"unknown deletion policy", "spec: {deletionPolicy: Retain}", "spec.deletionPolicy", "Unsupported value"},
		attempt{"note of 1025", "spec: {note: " + repeat(1025) + "}", "spec.note", "Too long"},
		attempt{"nameless install", "spec: {installRef: {name: ''}}", "spec.installRef.name", "at least 1 chars"},
		attempt{"install of 254", "spec: {installRef: {name: " + repeat(254) + "}}", "spec.installRef.name", "Too long"},
	)
}

func TestRestore(t *testing.T) {
	to := func(more string) string {
		return `spec: {to: {name: blog-old, url: "http://old-blog.localtest/"` + more + "}}"
	}
	creations(t, restore,
		attempt{"in place", "{}", "", ""},
		attempt{"no backup", "spec: {backupRef: null}", "spec.backupRef", "Required value"},
		attempt{"elsewhere", to(""), "", ""},
		attempt{"elsewhere, with a database made for it", to(", createDatabase: true"), "", ""},
		attempt{"elsewhere, with an existing database", to(", createDatabase: false, database: {existing: {host: a, name: b, user: c, passwordSecretRef: {name: d, key: e}}}"), "", ""},
		attempt{"elsewhere, with none at all", to(", createDatabase: false"), "spec.to", "createDatabase: false needs database.existing"},
		attempt{"elsewhere, with none but a server", to(", createDatabase: false, database: {serverRef: {name: main}}"), "spec.to", "createDatabase: false needs database.existing"},
		attempt{"elsewhere, without a name", `spec: {to: {url: "http://x/"}}`, "spec.to.name", "Required value"},
		attempt{"elsewhere, without a URL", "spec: {to: {name: x}}", "spec.to.url", "Required value"},
	)
}

func TestClone(t *testing.T) {
	creations(t, clone,
		attempt{"all of it", "spec: {to: {address: 203.0.113.7, database: {prefix: st_}, storage: {size: 4Gi}, exposure: {none: {}}}}", "", ""},
		attempt{"no source", "spec: {sourceRef: null}", "spec.sourceRef", "Required value"},
		attempt{"no target", "spec: {to: null}", "spec.to", "Required value"},
		attempt{"name of 52", "spec: {to: {name: " + repeat(52) + "}}", "", ""},
		attempt{"name of 53", "spec: {to: {name: " + repeat(53) + "}}", "spec.to.name", "Too long"},
		attempt{"name with a digit first", "spec: {to: {name: 1blog}}", "spec.to.name", "should match"},
		attempt{"address by name", "spec: {to: {address: x}}", "spec.to.address", "must be an IP address"},
		attempt{"exposed in two ways", "spec: {to: {exposure: {none: {}, ingress: {}}}}", "spec.to.exposure", "exactly one of the fields"},
		attempt{"two databases", "spec: {to: {database: {serverRef: {name: main}, existing: {host: a, name: b, user: c, passwordSecretRef: {name: d, key: e}}}}}",
			"spec.to.database", "at most one of the fields"},
		attempt{"no room", "spec: {to: {storage: {size: 0}}}", "spec.to.storage.size", "must be more than 0"},
	)
}

func TestUpgrade(t *testing.T) {
	creations(t, upgrade,
		attempt{"to the newest", "{}", "", ""},
		attempt{"plugins and themes only", "spec: {version: current, plugins: ['*'], themes: [twentytwentyfive]}", "", ""},
		attempt{"no install", "spec: {installRef: null}", "spec.installRef", "Required value"},
		attempt{"an odd version", "spec: {version: '>6'}", "spec.version", "should match"},
		attempt{"a plugin twice", "spec: {plugins: [a, a]}", "spec.plugins[1]", "Duplicate value"},
		attempt{"a nameless theme", "spec: {themes: ['']}", "spec.themes[0]", "at least 1 chars"},
	)
}
