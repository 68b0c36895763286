package chart

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

func TestPodsAreRestricted(t *testing.T) {
	found := pods(objects(t, "compat.enabled=true"))
	if len(found) != 4 {
		t.Fatalf("found the pods of %d objects, not of manager, HTTP API, MariaDB and the Job: %v", len(found), found)
	}
	for name, pod := range found {
		s := pod.SecurityContext
		if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: the pod's security context is not restricted: %+v", name, s)
		}
		if pod.HostNetwork || pod.HostPID || pod.HostIPC {
			t.Errorf("%s shares a namespace with its host", name)
		}
		for _, volume := range pod.Volumes {
			if volume.HostPath != nil {
				t.Errorf("%s mounts a folder of its host", name)
			}
		}
		for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s: container %s is not restricted: %+v", name, c.Name, s)
			}
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: container %s says too little of what it needs: %+v", name, c.Name, c.Resources)
			}
		}
	}
}

func TestManager(t *testing.T) {
	args := pods(objects(t, "image.repository=example/op", "image.tag=v9", "exposure.default=none", "exposure.ingressClassName=traefik",
		"runtimes[0].name=php-8.2", "runtimes[0].image=example/php:8.2", "extraArgs={--verbose}"))["sitewright"].Containers[0].Args
	for _, want := range []string{"manager", "--leader-elect", "--operator-image=example/op:v9", "--runtime=php-8.2=example/php:8.2", "--exposure=none",
		"--ingress-class=traefik", "--metrics-bind-address=:8443", "--health-probe-bind-address=:8081", "--verbose"} {
		if !slices.Contains(args, want) {
			t.Errorf("the manager's arguments lack %s: %v", want, args)
		}
	}
	quiet := objects(t, "metrics.port=0")
	if args := pods(quiet)["sitewright"].Containers[0].Args; !slices.Contains(args, "--metrics-bind-address=0") {
		t.Errorf("metrics are served although they are off: %v", args)
	}
	for _, binding := range of[*rbacv1.ClusterRoleBinding](quiet) {
		if binding.RoleRef.Name == "system:auth-delegator" {
			t.Error("the manager may have callers checked although it serves none")
		}
	}
}

func TestMariaDB(t *testing.T) {
	all := objects(t)
	if n := len(of[*appsv1.StatefulSet](all)); n != 1 {
		t.Errorf("%d StatefulSets, not 1", n)
	}
	for _, c := range pods(all)["sitewright-mariadb"].Containers {
		for _, env := range c.Env {
			if env.ValueFrom != nil || strings.Contains(strings.ToLower(env.Name), "password") {
				t.Errorf("the password is in the environment: %v", env)
			}
		}
	}
	var server struct {
		Spec struct {
			Default        bool
			Host           string
			AdminSecretRef struct{ Namespace, Name string }
		}
	}
	if err := json.Unmarshal([]byte(bundled(t, all)["DatabaseServer/main"]), &server); err != nil {
		t.Fatal(err)
	}
	services, secrets := of[*corev1.Service](all), of[*corev1.Secret](all)
	if len(services) != 1 || len(secrets) != 1 {
		t.Fatalf("%d Services and %d Secrets, not 1 of each", len(services), len(secrets))
	}
	if want := services[0].Name + ".sitewright-system.svc"; !server.Spec.Default || server.Spec.Host != want {
		t.Errorf("the DatabaseServer is %+v, not the default one at %s", server.Spec, want)
	}
	if ref := server.Spec.AdminSecretRef; ref.Namespace != secrets[0].Namespace || ref.Name != secrets[0].Name || len(secrets[0].Data["password"]) != 32 {
		t.Errorf("the DatabaseServer's Secret is %v; there is %s/%s", ref, secrets[0].Namespace, secrets[0].Name)
	}
}

func TestMariaDBOff(t *testing.T) {
	all := objects(t, "mariadb.enabled=false", "catalogue.install=false")
	if len(of[*appsv1.StatefulSet](all))+len(of[*corev1.Secret](all))+len(of[*corev1.Service](all))+len(of[*corev1.ConfigMap](all))+len(of[*batchv1.Job](all)) > 0 {
		t.Error("something is left of MariaDB, or of the Job with nothing to apply")
	}
	for name := range bundled(t, objects(t, "mariadb.enabled=false")) {
		if strings.HasPrefix(name, "DatabaseServer/") {
			t.Errorf("%s without a server", name)
		}
	}
}

// Recipes hold templates of their own, which Helm must leave alone.
func TestCatalogue(t *testing.T) {
	found := bundled(t, objects(t))
	paths, err := filepath.Glob("../../config/applications/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range paths {
		if filepath.Base(path) == "kustomization.yaml" {
			continue
		}
		n++
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := yaml.Unmarshal(content, &want); err != nil {
			t.Fatal(err)
		}
		name := want.(map[string]any)["metadata"].(map[string]any)["name"].(string)
		if err := json.Unmarshal([]byte(found["Application/"+name]), &got); err != nil {
			t.Errorf("the chart's %s: %v", name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("the chart's %s is not the one in config/applications: run make generate", name)
		}
	}
	if n == 0 {
		t.Error("the catalogue is empty")
	}
	for name := range bundled(t, objects(t, "catalogue.install=false")) {
		if strings.HasPrefix(name, "Application/") {
			t.Errorf("%s with catalogue.install=false", name)
		}
	}
}

func TestValuesAreChecked(t *testing.T) {
	for _, value := range []string{"exposure.default=gateway", "runtimes[0].name=perl", "replica=2", "mariadb.enabled=maybe", "mariadb.databaseServer.name=Main"} {
		t.Run(value, func(t *testing.T) {
			said, err := tryHelm(t, "template", "x", folder, "--set", value)
			if err == nil || !strings.Contains(said, "values don't meet the specifications of the schema") {
				t.Errorf("accepted, or refused for another reason: %v\n%.500s", err, said)
			}
		})
	}
}

func equal(t *testing.T, a, b any) bool {
	t.Helper()
	left, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	right, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(left) == string(right)
}
