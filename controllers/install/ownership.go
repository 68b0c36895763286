package install

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// ours says whether an object was made for this Install: it owns it or, where the object is to outlive it, is named in it.
func ours(o client.Object, in *api.Install) bool {
	return metav1.IsControlledBy(o, in) || o.GetAnnotations()[api.AnnotationInstallUID] == string(in.UID)
}

// predecessors says whether an object is owned by an Install that had this one's name before: the garbage collector is about to take it.
func (s *site) predecessors(o client.Object) bool {
	owner := metav1.GetControllerOf(o)
	return owner != nil && owner.Kind == "Install" && owner.Name == s.in.Name && owner.UID != s.in.UID
}

// kept says whether the volume and the Secrets outlive the Install. Then it must not own them: when it is deleted in the foreground, as Argo CD does, the
// garbage collector takes what it owns before any finalizer has a say.
func kept(in *api.Install) bool { return in.Spec.DeletionPolicy == api.DeletionOrphan }

// ownership brings the owners of the volume and the Secrets in line with the deletion policy. Their annotation and labels say whose they are, or were.
func (s *site) ownership(ctx context.Context) (*step.Wait, error) {
	for name, o := range s.lasting() {
		key := client.ObjectKey{Namespace: s.in.Namespace, Name: name}
		err := s.Get(ctx, key, o)
		if apierrors.IsNotFound(err) || (err == nil && !ours(o, s.in)) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", key, err)
		}
		if err := s.own(ctx, o); err != nil {
			return nil, fmt.Errorf("saying whose %s is: %w", key, err)
		}
	}
	return nil, nil
}

// lasting are the objects that may outlive the Install, by their names.
func (s *site) lasting() map[string]client.Object {
	return map[string]client.Object{
		names.Workload(s.in.Name):       &corev1.PersistentVolumeClaim{},
		names.AdminSecret(s.in.Name):    &corev1.Secret{},
		names.DatabaseSecret(s.in.Name): &corev1.Secret{},
	}
}

// own makes the Install the owner of one of its objects, or lets it go.
func (s *site) own(ctx context.Context, o client.Object) error {
	annotations := maps.Clone(o.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[api.AnnotationInstallUID] = string(s.in.UID)
	if _, volume := o.(*corev1.PersistentVolumeClaim); volume && kept(s.in) && s.status.Generation > 0 {
		annotations[api.AnnotationSite] = s.legacy()
	}
	if maps.Equal(annotations, o.GetAnnotations()) && metav1.IsControlledBy(o, s.in) != kept(s.in) {
		return nil
	}
	before := o.DeepCopyObject().(client.Object)
	o.SetAnnotations(annotations)
	o.SetOwnerReferences(s.owners())
	return s.Patch(ctx, o, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// owners of the volume and the Secrets.
func (s *site) owners() []metav1.OwnerReference {
	if kept(s.in) {
		return nil
	}
	return []metav1.OwnerReference{*s.ownerReference()}
}
