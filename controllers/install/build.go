package install

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	netac "k8s.io/client-go/applyconfigurations/networking/v1"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/internal/names"
)

const (
	// generationAnnotation on a pod template says which generation its pods serve.
	generationAnnotation = "sitewright.dev/generation"
	// sitePort is where the runtime images listen.
	sitePort = 8080
	// programDir is where the setup puts this program, for the health check and the periodic work.
	programDir = "/program"
	// switchDeadlineSeconds is how long a new generation may take to answer before it is given up.
	switchDeadlineSeconds = 180
)

// serving is all that the pods of a site depend on.
type serving struct {
	install     *api.Install
	application string
	recipe      recipe.Recipe
	url         string
	generation  int64
	image       string
	operator    string
}

func owner(in *api.Install) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().WithAPIVersion(api.GroupVersion.String()).WithKind("Install").WithName(in.Name).
		WithUID(in.UID).WithController(true).WithBlockOwnerDeletion(true)
}

// buildClaim is the site's volume. One that is to outlive the Install is not owned by it.
func buildClaim(in *api.Install, application string) *coreac.PersistentVolumeClaimApplyConfiguration {
	spec := coreac.PersistentVolumeClaimSpec().WithAccessModes(corev1.ReadWriteOnce).
		WithResources(coreac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: in.Spec.Storage.Size}))
	if c := in.Spec.Storage.StorageClassName; c != nil {
		spec.WithStorageClassName(*c)
	}
	claim := coreac.PersistentVolumeClaim(names.Workload(in.Name), in.Namespace).WithLabels(job.SiteLabels(in.Name, application)).
		WithAnnotations(map[string]string{api.AnnotationInstallUID: string(in.UID)}).WithSpec(spec)
	if !kept(in) {
		claim.WithOwnerReferences(owner(in))
	}
	return claim
}

// buildService leads to the site's pods.
func buildService(in *api.Install, application string) *coreac.ServiceApplyConfiguration {
	return coreac.Service(names.Workload(in.Name), in.Namespace).
		WithLabels(job.SiteLabels(in.Name, application)).WithOwnerReferences(owner(in)).
		WithSpec(coreac.ServiceSpec().WithSelector(job.SelectorLabels(in.Name)).
			WithPorts(coreac.ServicePort().WithName("http").WithPort(80).WithTargetPort(intstr.FromString("http")).WithProtocol(corev1.ProtocolTCP)))
}

