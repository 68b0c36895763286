package apivalidation

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The samples are the contract: they apply as they stand.
func TestSamplesApply(t *testing.T) {
	kinds := map[string]bool{}
	for _, o := range objects(t, "../../config/samples/*.yaml") {
		kinds[o.GetKind()] = true
		t.Run(o.GetKind()+" "+o.GetName(), func(t *testing.T) { apply(t, o) })
	}
	for kind := range all {
		if !kinds[kind] && kind != "Application" { // the catalogue is the sample of that
			t.Errorf("no sample of a %s", kind)
		}
	}
}

func TestCatalogueApplies(t *testing.T) {
	for _, o := range objects(t, "../../config/applications/*.yaml") {
		t.Run(o.GetName(), func(t *testing.T) { apply(t, o) })
	}
}

func apply(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	err := server.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("kubectl"), client.DryRunAll)
	if err != nil {
		t.Error(err)
	}
}

// objects reads every object of some YAML files, of which there must be one.
func objects(t *testing.T, pattern string) []*unstructured.Unstructured {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var found []*unstructured.Unstructured
	for _, path := range paths {
		if filepath.Base(path) == "kustomization.yaml" {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
		for {
			o := &unstructured.Unstructured{}
			if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if len(o.Object) > 0 {
				found = append(found, o)
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no object in %s", pattern)
	}
	return found
}
