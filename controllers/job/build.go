// Package job runs the agent: it builds the Job of a plan, creates it once, and reads the agent's result and progress back.
package job

import (
	"encoding/json"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

const (
	// planAnnotation on a pod template holds the plan, which the downward API brings into the pod as a file.
	planAnnotation = "sitewright.dev/plan"
	// revisionAnnotation on a pod template is the Spec's Revision.
	revisionAnnotation = "sitewright.dev/revision"
	// agentContainer is the container whose termination message is the result.
	agentContainer = "agent"
	// siteUser owns the files of every site: www-data of the runtime images.
	siteUser = 33
	// deadlineSeconds ends an agent that hangs.
	deadlineSeconds = 24 * 60 * 60
	// retries of an agent that was killed or could not reach a server; the Job controller backs off between them.
	retries = 6
)

// Labels of everything that Sitewright makes for an object.
func Labels(extra map[string]string) map[string]string {
	l := map[string]string{"app.kubernetes.io/managed-by": "sitewright"}
	for k, v := range extra {
		l[k] = v
	}
	return l
}

// SiteLabels select the pods that serve an Install.
func SiteLabels(install, application string) map[string]string {
	l := SelectorLabels(install)
	l["app.kubernetes.io/name"] = application
	return Labels(l)
}

// SelectorLabels are the labels of a site's pods that never change.
func SelectorLabels(install string) map[string]string {
	return map[string]string{"app.kubernetes.io/instance": install, "app.kubernetes.io/component": "site", api.LabelInstall: install}
}

// Spec is a Job to run.
type Spec struct {
	Name, Namespace string
	// Install that the task is about; may be empty.
	Install string
	// Owner takes the Job with it when it is deleted.
	Owner metav1.OwnerReference
	// Plan to carry out, and Mounts that its paths refer to.
	Plan   plan.Plan
	Mounts *Mounts
	// Runtime image to run in, for tasks with commands of the recipe; empty: the operator's own image.
	Runtime string
	// Revision says what beside the plan a failure may depend on, such as the generation of the owner's spec: a Job that failed is made anew
	// when it changes.
	Revision string
	// Beside names an Install whose pods run on the node that this Job must run on, because they share a volume.
	Beside string
}

// Build makes the Job. It is a pure function: the same spec gives the same Job.
func Build(s Spec, operatorImage string) (*batchv1.Job, error) {
	document, err := json.Marshal(s.Plan)
	if err != nil {
		return nil, fmt.Errorf("encoding the plan of Job %s: %w", s.Name, err)
	}
	labels := Labels(map[string]string{api.LabelTask: s.Plan.Task(), "app.kubernetes.io/component": "agent"})
	if s.Install != "" && len(s.Install) <= 63 {
		labels[api.LabelInstall] = s.Install
	}
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name: s.Name, Namespace: s.Namespace, Labels: labels, OwnerReferences: []metav1.OwnerReference{s.Owner},
		},
		Spec: batchv1.JobSpec{
			BackoffLimit:          new(int32(retries)),
			ActiveDeadlineSeconds: new(int64(deadlineSeconds)),
			// Two agents never work on one volume: the next pod starts when the last one has ended.
			PodReplacementPolicy: new(batchv1.Failed),
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
				{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
					ContainerName: new(agentContainer), Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{plan.ExitTerminal},
				}},
				{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
					{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
				}},
			}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{planAnnotation: string(document), revisionAnnotation: s.Revision}},
				Spec:       podSpec(s, operatorImage),
			},
		},
	}, nil
}

func podSpec(s Spec, operatorImage string) corev1.PodSpec {
	volumes := append([]corev1.Volume{
		{Name: "plan", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
			Items: []corev1.DownwardAPIVolumeFile{{Path: "plan.json", FieldRef: &corev1.ObjectFieldSelector{
				FieldPath: "metadata.annotations['" + planAnnotation + "']",
			}}},
		}}},
		emptyDir("state"), emptyDir("tmp"),
	}, s.Mounts.volumes...)
	mounts := append([]corev1.VolumeMount{
		{Name: "plan", MountPath: planDir, ReadOnly: true},
		{Name: "state", MountPath: stateDir},
		{Name: "tmp", MountPath: "/tmp"},
	}, s.Mounts.mounts...)
	agent := corev1.Container{
		Name: agentContainer, Image: operatorImage, ImagePullPolicy: corev1.PullIfNotPresent,
		Args:            []string{"agent", "run"},
		SecurityContext: restricted(), Resources: resources(), VolumeMounts: mounts,
		Env:                      []corev1.EnvVar{{Name: "HOME", Value: "/tmp"}, {Name: "TMPDIR", Value: "/tmp"}},
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
	}
	pod := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(int64(5)),
		SecurityContext:               PodSecurity(),
		Affinity:                      beside(s.Beside),
	}
	if s.Runtime != "" {
		program := corev1.VolumeMount{Name: "program", MountPath: programDir}
		volumes = append(volumes, emptyDir("program"))
		pod.InitContainers = []corev1.Container{{
			Name: "setup", Image: operatorImage, ImagePullPolicy: corev1.PullIfNotPresent,
			Args:            []string{"agent", "setup", "--plan", planDir + "/plan.json", "--copy-to", programDir},
			SecurityContext: restricted(), Resources: resources(),
			VolumeMounts: append(withoutGenerations(mounts), program),
		}}
		agent.Image, agent.Command, agent.Args = s.Runtime, []string{programDir + "/sitewright"}, []string{"agent", "run"}
		program.ReadOnly = true
		agent.VolumeMounts = append(agent.VolumeMounts, program)
	}
	pod.Volumes, pod.Containers = volumes, []corev1.Container{agent}
	return pod
}

// withoutGenerations leaves out what the setup is yet to make.
func withoutGenerations(mounts []corev1.VolumeMount) []corev1.VolumeMount {
	rest := make([]corev1.VolumeMount, 0, len(mounts)+1)
	for _, m := range mounts {
		if m.SubPath == "" {
			rest = append(rest, m)
		}
	}
	return rest
}

func emptyDir(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// beside keeps a pod on the node of the site's pods: a ReadWriteOnce volume is mounted on one node only.
func beside(install string) *corev1.Affinity {
	if install == "" {
		return nil
	}
	return &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
		LabelSelector: &metav1.LabelSelector{MatchLabels: SelectorLabels(install)}, TopologyKey: corev1.LabelHostname,
	}}}}
}

// PodSecurity is the pod half of the restricted Pod Security Standard, as the sites' one user.
func PodSecurity() *corev1.PodSecurityContext {
	return &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(int64(siteUser)), RunAsGroup: new(int64(siteUser)), FSGroup: new(int64(siteUser)),
		FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
		SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

func resources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
	}
}
