package install

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// legacy is what an Install leaves to the next one of its name, as its volume claim's annotation has it.
type legacy struct {
	// Install is the UID of the one that leaves it.
	Install     string `json:"install"`
	Application string `json:"application"`
	// Site is the status, without what only that Install was concerned with.
	Site api.InstallStatus `json:"site"`
}

// legacy is written down as long as the site is to outlive its Install.
func (s *site) legacy() string {
	left := legacy{Install: string(s.in.UID), Application: s.in.Spec.Application, Site: api.InstallStatus{
		SiteUID: s.identity(), URL: s.status.URL, Version: s.status.Version, SchemaVersion: s.status.SchemaVersion, Runtime: s.status.Runtime,
		Generation: s.status.Generation, Generations: s.status.Generations, HighestGeneration: s.status.HighestGeneration,
		Database: s.status.Database, Size: s.status.Size,
	}}
	b, err := json.Marshal(left)
	if err != nil {
		panic(err) // It is of strings and numbers.
	}
	return string(b)
}

// identity is what the names of the site's databases and of their user are made of.
func (s *site) identity() string {
	if s.status.SiteUID != "" {
		return s.status.SiteUID
	}
	return string(s.in.UID)
}

// adopt takes over what an Install of this name left. The site is there: what remains to do is to serve it.
func (s *site) adopt(ctx context.Context) (*step.Wait, error) {
	if b := s.in.Spec.Bootstrap; b == nil || b.Orphan == nil || s.status.SiteUID != "" {
		return nil, nil
	}
	left, err := s.inherit(ctx)
	if err != nil {
		return nil, err
	}
	// Whoever is killed from here on finds the same again: the claim keeps what it says of the site.
	for name, o := range s.lasting() {
		key := client.ObjectKey{Namespace: s.in.Namespace, Name: name}
		err := s.Get(ctx, key, o)
		if apierrors.IsNotFound(err) || (err == nil && o.GetAnnotations()[api.AnnotationInstallUID] != left.Install) {
			continue
		}
		if err == nil {
			err = s.take(ctx, o)
		}
		if err != nil {
			return nil, fmt.Errorf("adopting %s: %w", key, err)
		}
	}
	if _, wait, err := s.ensureLogin(ctx, func() (map[string]string, *step.Wait, error) { return nil, nil, nil }); wait != nil || err != nil {
		return wait, err
	}
	site := left.Site
	for i := range site.Generations {
		if site.Generations[i].Number == site.Generation {
			site.Generations[i].UID = string(s.in.UID)
		}
	}
	s.status.SiteUID, s.status.Version, s.status.SchemaVersion, s.status.Runtime = site.SiteUID, site.Version, site.SchemaVersion, site.Runtime
	s.status.Generations, s.status.HighestGeneration = site.Generations, site.HighestGeneration
	s.status.Database, s.status.Size = site.Database, site.Size
	return step.Progressing(fmt.Sprintf("adopting generation %d", site.Generation)), nil
}

// inherit reads what was left, and refuses what is no site of this Install's.
func (s *site) inherit(ctx context.Context) (*legacy, error) {
	const field = "spec.bootstrap.orphan"
	claim, name := &corev1.PersistentVolumeClaim{}, names.Workload(s.in.Name)
	err := s.Live.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: name}, claim)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("%s: no Install %s has left anything in namespace %s: there is no PersistentVolumeClaim of that name", field, name, s.in.Namespace))
	}
	if err != nil {
		return nil, fmt.Errorf("reading PersistentVolumeClaim %s: %w", name, err)
	}
	if owner := metav1.GetControllerOf(claim); owner != nil && owner.UID != s.in.UID {
		return nil, step.Invalid(fmt.Sprintf("%s: PersistentVolumeClaim %s belongs to %s %s: nobody has left it", field, name, owner.Kind, owner.Name))
	}
	left := &legacy{}
	if err := json.Unmarshal([]byte(claim.Annotations[api.AnnotationSite]), left); err != nil || left.Site.Generation == 0 {
		return nil, step.Invalid(fmt.Sprintf(
			"%s: PersistentVolumeClaim %s does not say in its annotation %s what is on it: it was not left by an Install with deletionPolicy Orphan that served",
			field, name, api.AnnotationSite))
	}
	switch {
	case left.Application != s.in.Spec.Application:
		return nil, step.Invalid(fmt.Sprintf("spec.application: what was left is of %s", left.Application))
	case URLKey(left.Site.URL) != URLKey(string(s.in.Spec.URL)):
		return nil, step.Invalid(fmt.Sprintf("spec.url: the site that was left is at %s: adopt it there", left.Site.URL))
	case s.in.Spec.Runtime.Name != "" && s.in.Spec.Runtime.Name != left.Site.Runtime:
		return nil, step.Invalid(fmt.Sprintf("spec.runtime.name: the site that was left runs on %s: adopt it on that", left.Site.Runtime))
	}
	return left, s.knownRuntime(left.Site.Runtime)
}

// take makes the Install the one that an object belongs to.
func (s *site) take(ctx context.Context, o client.Object) error {
	before := o.DeepCopyObject().(client.Object)
	o.GetAnnotations()[api.AnnotationInstallUID] = string(s.in.UID)
	o.SetOwnerReferences(s.owners())
	return s.Patch(ctx, o, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}