// buildIngress brings requests for the hosts and paths of a site's URLs to its Service.
func buildIngress(in *api.Install, application string, sites []string, class string) *netac.IngressApplyConfiguration {
	backend := netac.IngressBackend().WithService(netac.IngressServiceBackend().WithName(names.Workload(in.Name)).
		WithPort(netac.ServiceBackendPort().WithName("http")))
	spec := netac.IngressSpec()
	var hosts []string
	for _, site := range sites {
		host := hostOf(site) // the schema admits nothing that does not parse
		spec.WithRules(netac.IngressRule().WithHost(host).WithHTTP(
			netac.HTTPIngressRuleValue().WithPaths(netac.HTTPIngressPath().WithPath(basePath(site) + slashIfEmpty(basePath(site))).
				WithPathType(networkingv1.PathTypePrefix).WithBackend(backend))))
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if e := in.Spec.Exposure; e != nil && e.Ingress != nil {
		if e.Ingress.ClassName != nil {
			class = *e.Ingress.ClassName
		}
		if e.Ingress.TLSSecretName != "" {
			spec.WithTLS(netac.IngressTLS().WithHosts(hosts...).WithSecretName(e.Ingress.TLSSecretName))
		}
	}
	if class != "" {
		spec.WithIngressClassName(class)
	}
	return netac.Ingress(names.Workload(in.Name), in.Namespace).
		WithLabels(job.SiteLabels(in.Name, application)).WithOwnerReferences(owner(in)).WithSpec(spec)
}

func slashIfEmpty(p string) string {
	if p == "" {
		return "/"
	}
	return ""
}

// basePath is the path of the site's URL without a trailing slash; empty for the host's root.
func basePath(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// buildDeployment runs the site's pods on one generation. A change of generation is a rolling update: the new pod must answer the recipe's
// health check before the old one goes, and the files and, through the configuration among them, the database change in that one step.
func buildDeployment(s serving) *appsac.DeploymentApplyConfiguration {
	in, labels := s.install, job.SiteLabels(s.install.Name, s.application)
	replicas := int32(1)
	if in.Spec.Runtime.Replicas != nil {
		replicas = *in.Spec.Runtime.Replicas
	}
	return appsac.Deployment(names.Workload(in.Name), in.Namespace).
		WithLabels(labels).WithOwnerReferences(owner(in)).
		WithSpec(appsac.DeploymentSpec().
			WithReplicas(replicas).
			WithRevisionHistoryLimit(2).
			WithProgressDeadlineSeconds(switchDeadlineSeconds).
			WithSelector(metaac.LabelSelector().WithMatchLabels(job.SelectorLabels(in.Name))).
			WithStrategy(appsac.DeploymentStrategy().WithType(appsv1.RollingUpdateDeploymentStrategyType).WithRollingUpdate(
				appsac.RollingUpdateDeployment().WithMaxSurge(intstr.FromInt32(1)).WithMaxUnavailable(intstr.FromInt32(0)))).
			WithTemplate(coreac.PodTemplateSpec().
				WithLabels(labels).
				WithAnnotations(map[string]string{generationAnnotation: strconv.FormatInt(s.generation, 10)}).
				WithSpec(buildPod(s))))
}

func buildPod(s serving) *coreac.PodSpecApplyConfiguration {
	emptyDir := func(name string) *coreac.VolumeApplyConfiguration {
		return coreac.Volume().WithName(name).WithEmptyDir(coreac.EmptyDirVolumeSource())
	}
	security := job.PodSecurity()
	return coreac.PodSpec().
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(30).
		WithSecurityContext(coreac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(*security.RunAsUser).WithRunAsGroup(*security.RunAsGroup).
			WithFSGroup(*security.FSGroup).WithFSGroupChangePolicy(*security.FSGroupChangePolicy).
			WithSeccompProfile(coreac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		// A ReadWriteOnce volume is mounted on one node: pods of one site stay together.
		WithAffinity(coreac.Affinity().WithPodAffinity(coreac.PodAffinity().WithRequiredDuringSchedulingIgnoredDuringExecution(
			coreac.PodAffinityTerm().WithTopologyKey(corev1.LabelHostname).
				WithLabelSelector(metaac.LabelSelector().WithMatchLabels(job.SelectorLabels(s.install.Name)))))).
		WithVolumes(
			coreac.Volume().WithName("site").WithPersistentVolumeClaim(coreac.PersistentVolumeClaimVolumeSource().WithClaimName(names.Workload(s.install.Name))),
			emptyDir("program"), emptyDir("run"), emptyDir("tmp")).
		WithInitContainers(coreac.Container().WithName("setup").WithImage(s.operator).WithImagePullPolicy(corev1.PullIfNotPresent).
			WithArgs("agent", "setup", "--copy-to", programDir).
			WithSecurityContext(restricted()).WithResources(small()).
			WithVolumeMounts(coreac.VolumeMount().WithName("program").WithMountPath(programDir))).
		WithContainers(webContainer(s)).
		WithContainers(cronContainers(s)...)
}

// cronContainers do the application's periodic work beside its pods, where its recipe names any.
func cronContainers(s serving) []*coreac.ContainerApplyConfiguration {
	cron := s.recipe.Cron
	if cron == nil {
		return nil
	}
	command := append([]string{programDir + "/sitewright", "cron", "--schedule", cron.Schedule,
		"--dir", documentRoot(s.recipe), "--", string(cron.Interpreter)}, cron.Args...)
	return []*coreac.ContainerApplyConfiguration{coreac.Container().WithName("cron").WithImage(s.image).
		WithImagePullPolicy(corev1.PullIfNotPresent).WithCommand(command...).
		WithSecurityContext(restricted()).WithResources(small()).WithVolumeMounts(siteMounts(s)...)}
}

func documentRoot(r recipe.Recipe) string { return path.Join("/site/www", r.Layout.DocumentRoot) }

// siteMounts are a generation of the site and what its programs need.
func siteMounts(s serving) []*coreac.VolumeMountApplyConfiguration {
	mount := func(name, at string) *coreac.VolumeMountApplyConfiguration {
		return coreac.VolumeMount().WithName(name).WithMountPath(at)
	}
	return []*coreac.VolumeMountApplyConfiguration{
		mount("site", "/site").WithSubPath("gen/" + strconv.FormatInt(s.generation, 10)),
		mount("program", programDir).WithReadOnly(true), mount("run", "/run"), mount("tmp", "/tmp"),
	}
}

func webContainer(s serving) *coreac.ContainerApplyConfiguration {
	return coreac.Container().WithName("web").WithImage(s.image).WithImagePullPolicy(corev1.PullIfNotPresent).
		WithPorts(coreac.ContainerPort().WithName("http").WithContainerPort(sitePort).WithProtocol(corev1.ProtocolTCP)).
		WithEnv(
			coreac.EnvVar().WithName("SITEWRIGHT_DOCUMENT_ROOT").WithValue(documentRoot(s.recipe)),
			coreac.EnvVar().WithName("SITEWRIGHT_BASE_PATH").WithValue(basePath(s.url))).
		WithSecurityContext(restricted()).
		WithResources(webResources(s.install.Spec.Runtime.Resources)).
		WithVolumeMounts(siteMounts(s)...).
		// The page is read once, before the pod first gets requests; that Apache answers is asked all the time.
		WithStartupProbe(coreac.Probe().WithExec(coreac.ExecAction().WithCommand(healthCommand(s)...)).
			WithPeriodSeconds(1).WithTimeoutSeconds(30).WithFailureThreshold(60)).
		WithReadinessProbe(coreac.Probe().WithTCPSocket(coreac.TCPSocketAction().WithPort(intstr.FromString("http"))).
			WithPeriodSeconds(5).WithTimeoutSeconds(5).WithFailureThreshold(3)).
		// Requests that were on their way when the pod left the Service's endpoints are still answered.
		WithLifecycle(coreac.Lifecycle().WithPreStop(coreac.LifecycleHandler().WithSleep(coreac.SleepAction().WithSeconds(5))))
}

// healthCommand asks the site for its own page, as the recipe's health check wants it.
func healthCommand(s serving) []string {
	u, _ := url.Parse(s.url)
	h := s.recipe.Health
	at := h.Path
	if at == "" {
		at = "/"
	}
	command := []string{programDir + "/sitewright", "health", "--scheme", u.Scheme, "--host", u.Host,
		"--url", "http://127.0.0.1:" + strconv.Itoa(sitePort) + basePath(s.url) + at}
	for _, code := range h.Status {
		command = append(command, "--status", strconv.Itoa(int(code)))
	}
	for _, text := range h.Not {
		command = append(command, "--not", text)
	}
	return command
}

func restricted() *coreac.SecurityContextApplyConfiguration {
	return coreac.SecurityContext().WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
		WithCapabilities(coreac.Capabilities().WithDrop("ALL"))
}

func small() *coreac.ResourceRequirementsApplyConfiguration {
	return coreac.ResourceRequirements().
		WithRequests(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi")}).
		WithLimits(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")})
}

// webResources are what the spec says over defaults on which a site runs. A default gives way where it contradicts the spec: the API server
// admits no request above its limit.
func webResources(r corev1.ResourceRequirements) *coreac.ResourceRequirementsApplyConfiguration {
	requests := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("128Mi")}
	limits := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")}
	maps.Copy(requests, r.Requests)
	maps.Copy(limits, r.Limits)
	for name, limit := range limits {
		request, asked := requests[name]
		if !asked || request.Cmp(limit) <= 0 {
			continue
		}
		if _, given := r.Limits[name]; given {
			requests[name] = limit
		} else {
			limits[name] = request
		}
	}
	return coreac.ResourceRequirements().WithRequests(requests).WithLimits(limits)
}
