// Package apivalidation tests the schemas against a real API server: every rule, accepted and refused, with the field
// and the sentence that a user sees.
package apivalidation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sitewright/sitewright/test/apiserver"
)

const namespace = "acme"

var server client.Client

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "apivalidation:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	started, err := apiserver.Start(filepath.Join("..", ".."))
	if err != nil {
		return 0, err
	}
	lenient, err := client.New(started.Config, client.Options{Scheme: started.Scheme})
	if err != nil {
		return 0, err
	}
	server = client.WithFieldValidation(lenient, metav1.FieldValidationStrict) // as kubectl does
	ns := &corev1.Namespace{}
	ns.Name = namespace
	if err := server.Create(context.Background(), ns); err != nil {
		return 0, err
	}
	code := m.Run()
	return code, started.Stop()
}

// attempt is something done to an object: a JSON merge patch in YAML, which is laid over it.
type attempt struct {
	name  string
	patch string
	// field and message are of the refusal that is expected; none means that it is accepted.
	field, message string
}

// object reads a manifest.
func object(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(manifest), &o.Object); err != nil {
		t.Fatalf("read the manifest: %v\n%s", err, manifest)
	}
	return o
}

// patched lays a merge patch over a copy of an object.
func patched(t *testing.T, o *unstructured.Unstructured, patch string) *unstructured.Unstructured {
	t.Helper()
	var over map[string]any
	if err := yaml.UnmarshalStrict([]byte(patch), &over); err != nil {
		t.Fatalf("read the patch: %v\n%s", err, patch)
	}
	result := o.DeepCopy()
	merge(result.Object, over)
	return result
}

// merge is RFC 7386: null removes, objects merge, all else replaces.
func merge(into, over map[string]any) {
	for key, value := range over {
		inner, isObject := value.(map[string]any)
		there, wasObject := into[key].(map[string]any)
		switch {
		case value == nil:
			delete(into, key)
		case isObject && wasObject:
			merge(there, inner)
		case isObject:
			made := map[string]any{}
			merge(made, inner)
			into[key] = made
		default:
			into[key] = value
		}
	}
}

// creations tries to create the manifest with each patch laid over it, without keeping anything.
func creations(t *testing.T, manifest string, attempts ...attempt) {
	t.Helper()
	base := object(t, manifest)
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			judge(t, a, server.Create(t.Context(), patched(t, base, a.patch), client.DryRunAll))
		})
	}
}

// updates creates the manifest, then tries to change it by each patch, without keeping the change.
func updates(t *testing.T, manifest string, attempts ...attempt) {
	t.Helper()
	o := object(t, manifest)
	if err := server.Create(t.Context(), o); err != nil {
		t.Fatalf("create the object to change: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Delete(context.Background(), o); err != nil {
			t.Errorf("delete what the test made: %v", err)
		}
	})
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			judge(t, a, server.Update(t.Context(), patched(t, o, a.patch), client.DryRunAll))
		})
	}
}

// judge compares what the API server said with what it should have.
func judge(t *testing.T, a attempt, err error) {
	t.Helper()
	if a.field == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("accepted; it should be refused for %s: %s", a.field, a.message)
	}
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Details == nil {
		t.Fatalf("refused without details: %v", err)
	}
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Field == a.field && strings.Contains(cause.Message, a.message) {
			return
		}
	}
	t.Errorf("refused, but not for %s: %s\n%v", a.field, a.message, err)
}

// repeat is a string of n letters.
func repeat(n int) string { return strings.Repeat("a", n) }

// keys returns n different entries of a YAML object.
func keys(n int) string {
	entries := make([]string, n)
	for i := range entries {
		entries[i] = fmt.Sprintf("k%d: x", i)
	}
	return strings.Join(entries, ", ")
}
