// Package bundle applies the objects that a release of the operator brings along: the catalogue, and the DatabaseServer of the
// bundled MariaDB. They cannot be part of the release's own manifest, because their kinds are.
package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FieldOwner is who the applied fields belong to.
const FieldOwner = client.FieldOwner("sitewright-bundle")

// Read returns the objects in the YAML files of a folder, in the order of the files' names.
func Read(folder string) ([]*unstructured.Unstructured, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", folder, err)
	}
	slices.Sort(paths)
	var objects []*unstructured.Unstructured
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read an object: %w", err)
		}
		found, err := decode(content)
		if err != nil {
			return nil, fmt.Errorf("read the objects of %s: %w", path, err)
		}
		objects = append(objects, found...)
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("folder %s holds no objects in .yaml files", folder)
	}
	return objects, nil
}

func decode(content []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case len(object.Object) == 0: // nothing but comments
			continue
		case object.GetKind() == "" || object.GetName() == "":
			return nil, errors.New("an object has no kind or no metadata.name")
		}
		objects = append(objects, object)
	}
}

// Apply brings the objects into the cluster by server-side apply. A kind that the API server does not serve yet is waited
// for, at most patience: it takes a moment from a definition's creation until its objects can be made. Each object is
// tried, whatever became of the others.
func Apply(ctx context.Context, c client.Client, objects []*unstructured.Unstructured, patience time.Duration) error {
	var failures []error
	for _, object := range objects {
		if err := applyOne(ctx, c, object, patience); err != nil {
			failures = append(failures, fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err))
		}
	}
	return errors.Join(failures...)
}

func applyOne(ctx context.Context, c client.Client, object *unstructured.Unstructured, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object.DeepCopy()), FieldOwner, client.ForceOwnership)
		if !meta.IsNoMatchError(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
