package job

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

func installSpec() Spec {
	m := &Mounts{}
	p := plan.Plan{Install: &plan.Install{
		Site:  plan.Site{Name: "blog", Database: &plan.Database{PasswordFile: m.Secret("blog-database", "password")}},
		Admin: plan.Admin{PasswordFile: m.Secret("blog-admin", "password")},
	}}
	m.Claim("blog", SiteVolume, false)
	m.Generation("blog", 3)
	return Spec{Name: "install-blog", Namespace: "demo", Install: "blog", Owner: metav1.OwnerReference{Name: "blog", UID: "u"},
		Plan: p, Mounts: m, Runtime: "runtime:1", Beside: "other"}
}

func build(t *testing.T, s Spec) *batchv1.Job {
	t.Helper()
	j, err := Build(s, "operator:1")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestBuildIsPure(t *testing.T) {
	s := installSpec()
	first, again, anew := build(t, s), build(t, s), build(t, installSpec())
	if !reflect.DeepEqual(first, again) || !reflect.DeepEqual(first, anew) {
		t.Error("the same spec made two different Jobs")
	}
}

func TestBuildPlan(t *testing.T) {
	s := installSpec()
	j := build(t, s)
	p, err := plan.Read(strings.NewReader(j.Spec.Template.Annotations[planAnnotation]))
	if err != nil || !reflect.DeepEqual(*p, s.Plan) {
		t.Errorf("the plan in the annotation is %+v, %v", p, err)
	}
	want := map[string]string{"app.kubernetes.io/managed-by": "sitewright", "app.kubernetes.io/component": "agent", api.LabelTask: "install", api.LabelInstall: "blog"}
	if !reflect.DeepEqual(j.Labels, want) || !reflect.DeepEqual(j.Spec.Template.Labels, want) {
		t.Errorf("the labels are %v and %v", j.Labels, j.Spec.Template.Labels)
	}
	if len(j.OwnerReferences) != 1 || j.OwnerReferences[0].UID != "u" {
		t.Errorf("the owners are %v", j.OwnerReferences)
	}
	rule := j.Spec.PodFailurePolicy.Rules[0]
	if rule.Action != batchv1.PodFailurePolicyActionFailJob || !slices.Equal(rule.OnExitCodes.Values, []int32{plan.ExitTerminal}) {
		t.Errorf("a terminal failure leads to %+v", rule)
	}
	if *j.Spec.PodReplacementPolicy != batchv1.Failed {
		t.Error("two agents may work on one volume")
	}
}

// TestBuildRestricted holds the pods against the restricted Pod Security Standard.
func TestBuildRestricted(t *testing.T) {
	for name, s := range map[string]Spec{"in a runtime": installSpec(), "in the operator's image": {Mounts: &Mounts{}, Plan: plan.Plan{Open: &plan.Open{}}}} {
		t.Run(name, func(t *testing.T) {
			pod := build(t, s).Spec.Template.Spec
			sc := pod.SecurityContext
			if !*sc.RunAsNonRoot || *sc.RunAsUser == 0 || sc.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Errorf("the pod's security context is %+v", sc)
			}
			if *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks {
				t.Error("the agent gets a token or the Services' addresses")
			}
			for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
				sc := c.SecurityContext
				if *sc.AllowPrivilegeEscalation || !*sc.ReadOnlyRootFilesystem || !slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}) {
					t.Errorf("the security context of %s is %+v", c.Name, sc)
				}
				if c.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s has no bound on its memory", c.Name)
				}
			}
		})
	}
}

