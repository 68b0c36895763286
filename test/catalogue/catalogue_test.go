// Package catalogue tests the catalogue: that its entries are well formed, and that the recipes of those that say
// "verified" do what they should, with real releases, a real PHP and a real MariaDB.
package catalogue

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/recipe"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }

const applications = "../../config/applications"

func readStrict(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// testReleases are the releases of an application that the local mirror serves.
func testReleases(t *testing.T, name string) []v1alpha1.Release {
	t.Helper()
	var patch []struct {
		Op    string             `json:"op"`
		Path  string             `json:"path"`
		Value []v1alpha1.Release `json:"value"`
	}
	readStrict(t, name+".yaml", &patch)
	if len(patch) != 1 || patch[0].Op != "replace" || patch[0].Path != "/spec/releases" {
		t.Fatalf("%s.yaml does more than replace the releases", name)
	}
	return patch[0].Value
}

func TestEntries(t *testing.T) {
	paths, err := filepath.Glob(applications + "/*.yaml")
	if err != nil || len(paths) < 2 {
		t.Fatalf("the catalogue has %d files: %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		if name == "kustomization" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var app v1alpha1.Application
			readStrict(t, path, &app)
			if app.Name != name {
				t.Errorf("the file is called %s and the Application %s", name, app.Name)
			}
			var fields []string
			for _, f := range app.Spec.Fields {
				fields = append(fields, f.Name)
			}
			if err := recipe.Validate(&app.Spec.Recipe, fields); err != nil {
				t.Error(err)
			}
			for _, r := range app.Spec.Releases {
				if !strings.HasPrefix(string(r.Source.URL), "https://") || !strings.Contains(string(r.Source.URL), r.Version) {
					t.Errorf("release %s is at %s", r.Version, r.Source.URL)
				}
			}
		})
	}
}

// Two files pin the archives' checksums: one for who makes them, one for who downloads them.
func TestTestReleasesAreThoseOfTheMirror(t *testing.T) {
	content, err := os.ReadFile("../../hack/releases/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]string{}
	for line := range strings.Lines(string(content)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		pinned["http://releases.mirror.svc/"+name] = sum
	}
	for _, r := range testReleases(t, "wordpress") {
		if pinned[string(r.Source.URL)] != r.Source.SHA256 {
			t.Errorf("release %s: the mirror has %q at %s, the catalogue says %s", r.Version, pinned[string(r.Source.URL)], r.Source.URL, r.Source.SHA256)
		}
		delete(pinned, string(r.Source.URL))
	}
	for url := range pinned {
		t.Errorf("%s is not in the catalogue", url)
	}
}
