package install

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// Keys of the Secrets that are made for an Install.
const (
	keyUsername = "username"
	keyPassword = "password"
	keyEmail    = "email"
	keyURL      = "url"
)

// secretRetry is how long to wait for a Secret that somebody is yet to make: Secrets are not watched.
const secretRetry = 15 * time.Second

// secrets makes the database user's password, once: it is never changed here. The administrator's login is made with the site.
func (s *site) secrets(ctx context.Context) (*step.Wait, error) {
	if s.usesDatabase() && s.existing() == nil {
		got := s.ensureSecret(ctx, names.DatabaseSecret(s.in.Name), func() (map[string]string, *step.Wait, error) {
			if s.status.Generation > 0 {
				// Another password would shut out the site that serves: its configuration has the old one.
				return nil, nil, step.Failed(fmt.Sprintf("Secret %s with the password of database user %s is gone: make it again, with the password that the site's configuration has",
					names.DatabaseSecret(s.in.Name), names.DatabaseUser(s.identity())))
			}
			return map[string]string{keyUsername: names.DatabaseUser(s.identity()), keyPassword: rand.Text()}, nil, nil
		})
		return got.wait, got.err
	}
	return nil, nil
}

// ensureLogin makes the Secret with the administrator's login, and reports it.
func (s *site) ensureLogin(ctx context.Context, content func() (map[string]string, *step.Wait, error)) (*corev1.Secret, *step.Wait, error) {
	name := names.AdminSecret(s.in.Name)
	got := s.ensureSecret(ctx, name, content)
	if got.secret != nil {
		s.status.Admin = &api.AdminStatus{Login: string(got.secret.Data[keyUsername]), SecretRef: &api.LocalReference{Name: name}}
	}
	return got.secret, got.wait, got.err
}

// ensured is what ensureSecret found or made.
type ensured struct {
	secret *corev1.Secret
	wait   *step.Wait
	err    error
}

// ensureSecret makes a Secret of the Install unless it is there. A nil map means that there is nothing to make.
func (s *site) ensureSecret(ctx context.Context, name string, content func() (map[string]string, *step.Wait, error)) ensured {
	have := &corev1.Secret{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: name}, have)
	if err == nil {
		if s.predecessors(have) {
			return ensured{wait: &step.Wait{Reason: api.ReasonProgressing, After: endingPoll,
				Message: fmt.Sprintf("waiting for Secret %s of the Install that had this name before to go", name)}}
		}
		if !ours(have, s.in) {
			return ensured{err: step.Failed(fmt.Sprintf("Secret %s exists and does not belong to this Install: delete or rename it", name))}
		}
		return ensured{secret: have}
	}
	if !apierrors.IsNotFound(err) {
		return ensured{err: fmt.Errorf("reading Secret %s: %w", name, err)}
	}
	data, wait, err := content()
	if data == nil || wait != nil || err != nil {
		return ensured{wait: wait, err: err}
	}
	made := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: s.in.Namespace, Labels: job.Labels(map[string]string{api.LabelInstall: s.in.Name}),
			Annotations:     map[string]string{api.AnnotationInstallUID: string(s.in.UID), api.AnnotationApplied: applied(data[keyPassword])},
			OwnerReferences: s.owners(),
		},
		Data: map[string][]byte{},
	}
	for k, v := range data {
		made.Data[k] = []byte(v)
	}
	if err := s.Create(ctx, made); err != nil {
		return ensured{err: fmt.Errorf("creating Secret %s: %w", name, err)}
	}
	return ensured{secret: made}
}

// applied stands for a password.
func applied(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

func (s *site) ownerReference() *metav1.OwnerReference {
	return metav1.NewControllerRef(s.in, api.GroupVersion.WithKind("Install"))
}

// newLogin is the administrator of a fresh installation.
func (s *site) newLogin(ctx context.Context) (map[string]string, *step.Wait, error) {
	login := map[string]string{keyURL: string(s.in.Spec.URL)}
	admin := s.in.Spec.Admin
	if admin == nil {
		admin = &api.AdminSpec{}
	}
	login[keyUsername], login[keyEmail] = admin.Login, admin.Email
	if login[keyUsername] == "" {
		login[keyUsername] = "admin-" + strings.ToLower(rand.Text()[:6])
	}
	if login[keyEmail] == "" {
		login[keyEmail] = "admin@" + hostOf(string(s.in.Spec.URL))
	}
	ref := admin.PasswordSecretRef
	if ref == nil {
		login[keyPassword] = rand.Text()
		return login, nil, nil
	}
	password, wait, err := s.secretValue(ctx, *ref, "spec.admin.passwordSecretRef")
	login[keyPassword] = password
	return login, wait, err
}

// copiedLogin is the login of the Install that is copied, where that is still known: a backup's Install may be gone.
func (s *site) copiedLogin(ctx context.Context, source string) (map[string]string, *step.Wait, error) {
	have := &corev1.Secret{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: names.AdminSecret(source)}, have)
	if source == "" || apierrors.IsNotFound(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the login of Install %s: %w", source, err)
	}
	login := map[string]string{keyURL: string(s.in.Spec.URL)}
	for _, k := range []string{keyUsername, keyPassword, keyEmail} {
		login[k] = string(have.Data[k])
	}
	return login, nil, nil
}

// secretValue reads one key of a user's Secret, or waits for it.
func (s *site) secretValue(ctx context.Context, ref api.SecretKeyReference, field string) (string, *step.Wait, error) {
	have, wait, err := s.userSecret(ctx, ref, field)
	if wait != nil || err != nil {
		return "", wait, err
	}
	return valueOf(have, ref.Key), nil, nil
}

// userSecret reads a user's Secret that has a key, or waits for it.
func (s *site) userSecret(ctx context.Context, ref api.SecretKeyReference, field string) (*corev1.Secret, *step.Wait, error) {
	have, err := s.readSecret(ctx, ref.Name)
	if err != nil {
		return nil, nil, err
	}
	if have == nil {
		return nil, &step.Wait{Reason: api.ReasonDependencyNotReady, After: secretRetry,
			Message: fmt.Sprintf("%s: Secret %s does not exist in namespace %s", field, ref.Name, s.in.Namespace)}, nil
	}
	if _, ok := have.Data[ref.Key]; !ok {
		return nil, &step.Wait{Reason: api.ReasonDependencyNotReady, After: secretRetry,
			Message: fmt.Sprintf("%s: Secret %s has no key %s", field, ref.Name, ref.Key)}, nil
	}
	return have, nil, nil
}

// ownSecret reads a Secret that was made for the Install, nil when it is not there, or somebody else's.
func (s *site) ownSecret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret, err := s.readSecret(ctx, name)
	if secret == nil || err != nil || !ours(secret, s.in) {
		return nil, err
	}
	return secret, nil
}

// valueOf is what a key of a Secret holds, as the agent reads it: one newline at its end is not part of it.
func valueOf(secret *corev1.Secret, key string) string {
	return strings.TrimSuffix(string(secret.Data[key]), "\n")
}

// readSecret reads a Secret of the namespace, nil when it is not there.
func (s *site) readSecret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return secret, nil
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
