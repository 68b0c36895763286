package access

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

const (
	// AccountName is the service account that a panel user's requests act as, in the user's namespace. The chart lets the program impersonate accounts of this name, and
	// of no other.
	AccountName = "sitewright-panel"
	// TenantRole is the ClusterRole of what a panel user may do in a namespace.
	TenantRole = "sitewright-tenant"
	// AdministratorRole is the ClusterRole of what an administrator may do in all.
	AdministratorRole = "sitewright-administrator"
)

// Accounts makes panel users and their API keys. Its client has an administrator's power.
type Accounts struct {
	c    client.Client
	keys string
}

// NewAccounts keeps keys in a namespace.
func NewAccounts(c client.Client, keysNamespace string) *Accounts { return &Accounts{c, keysNamespace} }

// User is a panel user.
type User struct {
	// Name of the user.
	Name string
	// Namespace of the user's sites; empty: one of the user's name.
	Namespace string
	// Owner is the reseller who may manage the sites too; empty: nobody.
	Owner string
	// Administrator says that the user may manage the sites of every namespace.
	Administrator bool
}

// CreateUser makes a panel user, or adds what is missing of one.
func (a *Accounts) CreateUser(ctx context.Context, u User) error {
	if u.Namespace == "" {
		u.Namespace = u.Name
	}
	if err := a.label(ctx, u); err != nil {
		return err
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: u.Namespace, Name: AccountName}}
	meta := metav1.ObjectMeta{Namespace: u.Namespace, Name: AccountName}
	wanted := []client.Object{&corev1.ServiceAccount{ObjectMeta: meta, AutomountServiceAccountToken: new(false)}}
	if u.Administrator {
		wanted = append(wanted, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: AdministratorRole + "-" + u.Namespace}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: AdministratorRole},
		})
	}
	if u.Owner != "" {
		owner, err := a.namespaceOf(ctx, u.Owner)
		if err != nil {
			return err
		}
		subjects = append(subjects, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: owner, Name: AccountName})
	}
	wanted = append(wanted, &rbacv1.RoleBinding{
		ObjectMeta: meta, Subjects: subjects, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: TenantRole},
	})
	for _, o := range wanted {
		if err := a.ensure(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// label makes the user's namespace, or claims the one that is there, unless it is another's.
func (a *Accounts) label(ctx context.Context, u User) error {
	labels := map[string]string{api.LabelUser: u.Name}
	if u.Owner != "" {
		labels[api.LabelOwner] = u.Owner
	}
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: u.Namespace, Labels: labels}}
	if err := a.c.Create(ctx, n); !apierrors.IsAlreadyExists(err) {
		return err
	}
	if err := a.c.Get(ctx, client.ObjectKeyFromObject(n), n); err != nil {
		return err
	}
	if other := n.Labels[api.LabelUser]; other != "" && other != u.Name {
		return fmt.Errorf("namespace %s is that of user %s: name another one with --namespace", n.Name, other)
	}
	before := n.DeepCopy()
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	maps.Copy(n.Labels, labels)
	return a.c.Patch(ctx, n, client.MergeFrom(before))
}

// ensure makes an object, or brings its subjects to what they are to be.
func (a *Accounts) ensure(ctx context.Context, o client.Object) error {
	o.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "sitewright"})
	wanted := o.DeepCopyObject().(client.Object)
	err := a.c.Create(ctx, o)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	binding, ok := wanted.(*rbacv1.RoleBinding)
	if !ok {
		return nil
	}
	there := &rbacv1.RoleBinding{}
	if err := a.c.Get(ctx, client.ObjectKeyFromObject(binding), there); err != nil {
		return err
	}
	before := there.DeepCopy()
	for _, s := range binding.Subjects {
		if !slices.Contains(there.Subjects, s) {
			there.Subjects = append(there.Subjects, s)
		}
	}
	return a.c.Patch(ctx, there, client.MergeFrom(before))
}

// namespaceOf is the namespace of a panel user.
func (a *Accounts) namespaceOf(ctx context.Context, user string) (string, error) {
	var list corev1.NamespaceList
	if err := a.c.List(ctx, &list, client.MatchingLabels{api.LabelUser: user}); err != nil {
		return "", err
	}
	switch len(list.Items) {
	case 0:
		return "", fmt.Errorf("there is no user %s: make it with sitewright compat user create %s", user, user)
	case 1:
		return list.Items[0].Name, nil
	}
	slices.SortFunc(list.Items, func(a, b corev1.Namespace) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return list.Items[0].Name, nil
}

// CreateKey makes an API key for a panel user. It cannot be shown again.
func (a *Accounts) CreateKey(ctx context.Context, user string) (string, error) {
	namespace, err := a.namespaceOf(ctx, user)
	if err != nil {
		return "", err
	}
	account := types.NamespacedName{Namespace: namespace, Name: AccountName}
	if err := a.c.Get(ctx, account, &corev1.ServiceAccount{}); err != nil {
		return "", fmt.Errorf("user %s has no account: run sitewright compat user create %s: %w", user, user, err)
	}
	key, secret := NewKey(a.keys, user, account)
	if err := a.c.Create(ctx, secret); err != nil {
		return "", fmt.Errorf("keeping the key's hash: %w", err)
	}
	return key, nil
}

// Key is an API key as far as it can be told.
type Key struct {
	ID, User string
	Created  time.Time
}

// Keys are all API keys, oldest first.
func (a *Accounts) Keys(ctx context.Context) ([]Key, error) {
	var list corev1.SecretList
	if err := a.c.List(ctx, &list, client.InNamespace(a.keys)); err != nil {
		return nil, err
	}
	var keys []Key
	for _, s := range list.Items {
		if s.Type == keySecretType {
			keys = append(keys, Key{ID: strings.TrimPrefix(s.Name, secretPrefix), User: s.Labels[api.LabelUser], Created: s.CreationTimestamp.Time})
		}
	}
	slices.SortFunc(keys, func(a, b Key) int { return a.Created.Compare(b.Created) })
	return keys, nil
}

// DeleteKey takes a key back.
func (a *Accounts) DeleteKey(ctx context.Context, id string) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: a.keys, Name: secretPrefix + id}}
	if err := a.c.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return fmt.Errorf("looking for key %s: %w", id, err)
	}
	if secret.Type != keySecretType {
		return fmt.Errorf("secret %s/%s is no API key", a.keys, secret.Name)
	}
	return a.c.Delete(ctx, secret)
}