// TestBuildSecrets has them in files alone, each of them one key.
func TestBuildSecrets(t *testing.T) {
	pod := build(t, installSpec()).Spec.Template.Spec
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		for _, e := range c.Env {
			if e.ValueFrom != nil {
				t.Errorf("%s gets %s from %+v", c.Name, e.Name, e.ValueFrom)
			}
		}
		if len(c.EnvFrom) > 0 {
			t.Errorf("%s gets its environment from %+v", c.Name, c.EnvFrom)
		}
	}
	secrets := 0
	for _, v := range pod.Volumes {
		if v.Secret == nil {
			continue
		}
		secrets++
		if len(v.Secret.Items) != 1 || v.Secret.Items[0].Path != "value" || *v.Secret.DefaultMode&0o007 != 0 {
			t.Errorf("Secret %s is mounted as %+v", v.Secret.SecretName, v.Secret)
		}
	}
	if secrets != 2 {
		t.Errorf("%d Secrets are mounted", secrets)
	}
	document, _ := json.Marshal(installSpec().Plan)
	if !strings.Contains(string(document), `"passwordFile":"/secrets/secret-1/value"`) {
		t.Errorf("the plan says %s", document)
	}
}

// TestBuildGeneration mounts a generation only after the setup has made it.
func TestBuildGeneration(t *testing.T) {
	pod := build(t, installSpec()).Spec.Template.Spec
	at := func(c corev1.Container, path string) *corev1.VolumeMount {
		i := slices.IndexFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == path })
		if i < 0 {
			return nil
		}
		return &c.VolumeMounts[i]
	}
	setup, agent := pod.InitContainers[0], pod.Containers[0]
	if at(setup, siteRoot) != nil {
		t.Error("the setup mounts what it is yet to make")
	}
	site := at(agent, siteRoot)
	if site == nil || site.SubPath != "gen/3" || site.Name != at(agent, SiteVolume).Name {
		t.Errorf("the agent's site is %+v", site)
	}
	if at(setup, SiteVolume) == nil || at(setup, planDir) == nil {
		t.Error("the setup has no volume to make the generation on, or no plan")
	}
	program := at(agent, programDir)
	if agent.Image != "runtime:1" || setup.Image != "operator:1" || program == nil || !program.ReadOnly {
		t.Errorf("the agent runs in %s, the setup in %s, the program is %+v", agent.Image, setup.Image, program)
	}
	claims := 0
	for _, v := range pod.Volumes {
		if v.PersistentVolumeClaim != nil {
			claims++
		}
	}
	if claims != 1 {
		t.Errorf("one claim is %d volumes", claims)
	}
	term := pod.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0]
	if !reflect.DeepEqual(term.LabelSelector.MatchLabels, SelectorLabels("other")) {
		t.Errorf("it runs beside %v", term.LabelSelector)
	}
}

func TestMountsSource(t *testing.T) {
	m := &Mounts{}
	m.Claim("blog", SourceVolume, true)
	m.Claim("staging", SiteVolume, false)
	pod := build(t, Spec{Plan: plan.Plan{Clone: &plan.Clone{}}, Mounts: m}).Spec.Template.Spec
	for _, v := range pod.Containers[0].VolumeMounts {
		if v.ReadOnly != (v.MountPath == SourceVolume || v.MountPath == planDir) {
			t.Errorf("%s is mounted read-only: %v", v.MountPath, v.ReadOnly)
		}
	}
	if pod.Affinity != nil || len(pod.InitContainers) != 0 {
		t.Error("a task without a runtime or neighbour has a setup or an affinity")
	}
}

func TestBlocked(t *testing.T) {
	waiting := func(reason string) corev1.Pod {
		return corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "why"}}}}}}
	}
	unschedulable := corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "no room"}}}}
	for want, p := range map[string]corev1.Pod{
		"":                                waiting("ContainerCreating"),
		"ErrImagePull: why":               waiting("ErrImagePull"),
		"ImagePullBackOff: why":           waiting("ImagePullBackOff"),
		"CreateContainerConfigError: why": waiting("CreateContainerConfigError"),
		"waiting for a node: no room":     unschedulable,
	} {
		if got := blocked(&p); got != want {
			t.Errorf("a pod that waits says %q, not %q", got, want)
		}
	}
}
