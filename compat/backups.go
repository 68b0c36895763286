package compat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/wire"
	"github.com/sitewright/sitewright/controllers/location"
)

// backups is what a request says of backups; what it does not say stays.
func (s *Server) backups(ctx context.Context, c *call, namespace string, spec *api.InstallSpec) error {
	schedule, uri := c.text("autobk"), c.text("bkloc")
	daily, weekly, monthly := c.count("autobk_daily"), c.count("autobk_weekly"), c.count("autobk_monthly")
	counts := daily != nil || weekly != nil || monthly != nil
	if schedule == "" && uri == "" && !counts {
		return nil
	}
	if spec.Backups == nil {
		spec.Backups = &api.BackupsSpec{}
	}
	b := spec.Backups
	switch {
	case schedule == "" && !counts:
	case schedule == "" || schedule == "custom":
		b.ScheduleRef = nil
		for _, n := range []struct{ to, given **int32 }{{&b.Daily, &daily}, {&b.Weekly, &weekly}, {&b.Monthly, &monthly}} {
			if *n.given != nil {
				*n.to = *n.given
			}
		}
	case counts:
		return wire.Invalid("autobk", "autobk_daily, autobk_weekly and autobk_monthly are for autobk=custom")
	default:
		found, err := find[*api.BackupSchedule](ctx, s, schedules, schedule)
		if err != nil || found.Namespace != namespace {
			return wire.Invalid("autobk", "autobk must be custom, or the id of a schedule of the site's user")
		}
		b.ScheduleRef, b.Daily, b.Weekly, b.Monthly = &api.LocalReference{Name: found.Name}, nil, nil, nil
	}
	if uri == "" {
		return nil
	}
	name, err := s.location(ctx, c, namespace, uri)
	if err == nil {
		b.LocationRef = &api.LocalReference{Name: name}
	}
	return err
}

// location is the name of the BackupLocation at a URI. It is made where there is none; equal ones are shared, and have the login that was named last.
func (s *Server) location(ctx context.Context, c *call, namespace, uri string) (string, error) {
	spec, login, err := location.FromURI(uri)
	if err != nil {
		return "", wire.Invalid("bkloc", err.Error())
	}
	name, err := locationName(spec, login)
	if err != nil {
		return "", err
	}
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{managedBy: "sitewright-compat"}}
	l := &api.BackupLocation{ObjectMeta: meta, Spec: spec}
	_, ref, _ := location.Credentials(l)
	ref.Name = name
	if c.dryRun() > 0 {
		return name, nil
	}
	// The Secret comes first: a location that finds none takes a while to look again. It belongs to the location once that is there.
	secret := &corev1.Secret{ObjectMeta: meta, StringData: login}
	if err := s.put(ctx, secret); err != nil {
		return "", fmt.Errorf("keeping the login of BackupLocation %s: %w", name, err)
	}
	if err := s.tenant.Create(ctx, l); err != nil && !apierrors.IsAlreadyExists(err) {
		return "", err
	}
	if l.UID == "" {
		return name, nil
	}
	before := secret.DeepCopy()
	secret.OwnerReferences = []metav1.OwnerReference{{APIVersion: api.GroupVersion.String(), Kind: "BackupLocation", Name: name, UID: l.UID}}
	return name, s.tenant.Patch(ctx, secret, client.MergeFrom(before))
}

// put makes a Secret, or changes what is in the one that is there.
func (s *Server) put(ctx context.Context, secret *corev1.Secret) error {
	content := secret.StringData
	err := s.tenant.Create(ctx, secret)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	if err := s.tenant.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return err
	}
	before := secret.DeepCopy()
	secret.StringData = content
	return s.tenant.Patch(ctx, secret, client.MergeFrom(before))
}

// locationName is the same for the same place and user name, whatever the password.
func locationName(spec api.BackupLocationSpec, login map[string]string) (string, error) {
	place, err := json.Marshal(spec)
	if err != nil {
		return "", fmt.Errorf("naming a backup location: %w", err)
	}
	sum := sha256.Sum256(append(place, login["username"]+login["access-key"]+login["app-key"]...))
	return "bkloc-" + hex.EncodeToString(sum[:])[:16], nil
}
