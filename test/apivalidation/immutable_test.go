package apivalidation

import "testing"

const (
	taskSpec     = "the spec of a task cannot be changed; make another one"
	bootstrapped = "bootstrap cannot be changed"
)

func TestInstallChanges(t *testing.T) {
	updates(t, install,
		attempt{"nothing", "{}", "", ""},
		attempt{"version, URL, title, storage size", `spec: {version: "6.8.12", url: "http://elsewhere.localtest/", title: x, storage: {size: 4Gi}}`, "", ""},
		attempt{"application", "spec: {application: joomla}", "spec.application", "application cannot be changed; make another Install"},
		attempt{"bootstrap appears", "spec: {bootstrap: {release: {}}}", "spec", bootstrapped},
		attempt{"storage class appears", "spec: {storage: {storageClassName: fast}}", "spec.storage", "storageClassName cannot be added or removed"},
		attempt{"database appears", "spec: {database: {}}", "spec", "database cannot be added or removed"},
	)
	updates(t, `
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: full, namespace: acme}
spec:
  application: wordpress
  url: http://full.localtest/
  bootstrap: {clone: {sourceRef: {name: blog}}}
  storage: {storageClassName: standard}
  database: {serverRef: {name: main}, prefix: ac_}
`,
		attempt{"bootstrap changes", "spec: {bootstrap: {clone: {sourceRef: {name: shop}}}}", "spec", bootstrapped},
		attempt{"bootstrap goes", "spec: {bootstrap: null}", "spec", bootstrapped},
		attempt{"storage class changes", "spec: {storage: {storageClassName: fast}}", "spec.storage.storageClassName", "storageClassName cannot be changed"},
		attempt{"storage class goes", "spec: {storage: {storageClassName: null}}", "spec.storage", "storageClassName cannot be added or removed"},
		attempt{"database goes", "spec: {database: null}", "spec", "database cannot be added or removed"},
		attempt{"server changes", "spec: {database: {serverRef: {name: other}}}", "spec.database", "serverRef cannot be changed"},
		attempt{"server goes", "spec: {database: {serverRef: null}}", "spec.database", "serverRef cannot be changed"},
		attempt{"prefix changes", "spec: {database: {prefix: xx_}}", "spec.database", "prefix cannot be changed"},
		attempt{"prefix goes", "spec: {database: {prefix: null}}", "spec.database", "prefix cannot be changed"},
	)
	updates(t, `
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: existing, namespace: acme}
spec:
  application: wordpress
  url: http://existing.localtest/
  database: {existing: {host: a, name: shop, user: shop, passwordSecretRef: {name: x, key: k}}}
`,
		attempt{"its host and user change", "spec: {database: {existing: {host: b, user: other}}}", "", ""},
		attempt{"its name changes", "spec: {database: {existing: {name: other}}}", "spec.database", "existing cannot be added, removed or renamed"},
		attempt{"it goes", "spec: {database: {existing: null}}", "spec.database", "existing cannot be added, removed or renamed"},
	)
}

func TestTaskChanges(t *testing.T) {
	const backupSpec = "the spec of a task cannot be changed, but for deletionPolicy; make another one"
	updates(t, backup,
		attempt{"deletionPolicy", "spec: {deletionPolicy: Orphan}", "", ""},
		attempt{"note", "spec: {note: x}", "spec", backupSpec},
		attempt{"installRef", "spec: {installRef: {name: other}}", "spec", backupSpec},
		attempt{"archive instead", "spec: {installRef: null, archive: {path: x}}", "spec", backupSpec},
		attempt{"snapshot instead", "spec: {installRef: null, snapshot: {id: 0123456789abcdef}}", "spec", backupSpec},
		attempt{"locationRef", "spec: {locationRef: {name: other}}", "spec", backupSpec},
		attempt{"ttl", "spec: {ttl: 77h}", "spec", backupSpec},
		attempt{"consistency", "spec: {consistency: Quiesced}", "spec", backupSpec},
	)
	for name, test := range map[string]struct{ manifest, change string }{
		"Restore": {restore, "spec: {backupRef: {name: other}}"},
		"Clone":   {clone, `spec: {to: {url: "http://other.localtest/"}}`},
		"Upgrade": {upgrade, "spec: {backup: true}"},
	} {
		t.Run(name, func(t *testing.T) {
			updates(t, test.manifest,
				attempt{"labels", "metadata: {labels: {a: b}}", "", ""},
				attempt{"spec", test.change, "spec", taskSpec},
			)
		})
	}
}

func TestLocationChanges(t *testing.T) {
	const turned = "a location cannot change between a volume and something else"
	updates(t, s3,
		attempt{"bucket, region, default", "spec: {default: true, s3: {bucket: other, region: eu-1}}", "", ""},
		attempt{"becomes sftp", "spec: {s3: null, sftp: {host: a, credentialsSecretRef: {name: x}}}", "", ""},
		attempt{"becomes a volume", "spec: {s3: null, volume: {size: 1Gi}}", "spec", turned},
	)
	updates(t, location,
		attempt{"grows", "spec: {volume: {size: 20Gi}}", "", ""},
		attempt{"storage class appears", "spec: {volume: {storageClassName: fast}}", "spec.volume", "storageClassName cannot be added or removed"},
		attempt{"becomes S3", `spec: {volume: null, s3: {endpoint: "http://a", bucket: abc, credentialsSecretRef: {name: x}}}`, "spec", turned},
	)
}
