package job

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// Where things are mounted in an agent's pod.
const (
	SiteVolume       = "/volume"
	SourceVolume     = "/source"
	RepositoryVolume = "/repository"
	siteRoot         = "/site"
	stateDir         = "/state"
	planDir          = "/plan"
	programDir       = "/program"
	secretsDir       = "/secrets"
)

// Mounts gathers what an agent's pod mounts, and says at which path the agent finds it. The paths depend on the order of the
// calls alone, so one plan is made the same each time.
type Mounts struct {
	volumes []corev1.Volume
	mounts  []corev1.VolumeMount
	claims  map[string]string
	secrets int
}

// Secret mounts one key of a Secret and returns the path of its file. Only that key is seen by the pod.
func (m *Mounts) Secret(name, key string) string { return m.secret(name, key, false) }

// OptionalSecret is Secret for a key that may be missing: then there is no file at that path.
func (m *Mounts) OptionalSecret(name, key string) string { return m.secret(name, key, true) }

func (m *Mounts) secret(name, key string, optional bool) string {
	volume := fmt.Sprintf("secret-%d", m.secrets)
	m.secrets++
	m.volumes = append(m.volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: name, DefaultMode: new(int32(0o440)),
		Items: []corev1.KeyToPath{{Key: key, Path: "value"}}, Optional: &optional,
	}}})
	dir := secretsDir + "/" + volume
	m.mounts = append(m.mounts, corev1.VolumeMount{Name: volume, MountPath: dir, ReadOnly: true})
	return dir + "/value"
}

// Claim mounts a volume claim at a path.
func (m *Mounts) Claim(claim, path string, readOnly bool) {
	m.mounts = append(m.mounts, corev1.VolumeMount{Name: m.claimVolume(claim), MountPath: path, ReadOnly: readOnly})
}

// Generation mounts one generation of a site's volume at /site, as the site's own pods do. It must exist by then: the agent's
// setup makes it in an init container.
func (m *Mounts) Generation(claim string, generation int64) {
	m.mounts = append(m.mounts, corev1.VolumeMount{
		Name: m.claimVolume(claim), MountPath: siteRoot, SubPath: fmt.Sprintf("gen/%d", generation),
	})
}

func (m *Mounts) claimVolume(claim string) string {
	if name, ok := m.claims[claim]; ok {
		return name
	}
	if m.claims == nil {
		m.claims = map[string]string{}
	}
	name := fmt.Sprintf("claim-%d", len(m.claims))
	m.claims[claim] = name
	m.volumes = append(m.volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
	}})
	return name
}
