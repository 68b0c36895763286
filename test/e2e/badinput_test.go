package e2e

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

var (
	stalled  = []string{api.ReasonInvalidSpec, api.ReasonFailed}
	retrying = []string{api.ReasonRetrying, api.ReasonDependencyNotReady}
)

// TestBadInput gives the operator what it cannot do: each is a clear error that names the object, the field and the remedy.
func TestBadInput(t *testing.T) {
	k := newCluster(t, "e2e-bad")
	k.locations()
	t.Run("refused by the schema", func(t *testing.T) { k.t = t; k.refused() })
	k.t = t
	k.variant("e2e-checksum", func(r *api.Release) { r.Source.SHA256 = strings.Repeat("0", 64) })
	newest := ""
	k.variant("e2e-php", func(r *api.Release) { newest, r.Requirements.PHP = r.Version, "9.1-" })
	install := func(name, spec string) {
		k.apply("{apiVersion: sitewright.dev/v1alpha1, kind: Install, metadata: {name: " + name + "}, spec: {" + spec + "}}")
	}
	// All of them at once: each waits for something of its own.
	install("unknown-application", "application: frontpage97, url: 'http://bad1.localtest/'")
	install("unknown-version", "application: wordpress, version: '99.1', url: 'http://bad2.localtest/'")
	install("old-php", "application: e2e-php, version: '"+newest+"', url: 'http://bad3.localtest/'")
	install("checksum", "application: e2e-checksum, url: 'http://bad4.localtest/'")
	install("disk-full", "application: wordpress, url: 'http://bad5.localtest/', storage: {size: 32Mi, storageClassName: limited}")
	k.apply("{apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {password: not-the-password, access-key: nobodys-key, secret-key: nobodys-secret}}")
	install("wrong-login", "application: wordpress, url: 'http://bad6.localtest/', database: {existing: {host: "+k.databaseHost()+
		", name: nothing, user: nobody, passwordSecretRef: {name: login, key: password}}}")
	install("first", "application: wordpress, url: 'http://taken.localtest/x/'")
	k.complains(&api.Install{}, "first", []string{api.ReasonProgressing, api.ReasonDependencyNotReady, api.ReasonRetrying})
	time.Sleep(time.Second) // an object's age is told in whole seconds, and the older one gets the URL
	install("second", "application: wordpress, url: 'https://taken.localtest/x'")
	k.badLocations()
	k.apply("{apiVersion: sitewright.dev/v1alpha1, kind: Backup, metadata: {name: of-nothing}, spec: {installRef: {name: nowhere}, locationRef: {name: s3}}}")
	k.apply("{apiVersion: sitewright.dev/v1alpha1, kind: Restore, metadata: {name: of-nothing}, spec: {backupRef: {name: of-nothing}}}")
	k.apply("{apiVersion: sitewright.dev/v1alpha1, kind: Restore, metadata: {name: of-no-backup}, spec: {backupRef: {name: nowhere}}}")

	for _, c := range []struct {
		object  client.Object
		name    string
		reasons []string
		texts   []string
	}{
		{&api.Install{}, "unknown-application", stalled, []string{"spec.application", "frontpage97", "catalogue"}},
		{&api.Install{}, "unknown-version", stalled, []string{"spec.version", "99.1", "6.8"}},
		{&api.Install{}, "old-php", stalled, []string{"needs PHP 9.1-", "php-8.2", "spec.runtime.name"}},
		{&api.Install{}, "checksum", stalled, []string{"SHA-256", strings.Repeat("0", 64)}},
		{&api.Install{}, "disk-full", stalled, []string{"storage"}},
		{&api.Install{}, "wrong-login", retrying, []string{"nobody", "login", "spec.database.existing"}},
		{&api.Install{}, "second", stalled, []string{"spec.url", "taken", "first"}},
		{&api.BackupLocation{}, "wrong-keys", retrying, []string{"wrong-keys", "s3.storage.svc"}},
		{&api.BackupLocation{}, "missing-bucket", retrying, []string{"no-such-bucket"}},
		{&api.BackupLocation{}, "wrong-password", retrying, []string{"password"}},
		{&api.Backup{}, "of-nothing", stalled, []string{"spec.installRef", "nowhere"}},
		{&api.Restore{}, "of-nothing", stalled, []string{"spec.backupRef", "of-nothing"}},
		{&api.Restore{}, "of-no-backup", stalled, []string{"spec.backupRef", "nowhere"}},
	} {
		t.Run(strings.TrimPrefix(strings.ToLower(strings.Split(c.name, " ")[0]), "e2e-"), func(t *testing.T) {
			k.t = t
			k.complains(c.object, c.name, c.reasons, c.texts...)
		})
		k.t = t
	}
	k.ready(&api.Install{}, "first")
	t.Run("taken in another namespace", func(t *testing.T) { takenElsewhere(t) })
	t.Run("no secret is shown", func(t *testing.T) { k.t = t; k.noSecretShown() })
	k.t = t
}

