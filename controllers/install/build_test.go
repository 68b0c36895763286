package install

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
)

func TestChoose(t *testing.T) {
	r := func(version, php string) api.Release {
		return api.Release{Version: version, Requirements: api.Requirements{PHP: api.VersionRange(php)}}
	}
	releases := []api.Release{r("6.8.7", "7.2.24-8.4.999"), r("6.10.1", "7.4-8.3.999"), r("7.0", "8.6-"), r("6.9", "")}
	runtimes := []string{"php-8.2", "php-7.4", "php-8.4", "php-8.10"}
	for _, c := range []struct {
		version, runtime string
		runtimes         []string
		wantVersion, on  string
	}{
		{"", "", runtimes, "7.0", "php-8.10"},
		{"", "", []string{"php-7.4", "php-8.2", "php-8.4"}, "6.10.1", "php-8.2"},
		{"", "php-8.4", runtimes, "6.9", "php-8.4"},
		{"6.8.7", "", runtimes, "6.8.7", "php-8.4"},
		{"6.8.7", "php-7.4", runtimes, "6.8.7", "php-7.4"},
		{"6.10.1", "php-8.4", runtimes, "", ""},
		{"7.0", "", []string{"php-7.4"}, "", ""},
		{"5.0", "", runtimes, "", ""},
		{"", "", nil, "", ""},
	} {
		got, on := Choose(releases, c.version, c.runtime, c.runtimes)
		version := ""
		if got != nil {
			version = got.Version
		}
		if version != c.wantVersion || on != c.on {
			t.Errorf("Choose(%q, %q, %v) is %q on %q, not %q on %q", c.version, c.runtime, c.runtimes, version, on, c.wantVersion, c.on)
		}
	}
}

func TestURLKey(t *testing.T) {
	for raw, want := range map[string]string{
		"http://a.test":           "a.test",
		"https://a.test/":         "a.test",
		"http://A.test/blog/":     "a.test/blog",
		"http://a.test/Blog":      "a.test/Blog",
		"http://a.test:8080/blog": "a.test/blog",
		"https://a.test:443":      "a.test",
	} {
		if got := URLKey(raw); got != want {
			t.Errorf("URLKey(%s) is %s, not %s", raw, got, want)
		}
	}
}

func sample(edit ...func(*api.Install)) serving {
	in := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "blog", Namespace: "demo", UID: "uid"}}
	for _, f := range edit {
		f(in)
	}
	return serving{install: in, application: "wordpress", recipe: recipe.Recipe{Layout: recipe.Layout{DocumentRoot: "public"}},
		url: "https://a.test:8443/shop/", generation: 7, image: "runtime:1", operator: "operator:1"}
}

func TestBasePath(t *testing.T) {
	for site, want := range map[string][2]string{
		"http://a.test":        {"", "/"},
		"http://a.test/":       {"", "/"},
		"http://a.test/shop/":  {"/shop", "/shop"},
		"http://a.test/a/b":    {"/a/b", "/a/b"},
		"http://a.test:80/a/b": {"/a/b", "/a/b"},
	} {
		if got := basePath(site); got != want[0] {
			t.Errorf("basePath(%s) is %q", site, got)
		}
		i := buildIngress(sample().install, "wordpress", []string{site}, "local")
		rule := i.Spec.Rules[0]
		if *rule.Host != "a.test" || *rule.HTTP.Paths[0].Path != want[1] || *i.Spec.IngressClassName != "local" {
			t.Errorf("the Ingress for %s brings %s%s", site, *rule.Host, *rule.HTTP.Paths[0].Path)
		}
	}
}

func TestBuildIngress(t *testing.T) {
	s := sample(func(in *api.Install) {
		in.Spec.Exposure = &api.ExposureSpec{Ingress: &api.IngressExposure{ClassName: new("special"), TLSSecretName: "certificate"}}
	})
	i := buildIngress(s.install, "wordpress", []string{s.url}, "local")
	if *i.Spec.IngressClassName != "special" || *i.Spec.TLS[0].SecretName != "certificate" || i.Spec.TLS[0].Hosts[0] != "a.test" {
		t.Errorf("the Ingress is of class %s with %+v", *i.Spec.IngressClassName, i.Spec.TLS)
	}
	if i := buildIngress(sample().install, "wordpress", []string{s.url}, ""); i.Spec.IngressClassName != nil || len(i.Spec.TLS) != 0 {
		t.Error("an Ingress without class and certificate has one")
	}
}

