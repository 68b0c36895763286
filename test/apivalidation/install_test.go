package apivalidation

import "testing"

func TestInstallName(t *testing.T) {
	creations(t, install,
		attempt{"52 characters", "metadata: {name: " + repeat(52) + "}", "", ""},
		attempt{"53 characters", "metadata: {name: " + repeat(53) + "}", "<nil>", "no more than 52 characters"},
		attempt{"a digit first", "metadata: {name: 1blog}", "<nil>", "must begin with a letter"},
		attempt{"a dot", "metadata: {name: my.blog}", "<nil>", "hold only lower-case letters, digits and '-'"},
	)
}

func TestInstallSpec(t *testing.T) {
	creations(t, install,
		attempt{"no application", "spec: {application: null}", "spec.application", "Required value"},
		attempt{"application in capitals", "spec: {application: WordPress}", "spec.application", "should match"},
		attempt{"application of 64", "spec: {application: " + repeat(64) + "}", "spec.application", "Too long"},
		attempt{"version", "spec: {version: 6.8.7-beta+1}", "", ""},
		attempt{"version with a space", "spec: {version: '6 8'}", "spec.version", "should match"},
		attempt{"version ends in a dot", "spec: {version: '6.8.'}", "spec.version", "should match"},
		attempt{"empty version", "spec: {version: ''}", "spec.version", "at least 1 chars"},
		attempt{"address", "spec: {address: 203.0.113.7}", "", ""},
		attempt{"IPv6 address", "spec: {address: '2001:db8::1'}", "", ""},
		attempt{"address by name", "spec: {address: blog.localtest}", "spec.address", "must be an IP address"},
		attempt{"address with a port", "spec: {address: '203.0.113.7:80'}", "spec.address", "must be an IP address"},
		attempt{"title of 255", "spec: {title: " + repeat(255) + "}", "", ""},
		attempt{"title of 256", "spec: {title: " + repeat(256) + "}", "spec.title", "Too long"},
		attempt{"language", "spec: {language: zh_tw}", "", ""},
		attempt{"no language", "spec: {language: '..'}", "spec.language", "should match"},
		attempt{"content", "spec: {content: 'no'}", "", ""},
		attempt{"empty content", "spec: {content: ''}", "spec.content", "at least 1 chars"},
		attempt{"deletion policy", "spec: {deletionPolicy: Orphan}", "", ""},
		attempt{"unknown deletion policy", "spec: {deletionPolicy: Keep}", "spec.deletionPolicy", "Unsupported value"},
	)
}

func TestInstallAdminAndFields(t *testing.T) {
	creations(t, install,
		attempt{"admin", "spec: {admin: {login: admin, email: ops@acme.localtest, passwordSecretRef: {name: x, key: admin}}}", "", ""},
		attempt{"login with a quote", `spec: {admin: {login: "a'b"}}`, "spec.admin.login", "should match"},
		attempt{"login of 61", "spec: {admin: {login: " + repeat(61) + "}}", "spec.admin.login", "Too long"},
		attempt{"email without a host", "spec: {admin: {email: ops}}", "spec.admin.email", "should match"},
		attempt{"email of two", "spec: {admin: {email: 'a@b c@d'}}", "spec.admin.email", "should match"},
		attempt{"password without a key", "spec: {admin: {passwordSecretRef: {name: x}}}", "spec.admin.passwordSecretRef.key", "Required value"},
		attempt{"password with a path for a key", "spec: {admin: {passwordSecretRef: {name: x, key: a/b}}}", "spec.admin.passwordSecretRef.key", "should match"},
		attempt{"fields", "spec: {fields: {sitetagline: Anvils and more}}", "", ""},
		attempt{"field name of 64", "spec: {fields: {" + repeat(64) + ": x}}", "spec.fields", "names are at most 63 characters"},
		attempt{"field value of 1025", "spec: {fields: {a: " + repeat(1025) + "}}", "spec.fields.a", "Too long"},
		attempt{"65 fields", "spec: {fields: {" + keys(65) + "}}", "spec.fields", "must have at most 64 items"},
	)
}

