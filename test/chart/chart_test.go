// Package chart tests what the Helm chart makes of its values.
package chart

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/bundle"
)

const folder = "../../charts/sitewright"

// helm runs a command that must succeed, and returns what it said.
func helm(t *testing.T, args ...string) string {
	t.Helper()
	said, err := tryHelm(t, args...)
	if err != nil {
		t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return said
}

// tryHelm runs the program that hack/cluster builds, and returns what it said: complaints only where it failed.
func tryHelm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	tools := os.Getenv("SITEWRIGHT_TOOLS")
	if tools == "" {
		tools = filepath.Join("..", "..", ".cluster", "bin")
	}
	program := filepath.Join(tools, "helm")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("this test runs helm: make it with `go run ./hack/cluster tools` and set SITEWRIGHT_TOOLS to the folder that it prints: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var said, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	if err := cmd.Run(); err != nil {
		return said.String() + complaint.String(), err
	}
	return said.String(), nil
}

// objects renders the chart and decodes each object as strictly as the API server would: a field that its kind does not
// have is an error.
func objects(t *testing.T, values ...string) []runtime.Object {
	t.Helper()
	args := []string{"template", "sitewright", folder, "--namespace", "sitewright-system"}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	return decode(t, helm(t, args...))
}

func decode(t *testing.T, manifest string) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), apiextensions.AddToScheme(scheme), api.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	reader := kyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
	var decoded []runtime.Object
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return decoded
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(document), "kind:") { // comments only
			continue
		}
		o, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		decoded = append(decoded, o)
	}
}

// of returns the objects of one type.
func of[T runtime.Object](all []runtime.Object) []T {
	var found []T
	for _, o := range all {
		if o, ok := o.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// pods returns every pod that the objects would make, by the object's name.
func pods(all []runtime.Object) map[string]corev1.PodSpec {
	found := map[string]corev1.PodSpec{}
	for _, o := range of[*appsv1.Deployment](all) {
		found[o.Name] = o.Spec.Template.Spec
	}
	for _, o := range of[*appsv1.StatefulSet](all) {
		found[o.Name] = o.Spec.Template.Spec
	}
	for _, o := range of[*batchv1.Job](all) {
		found[o.Name] = o.Spec.Template.Spec
	}
	return found
}

func TestLint(t *testing.T) {
	helm(t, "lint", "--strict", folder)
	helm(t, "lint", "--strict", folder, "--values", "../../hack/cluster/values.yaml")
}

func TestCRDs(t *testing.T) {
	rendered := map[string]*apiextensions.CustomResourceDefinition{}
	for _, crd := range of[*apiextensions.CustomResourceDefinition](objects(t)) {
		rendered[crd.Name] = crd
		if crd.Annotations["helm.sh/resource-policy"] != "keep" {
			t.Errorf("uninstalling would remove %s, and every object of its kind", crd.Name)
		}
	}
	if n := len(of[*apiextensions.CustomResourceDefinition](objects(t, "crds.install=false"))); n != 0 {
		t.Errorf("%d definitions with crds.install=false", n)
	}
	paths, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(paths) != 9 {
		t.Fatalf("found %d definitions, not 9: %v", len(paths), err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := of[*apiextensions.CustomResourceDefinition](decode(t, string(content)))[0]
		got := rendered[want.Name]
		if got == nil {
			t.Errorf("the chart has no %s", want.Name)
		} else if !equal(t, got.Spec, want.Spec) {
			t.Errorf("the chart's %s is not the one in config/crd: run make generate", want.Name)
		}
	}
}

func TestRoles(t *testing.T) {
	all := objects(t, "compat.enabled=true", "compat.impersonate.users={alice}", "compat.impersonate.groups={staff}")
	rules := map[string][]rbacv1.PolicyRule{}
	for _, role := range of[*rbacv1.ClusterRole](all) {
		rules[role.Name] = role.Rules
	}
	for _, role := range of[*rbacv1.Role](all) {
		rules[role.Name] = role.Rules
	}
	for _, name := range []string{"sitewright-manager", "sitewright-objects", "sitewright-leader-election", "sitewright-compat", "sitewright-tenant", "sitewright-administrator"} {
		if len(rules[name]) == 0 {
			t.Errorf("role %s allows nothing", name)
		}
	}
	for name, rules := range rules {
		for _, rule := range rules {
			for _, s := range slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs) {
				if strings.Contains(s, "*") {
					t.Errorf("role %s has a wildcard: %v", name, rule)
				}
			}
			if slices.Contains(rule.Resources, "secrets") && (slices.Contains(rule.Verbs, "list") || slices.Contains(rule.Verbs, "watch")) {
				t.Errorf("role %s may read Secrets that it cannot name: %v", name, rule)
			}
			if slices.Contains(rule.Verbs, "impersonate") && len(rule.ResourceNames) == 0 {
				t.Errorf("role %s may be anyone: %v", name, rule)
			}
		}
	}
	content, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := of[*rbacv1.ClusterRole](decode(t, string(content)))[0]
	if !equal(t, rules["sitewright-manager"], want.Rules) {
		t.Error("the manager's rules are not those in config/rbac: run make generate")
	}
}

// bundled returns the objects that the chart's Job applies, as it would read them.
func bundled(t *testing.T, all []runtime.Object) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for _, o := range of[*corev1.ConfigMap](all) {
		for name, content := range o.Data {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	read, err := bundle.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, o := range read {
		text, err := o.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		found[o.GetKind()+"/"+o.GetName()] = string(text)
	}
	return found
}
