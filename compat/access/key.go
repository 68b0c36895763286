package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

const (
	// keyPrefix begins every API key, so that one that got lost is recognised.
	keyPrefix = "swk_"
	// secretPrefix begins the name of every Secret that holds a key's hash.
	secretPrefix = "compat-key-"
	// keySecretType is the type of those Secrets.
	keySecretType = corev1.SecretType("sitewright.dev/compat-key")

	dataHash    = "sha256"
	dataAccount = "serviceaccount"
)

// NewKey makes an API key for a service account: the key, which is shown once, and the Secret in the namespace of keys that knows it by its SHA-256. A key
// has 130 random bits, so a fast hash is as safe as a slow one.
func NewKey(namespace, panelUser string, account types.NamespacedName) (string, *corev1.Secret) {
	id := strings.ToLower(rand.Text()[:12])
	key := keyPrefix + id + "_" + strings.ToLower(rand.Text())
	return key, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: secretPrefix + id,
			Labels: map[string]string{"app.kubernetes.io/managed-by": "sitewright", api.LabelUser: panelUser},
		},
		Type:       keySecretType,
		StringData: map[string]string{dataHash: hash(key), dataAccount: account.String()},
	}
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// errUnknown says that credentials are of no use.
var errUnknown = errors.New("nobody has these credentials")

// byKey is the caller whose API key it is.
func (a *Access) byKey(ctx context.Context, key string) (*Caller, error) {
	id, _, _ := strings.Cut(strings.TrimPrefix(key, keyPrefix), "_")
	if id == "" || len(id) > 32 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return nil, errUnknown
	}
	var secret corev1.Secret
	err := a.own.Get(ctx, client.ObjectKey{Namespace: a.keys, Name: secretPrefix + id}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("looking for an API key: %w", err)
	}
	if secret.Type != keySecretType || subtle.ConstantTimeCompare(secret.Data[dataHash], []byte(hash(key))) != 1 {
		return nil, errUnknown
	}
	namespace, name, ok := strings.Cut(string(secret.Data[dataAccount]), "/")
	if !ok || namespace == "" || name == "" {
		return nil, fmt.Errorf("secret %s/%s names no service account: make the key anew", a.keys, secret.Name)
	}
	return account(namespace, name), nil
}