func TestInstallDatabase(t *testing.T) {
	const existing = "existing: {host: db, name: shop, user: shop, passwordSecretRef: {name: x, key: k}"
	creations(t, install,
		attempt{"nothing", "spec: {database: {}}", "", ""},
		attempt{"server", "spec: {database: {serverRef: {name: main}, prefix: ac_}}", "", ""},
		attempt{"existing", "spec: {database: {" + existing + "}}}", "", ""},
		attempt{"both", "spec: {database: {serverRef: {name: main}, " + existing + "}}}", "spec.database", "at most one of the fields in [serverRef existing] may be set"},
		attempt{"prefix with a dash", "spec: {database: {prefix: a-b}}", "spec.database.prefix", "should match"},
		attempt{"prefix of 33", "spec: {database: {prefix: " + repeat(33) + "}}", "spec.database.prefix", "Too long"},
		attempt{"port 0", "spec: {database: {" + existing + ", port: 0}}}", "spec.database.existing.port", "greater than or equal to 1"},
		attempt{"port 65536", "spec: {database: {" + existing + ", port: 65536}}}", "spec.database.existing.port", "less than or equal to 65535"},
		attempt{"no user", "spec: {database: {existing: {host: db, name: shop, passwordSecretRef: {name: x, key: k}}}}", "spec.database.existing.user", "Required value"},
		attempt{"name of 65", "spec: {database: {existing: {host: db, user: u, passwordSecretRef: {name: x, key: k}, name: " + repeat(65) + "}}}", "spec.database.existing.name", "Too long"},
	)
}

func TestInstallVolumeAndRuntime(t *testing.T) {
	creations(t, install,
		attempt{"size as a number", "spec: {storage: {size: 1073741824}}", "", ""},
		attempt{"size", "spec: {storage: {size: 500Mi, storageClassName: standard}}", "", ""},
		attempt{"size 0", "spec: {storage: {size: 0}}", "spec.storage.size", "must be more than 0"},
		attempt{"negative size", "spec: {storage: {size: '-1Gi'}}", "spec.storage.size", "must be more than 0"},
		attempt{"size in words", "spec: {storage: {size: big}}", "spec.storage.size", "should match"},
		attempt{"no class", "spec: {storage: {storageClassName: ''}}", "spec.storage.storageClassName", "at least 1 chars"},
		attempt{"runtime", "spec: {runtime: {name: php-8.2, replicas: 0, resources: {limits: {memory: 512Mi}}}}", "", ""},
		attempt{"runtime in capitals", "spec: {runtime: {name: PHP}}", "spec.runtime.name", "should match"},
		attempt{"21 replicas", "spec: {runtime: {replicas: 21}}", "spec.runtime.replicas", "less than or equal to 20"},
		attempt{"-1 replicas", "spec: {runtime: {replicas: -1}}", "spec.runtime.replicas", "greater than or equal to 0"},
		attempt{"kept for 0s", "spec: {keepPrevious: 0s}", "", ""},
		attempt{"kept for 1h30m", "spec: {keepPrevious: 1h30m}", "", ""},
		attempt{"kept for a year", "spec: {keepPrevious: 8760h}", "", ""},
		attempt{"kept for longer", "spec: {keepPrevious: 8761h}", "spec.keepPrevious", "between 0s and 8760h"},
		attempt{"kept for less than nothing", "spec: {keepPrevious: -1s}", "spec.keepPrevious", "between 0s and 8760h"},
		attempt{"kept for days", "spec: {keepPrevious: 7d}", "spec.keepPrevious", "must be a duration such as"},
	)
}

func TestInstallExposure(t *testing.T) {
	const one = "exactly one of the fields in [ingress gateway none] must be set"
	creations(t, install,
		attempt{"ingress", "spec: {exposure: {ingress: {className: traefik, tlsSecretName: tls}}}", "", ""},
		attempt{"gateway", "spec: {exposure: {gateway: {parentRef: {namespace: web, name: public}}}}", "", ""},
		attempt{"none", "spec: {exposure: {none: {}}}", "", ""},
		attempt{"not said", "spec: {exposure: {}}", "spec.exposure", one},
		attempt{"two", "spec: {exposure: {none: {}, ingress: {}}}", "spec.exposure", one},
		attempt{"gateway without a parent", "spec: {exposure: {gateway: {}}}", "spec.exposure.gateway.parentRef", "Required value"},
	)
}

