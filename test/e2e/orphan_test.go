package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// TestOrphan deletes an Install in the foreground, as Argo CD does, whose site is to stay, and has another one adopt it.
func TestOrphan(t *testing.T) {
	k := newCluster(t, "e2e-orphan")
	k.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, version: 6.8.7, url: "http://orphan.localtest/", deletionPolicy: Orphan}
`)
	blog := k.open("blog", "http://orphan.localtest/")
	c := blog.fill("left")
	user, password := k.credentials("blog")
	var left api.Install
	k.ready(&left, "blog")
	k.mustKubectl("", "delete", "install", "blog", "--cascade=foreground", "--wait")
	for name, o := range map[string]client.Object{"blog": &corev1.PersistentVolumeClaim{}, "blog-admin": &corev1.Secret{}, "blog-database": &corev1.Secret{}} {
		if err := k.Get(t.Context(), client.ObjectKey{Namespace: k.namespace, Name: name}, o); err != nil || o.GetDeletionTimestamp() != nil {
			t.Fatalf("%s did not stay: %v", name, err)
		}
	}
	k.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, url: "http://orphan.localtest/", bootstrap: {orphan: {}}}
`)
	var in api.Install
	k.ready(&in, "blog")
	if in.Status.Version != "6.8.7" || in.Status.Database.Name != left.Status.Database.Name || in.Status.Generation != 1 {
		t.Errorf("what was adopted is not what was left: %+v", in.Status)
	}
	if u, p := k.credentials("blog"); u != user || p != password {
		t.Errorf("the login is another: %s", u)
	}
	blog = k.open("blog", "http://orphan.localtest/")
	blog.check(c, "left")
	// From here on it is a site like any other.
	k.mustKubectl("", "delete", "install", "blog", "--wait")
	if rest := k.databasesOf(string(left.UID)); rest != "" {
		t.Errorf("on the database server is left: %s", rest)
	}
}
