// Package location finds the BackupLocation of a task, and tells the agent how to reach it.
package location

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// PasswordKey is the key of a generated repository password.
const PasswordKey = "password"

// Password is the Secret key that holds a location's repository password.
func Password(l *api.BackupLocation) api.SecretKeyReference {
	if e := l.Spec.Encryption; e != nil && e.PasswordSecretRef != nil {
		return *e.PasswordSecretRef
	}
	return api.SecretKeyReference{Name: names.RepositorySecret(l.Name), Key: PasswordKey}
}

// Find gets the location of that name or, where there is none, the namespace's default one. It is ready when Find returns it.
func Find(ctx context.Context, c client.Client, namespace, name string) (*api.BackupLocation, *step.Wait, error) {
	l, err := find(ctx, c, namespace, name)
	if err != nil {
		return nil, nil, err
	}
	if !step.IsReady(l.Status.Conditions, l.Generation) {
		return nil, step.Dependency(fmt.Sprintf("BackupLocation %s is not ready: %s", l.Name, step.Message(l.Status.Conditions))), nil
	}
	return l, nil, nil
}

func find(ctx context.Context, c client.Client, namespace, name string) (*api.BackupLocation, error) {
	if name != "" {
		var l api.BackupLocation
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &l)
		if apierrors.IsNotFound(err) {
			return nil, step.Invalid(fmt.Sprintf("BackupLocation %s does not exist in namespace %s: create it", name, namespace))
		}
		return &l, err
	}
	var list api.BackupLocationList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing the BackupLocations of %s: %w", namespace, err)
	}
	defaults := slices.DeleteFunc(list.Items, func(l api.BackupLocation) bool { return !l.Spec.Default })
	if len(defaults) == 0 {
		return nil, step.Invalid(fmt.Sprintf("namespace %s has no default BackupLocation: set locationRef, or default: true on one", namespace))
	}
	return new(slices.MinFunc(defaults, func(a, b api.BackupLocation) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})), nil
}