func TestInstallUpdatesBackupsNotifications(t *testing.T) {
	const either = "set either scheduleRef or the counts daily, weekly, monthly"
	creations(t, install,
		attempt{"policy", "spec: {updates: {policy: Minor, backup: true}}", "", ""},
		attempt{"unknown policy", "spec: {updates: {policy: Major}}", "spec.updates.policy", "Unsupported value"},
		attempt{"schedule", "spec: {backups: {scheduleRef: {name: nightly}, locationRef: {name: s3}}}", "", ""},
		attempt{"counts", "spec: {backups: {daily: 7, weekly: 4, monthly: 6}}", "", ""},
		attempt{"schedule and a count", "spec: {backups: {scheduleRef: {name: nightly}, monthly: 6}}", "spec.backups", either},
		attempt{"367 daily backups", "spec: {backups: {daily: 367}}", "spec.backups.daily", "less than or equal to 366"},
		attempt{"events", "spec: {notifications: {events: [install, update_error]}}", "", ""},
		attempt{"no events", "spec: {notifications: {events: []}}", "", ""},
		attempt{"unknown event", "spec: {notifications: {events: [birthday]}}", "spec.notifications.events[0]", "Unsupported value"},
		attempt{"an event twice", "spec: {notifications: {events: [install, install]}}", "spec.notifications.events[1]", "Duplicate value"},
		attempt{"to nobody", "spec: {notifications: {to: nobody}}", "spec.notifications.to", "should match"},
	)
}

func TestInstallBootstrap(t *testing.T) {
	const (
		one    = "exactly one of the fields in [release import backup clone orphan] must be set"
		source = "exactly one of the fields in [ftp sftp ssh application] must be set"
	)
	importing := func(source string) string {
		return `spec: {bootstrap: {import: {url: "http://old.localtest/", source: {` + source + `}}}}`
	}
	creations(t, install,
		attempt{"release", "spec: {bootstrap: {release: {}}}", "", ""},
		attempt{"clone", "spec: {bootstrap: {clone: {sourceRef: {name: shop}}}}", "", ""},
		attempt{"orphan", "spec: {bootstrap: {orphan: {}}}", "", ""},
		attempt{"none", "spec: {bootstrap: {}}", "spec.bootstrap", one},
		attempt{"two", "spec: {bootstrap: {release: {}, clone: {sourceRef: {name: shop}}}}", "spec.bootstrap", one},
		attempt{"backup", "spec: {bootstrap: {backup: {backupRef: {name: b}}}}", "", ""},
		attempt{"backup or fail", "spec: {bootstrap: {backup: {backupRef: {name: b}, otherwise: Fail}}}", "", ""},
		attempt{"latest or release", "spec: {bootstrap: {backup: {latest: {locationRef: {name: s3}, install: x}, otherwise: Release}}}", "", ""},
		attempt{"backup or release", "spec: {bootstrap: {backup: {backupRef: {name: b}, otherwise: Release}}}", "spec.bootstrap.backup", "goes with latest, not with backupRef"},
		attempt{"backup and latest", "spec: {bootstrap: {backup: {backupRef: {name: b}, latest: {locationRef: {name: s3}, install: x}}}}", "spec.bootstrap.backup", "exactly one of the fields in [backupRef latest] must be set"},
		attempt{"otherwise what", "spec: {bootstrap: {backup: {latest: {locationRef: {name: s3}, install: x}, otherwise: Hope}}}", "spec.bootstrap.backup.otherwise", "Unsupported value"},
		attempt{"import over ssh", importing("ssh: {host: a, credentialsSecretRef: {name: x}}"), "", ""},
		attempt{"import over ftp", importing("ftp: {host: a, tls: None, credentialsSecretRef: {name: x}}"), "", ""},
		attempt{"import over ftp with odd TLS", importing("ftp: {host: a, tls: Maybe, credentialsSecretRef: {name: x}}"), "spec.bootstrap.import.source.ftp.tls", "Unsupported value"},
		attempt{"import from nowhere", importing(""), "spec.bootstrap.import.source", source},
		attempt{"import from two", importing("sftp: {host: a, credentialsSecretRef: {name: x}}, ssh: {host: a, credentialsSecretRef: {name: x}}"), "spec.bootstrap.import.source", source},
		attempt{"import by a name for an address", `spec: {bootstrap: {import: {url: "http://a/", address: b, source: {application: {credentialsSecretRef: {name: x}}}}}}`, "spec.bootstrap.import.address", "must be an IP address"},
	)
}