func TestHealthCommand(t *testing.T) {
	s := sample()
	s.recipe.Health = recipe.Health{Path: "/login.php", Status: []int32{200, 302}, Not: []string{"Error establishing", "a b"}}
	want := []string{programDir + "/sitewright", "health", "--scheme", "https", "--host", "a.test:8443", "--url", "http://127.0.0.1:8080/shop/login.php",
		"--status", "200", "--status", "302", "--not", "Error establishing", "--not", "a b"}
	if got := healthCommand(s); !slices.Equal(got, want) {
		t.Errorf("it is %q", got)
	}
	s.recipe.Health = recipe.Health{}
	if got := healthCommand(s); got[len(got)-1] != "http://127.0.0.1:8080/shop/" {
		t.Errorf("without a path it is %q", got)
	}
}

func TestBuildDeployment(t *testing.T) {
	d := buildDeployment(sample())
	if !reflect.DeepEqual(d, buildDeployment(sample())) {
		t.Error("the same site made two different Deployments")
	}
	spec := d.Spec
	if *spec.Replicas != 1 || spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 || spec.Strategy.RollingUpdate.MaxSurge.IntValue() != 1 {
		t.Errorf("the old pod may go before the new one answers: %+v", spec.Strategy.RollingUpdate)
	}
	if !reflect.DeepEqual(spec.Selector.MatchLabels, job.SelectorLabels("blog")) || spec.Template.Annotations[generationAnnotation] != "7" {
		t.Errorf("the selector is %v, the template's annotations %v", spec.Selector.MatchLabels, spec.Template.Annotations)
	}
	for k, v := range spec.Selector.MatchLabels {
		if spec.Template.Labels[k] != v {
			t.Errorf("the pods lack the label %s", k)
		}
	}
	pod := spec.Template.Spec
	if len(pod.Containers) != 1 || *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks || !*pod.SecurityContext.RunAsNonRoot {
		t.Errorf("the pod is not restricted: %+v", pod)
	}
	web := pod.Containers[0]
	if *web.Image != "runtime:1" || *web.Env[0].Value != "/site/www/public" || *web.Env[1].Value != "/shop" {
		t.Errorf("the web container is %s with %s and %s", *web.Image, *web.Env[0].Value, *web.Env[1].Value)
	}
	if *web.VolumeMounts[0].MountPath != "/site" || *web.VolumeMounts[0].SubPath != "gen/7" {
		t.Errorf("the site's mount is %+v", web.VolumeMounts[0])
	}
	checkRestricted(t, append(pod.InitContainers, pod.Containers...))
	if d := buildDeployment(sample(func(in *api.Install) { in.Spec.Runtime.Replicas = new(int32(0)) })); *d.Spec.Replicas != 0 {
		t.Errorf("a site without pods has %d", *d.Spec.Replicas)
	}
}

func checkRestricted(t *testing.T, containers []coreac.ContainerApplyConfiguration) {
	t.Helper()
	for _, c := range containers {
		sc := c.SecurityContext
		if *sc.AllowPrivilegeEscalation || !*sc.ReadOnlyRootFilesystem || !slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("container %s is not restricted", *c.Name)
		}
	}
}

func TestBuildCron(t *testing.T) {
	s := sample()
	s.recipe.Cron = &recipe.Cron{Schedule: "*/5 * * * *", Interpreter: recipe.InterpreterPHP, Args: []string{"wp-cron.php", "-x"}}
	pod := buildDeployment(s).Spec.Template.Spec
	if len(pod.Containers) != 2 {
		t.Fatalf("there are %d containers", len(pod.Containers))
	}
	want := []string{programDir + "/sitewright", "cron", "--schedule", "*/5 * * * *", "--dir", "/site/www/public", "--", "php", "wp-cron.php", "-x"}
	if cron := pod.Containers[1]; !slices.Equal(cron.Command, want) {
		t.Errorf("the periodic work is %q", cron.Command)
	}
	checkRestricted(t, pod.Containers)
}

