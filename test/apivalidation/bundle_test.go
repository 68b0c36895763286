package apivalidation

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/internal/bundle"
)

// What a release brings along is applied again at each upgrade, over what others wrote, and one object that cannot be
// does not keep the others away.
func TestBundle(t *testing.T) {
	good := object(t, strings.Replace(databaseServer, "name: main", "name: bundled", 1))
	t.Cleanup(func() {
		if err := server.Delete(context.Background(), good.DeepCopy()); err != nil {
			t.Error(err)
		}
	})
	unknown := object(t, "{apiVersion: sitewright.dev/v1alpha1, kind: Nothing, metadata: {name: x}}")
	wrong := object(t, strings.Replace(databaseServer, "mariadb.databases.svc", "'a b'", 1))
	err := bundle.Apply(t.Context(), server, []*unstructured.Unstructured{unknown, wrong, good}, time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "apply Nothing x") || !strings.Contains(err.Error(), "must be a DNS name or an IP address") {
		t.Errorf("got %v", err)
	}

	there := good.DeepCopy()
	read := func() {
		t.Helper()
		if err := server.Get(t.Context(), client.ObjectKeyFromObject(good), there); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if err := server.Update(t.Context(), patched(t, there, "spec: {host: elsewhere}"), client.FieldOwner("kubectl")); err != nil {
		t.Fatal(err)
	}
	if err := bundle.Apply(t.Context(), server, []*unstructured.Unstructured{good}, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	read()
	expect(t, there, "mariadb.databases.svc", "spec", "host")
}
