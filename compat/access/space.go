package access

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// The indexes of namespaces: by the panel user whose they are, and by the reseller.
const (
	userIndex  = "user"
	ownerIndex = "owner"
)

// Indexes prepares namespaces to be found by their users and owners.
func Indexes(ctx context.Context, i client.FieldIndexer) error {
	for index, label := range map[string]string{userIndex: api.LabelUser, ownerIndex: api.LabelOwner} {
		err := i.IndexField(ctx, &corev1.Namespace{}, index, func(o client.Object) []string {
			if value := o.GetLabels()[label]; value != "" {
				return []string{value}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("indexing namespaces: %w", err)
		}
	}
	return nil
}

// PanelUser is the panel user whose a namespace is; where it names none, the namespace's own name.
func (a *Access) PanelUser(ctx context.Context, namespace string) string {
	if namespace == "" {
		return ""
	}
	var n corev1.Namespace
	if err := a.spaces.Get(ctx, client.ObjectKey{Name: namespace}, &n, client.UnsafeDisableDeepCopy); err != nil || n.Labels[api.LabelUser] == "" {
		return namespace
	}
	return n.Labels[api.LabelUser]
}

// OfUser are the namespaces of a panel user; of a namespace without one the name is taken for the user's.
func (a *Access) OfUser(ctx context.Context, user string) ([]string, error) {
	found, err := a.by(ctx, userIndex, user)
	if err != nil || len(found) > 0 {
		return found, err
	}
	var n corev1.Namespace
	if err := a.spaces.Get(ctx, client.ObjectKey{Name: user}, &n, client.UnsafeDisableDeepCopy); err == nil && n.Labels[api.LabelUser] == "" {
		return []string{user}, nil
	}
	return nil, nil
}

// OfOwner are the namespaces whose reseller a panel user is.
func (a *Access) OfOwner(ctx context.Context, owner string) ([]string, error) {
	return a.by(ctx, ownerIndex, owner)
}

func (a *Access) by(ctx context.Context, index, value string) ([]string, error) {
	var list corev1.NamespaceList
	if err := a.spaces.List(ctx, &list, client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the namespaces of %s: %w", value, err)
	}
	var names []string
	for _, n := range list.Items {
		names = append(names, n.Name)
	}
	slices.Sort(names)
	return names, nil
}