func TestWebResources(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{}
		if cpu != "" {
			l[corev1.ResourceCPU] = resource.MustParse(cpu)
		}
		if memory != "" {
			l[corev1.ResourceMemory] = resource.MustParse(memory)
		}
		return l
	}
	for _, c := range []struct {
		name                        string
		requests, limits            corev1.ResourceList
		cpu, memory, cpuLimit, most string
	}{
		{"nothing said", nil, nil, "50m", "128Mi", "0", "512Mi"},
		{"both said", list("1", "256Mi"), list("2", "1Gi"), "1", "256Mi", "2", "1Gi"},
		{"more than the default limit asked for", list("", "1Gi"), nil, "50m", "1Gi", "0", "1Gi"},
		{"less than the default request allowed", nil, list("10m", "64Mi"), "10m", "64Mi", "10m", "64Mi"},
	} {
		got := webResources(corev1.ResourceRequirements{Requests: c.requests, Limits: c.limits})
		have := []string{got.Requests.Cpu().String(), got.Requests.Memory().String(), got.Limits.Cpu().String(), got.Limits.Memory().String()}
		if want := []string{c.cpu, c.memory, c.cpuLimit, c.most}; !slices.Equal(have, want) {
			t.Errorf("%s: %q, not %q", c.name, have, want)
		}
	}
}

func TestRollout(t *testing.T) {
	d := func(replicas int32, st appsv1.DeploymentStatus) *appsv1.Deployment {
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: appsv1.DeploymentSpec{Replicas: &replicas}, Status: st}
	}
	gaveUp := []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}}
	for _, c := range []struct {
		name   string
		d      *appsv1.Deployment
		want   rolloutState
		failed bool
	}{
		{"not looked at", d(1, appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}), rollingOut, false},
		{"given up before it was looked at", d(1, appsv1.DeploymentStatus{ObservedGeneration: 2, Conditions: gaveUp}), rollingOut, false},
		{"both pods there", d(1, appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 2, UpdatedReplicas: 1, AvailableReplicas: 2}), rollingOut, false},
		{"the new one does not answer", d(1, appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 1, UpdatedReplicas: 1}), rollingOut, false},
		{"an old one serves", d(1, appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 1, AvailableReplicas: 1}), rollingOut, false},
		{"given up", d(1, appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 2, UpdatedReplicas: 1, AvailableReplicas: 1, Conditions: gaveUp}), rollingOut, true},
		{"done", d(2, appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 2}), rolledOut, false},
		{"none wanted", d(0, appsv1.DeploymentStatus{ObservedGeneration: 3}), rolledOut, false},
	} {
		if got, err := rollout(c.d); got != c.want || (err != nil) != c.failed {
			t.Errorf("%s: %v %v", c.name, got, err)
		}
	}
}

func TestSoonest(t *testing.T) {
	for _, c := range [][3]time.Duration{{0, 0, 0}, {0, 5, 5}, {5, 0, 5}, {3, 5, 3}, {5, 3, 3}} {
		if got := soonest(c[0], c[1]); got != c[2] {
			t.Errorf("soonest(%d, %d) is %d", c[0], c[1], got)
		}
	}
}

func TestKeptGenerations(t *testing.T) {
	s := &site{in: &api.Install{}, status: api.InstallStatus{Generation: 3, PreviousGeneration: 2}}
	if !s.keeps(3) || !s.keeps(2) || s.keeps(1) || s.keeps(4) {
		t.Error("it keeps others than the serving and the previous generation")
	}
}

func TestBeside(t *testing.T) {
	in := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "blog"}}
	if Beside(in) != "" {
		t.Error("a Job waits for pods of a site that has none yet")
	}
	in.Status.Generation = 1
	if Beside(in) != "blog" {
		t.Error("a Job may run on another node than the site's pods")
	}
	in.Spec.Runtime.Replicas = new(int32(0))
	if Beside(in) != "" {
		t.Error("a Job waits for pods of a site that wants none")
	}
}

func TestHostOf(t *testing.T) {
	if got := hostOf("https://a.test:8443/x"); got != "a.test" || strings.Contains(got, ":") {
		t.Errorf("the host is %s", got)
	}
}