// refused holds what the API server must refuse when it is applied, with the field in its message.
func (k *cluster) refused() {
	for _, c := range []struct{ spec, field, text string }{
		{"application: wordpress, url: 'http:///blog'", "spec.url", "host"},
		{"application: wordpress, url: 'http://user:secret@bad.localtest/'", "spec.url", "credentials"},
		{"application: wordpress, url: bad.localtest", "spec.url", "absolute"},
		{"application: wordpress, url: 'ftp://bad.localtest/'", "spec.url", "http"},
		{"application: wordpress, url: 'http://bad.localtest/', bootstrap: {release: {}, clone: {sourceRef: {name: a}}}", "spec.bootstrap", "release"},
	} {
		out, err := k.kubectl("{apiVersion: sitewright.dev/v1alpha1, kind: Install, metadata: {name: refused}, spec: {"+c.spec+"}}", "apply", "-f", "-")
		if err == nil || !strings.Contains(out, c.field) || !strings.Contains(out, c.text) {
			k.t.Errorf("%s: accepted, or without %q and %q: %s", c.spec, c.field, c.text, out)
		}
	}
}

// variant puts an Application into the catalogue that is another one with its newest release changed.
func (k *cluster) variant(name string, change func(*api.Release)) {
	k.t.Helper()
	var app api.Application
	if err := k.Get(k.t.Context(), client.ObjectKey{Name: "wordpress"}, &app); err != nil {
		k.t.Fatal(err)
	}
	release := app.Spec.Releases[len(app.Spec.Releases)-1]
	change(&release)
	made := &api.Application{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: app.Spec}
	made.Spec.Releases = []api.Release{release}
	if err := k.Create(k.t.Context(), made); err != nil && !apierrors.IsAlreadyExists(err) {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { k.mustKubectl("", "delete", "application", name, "--ignore-not-found") })
}

// databaseHost is where the bundled server is.
func (k *cluster) databaseHost() string {
	k.t.Helper()
	var server api.DatabaseServer
	if err := k.Get(k.t.Context(), client.ObjectKey{Name: "main"}, &server); err != nil {
		k.t.Fatal(err)
	}
	return server.Spec.Host
}

// badLocations makes locations that cannot be opened: wrong keys, no bucket, and another password than the repository's.
func (k *cluster) badLocations() {
	var good api.BackupLocation
	k.ready(&good, "s3")
	location := func(name, bucket, prefix, keys, more string) {
		k.apply("{apiVersion: sitewright.dev/v1alpha1, kind: BackupLocation, metadata: {name: " + name + "}, spec: {s3: {endpoint: 'http://s3.storage.svc:7070', region: us-east-1, bucket: " +
			bucket + ", prefix: '" + prefix + "', credentialsSecretRef: {name: " + keys + "}}" + more + "}}")
	}
	location("wrong-keys", "backups", "wrong-keys/", "login", "")
	location("missing-bucket", "no-such-bucket", "a/", "s3-keys", "")
	location("wrong-password", "backups", good.Spec.S3.Prefix, "s3-keys", ", encryption: {passwordSecretRef: {name: login, key: password}}")
}

// takenElsewhere wants a URL that an Install of another namespace has: the message does not say whose it is.
func takenElsewhere(t *testing.T) {
	k := newCluster(t, "e2e-other")
	k.apply("{apiVersion: sitewright.dev/v1alpha1, kind: Install, metadata: {name: squatter}, spec: {application: wordpress, url: 'http://taken.localtest/x'}}")
	k.complains(&api.Install{}, "squatter", stalled, "spec.url", "taken", "another namespace")
	var in api.Install
	k.read(&in, "squatter")
	for _, c := range in.Status.Conditions {
		if strings.Contains(c.Message, "e2e-bad") || strings.Contains(c.Message, "first") {
			t.Errorf("the message tells of another tenant's object: %s", c.Message)
		}
	}
}

// noSecretShown looks for passwords in everything that a reader of the namespace sees beside Secrets.
func (k *cluster) noSecretShown() {
	_, password := k.credentials("first")
	out := k.mustKubectl("", "get", "installs,jobs,pods,deployments,events,backuplocations", "-o", "yaml")
	for _, secret := range []string{password, "not-the-password", "nobodys-secret"} {
		if strings.Contains(out, secret) {
			k.t.Errorf("a secret is shown in an object's manifest, status or events")
		}
	}
}
