package apivalidation

// The smallest good manifest of each kind, which the tests lay patches over.
const (
	install = `
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog, namespace: acme}
spec: {application: wordpress, url: "http://blog.localtest/"}`

	backup = `
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: blog-1, namespace: acme}
spec: {installRef: {name: blog}}`

	restore = `
apiVersion: sitewright.dev/v1alpha1
kind: Restore
metadata: {name: blog-undo, namespace: acme}
spec: {backupRef: {name: blog-1}}`

	clone = `
apiVersion: sitewright.dev/v1alpha1
kind: Clone
metadata: {name: blog-staging, namespace: acme}
spec: {sourceRef: {name: blog}, to: {name: blog-staging, url: "http://staging.localtest/"}}`

	upgrade = `
apiVersion: sitewright.dev/v1alpha1
kind: Upgrade
metadata: {name: blog-6-8, namespace: acme}
spec: {installRef: {name: blog}}`

	location = `
apiVersion: sitewright.dev/v1alpha1
kind: BackupLocation
metadata: {name: local, namespace: acme}
spec: {volume: {size: 10Gi}}`

	s3 = `
apiVersion: sitewright.dev/v1alpha1
kind: BackupLocation
metadata: {name: s3, namespace: acme}
spec: {s3: {endpoint: "http://s3.storage.svc:7070", bucket: backups, credentialsSecretRef: {name: s3-keys}}}`

	schedule = `
apiVersion: sitewright.dev/v1alpha1
kind: BackupSchedule
metadata: {name: nightly, namespace: acme}
spec: {at: "02:30", keep: {daily: 7}}`

	databaseServer = `
apiVersion: sitewright.dev/v1alpha1
kind: DatabaseServer
metadata: {name: main}
spec: {host: mariadb.databases.svc, adminSecretRef: {namespace: databases, name: mariadb-admin}}`

	application = `
apiVersion: sitewright.dev/v1alpha1
kind: Application
metadata: {name: wordpress}
spec:
  displayName: WordPress
  releases:
    - version: "6.8.7"
      source: {url: "https://example.com/a.tar.gz", sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}
  recipe: {}`
)

var all = map[string]string{
	"Install": install, "Backup": backup, "Restore": restore, "Clone": clone, "Upgrade": upgrade, "BackupLocation": location,
	"BackupSchedule": schedule, "DatabaseServer": databaseServer, "Application": application,
}
