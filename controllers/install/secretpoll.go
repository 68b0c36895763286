package install

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// secretPoll is how often to look at a Secret that a spec names.
const secretPoll = 2 * time.Minute

// SecretPoll looks at the Secrets that the specs of Installs name, and wakes an Install when one has changed. To watch them would take the right to read
// every Secret of the cluster, and to reconcile each Install for that would be much more work than one read.
type SecretPoll struct {
	client.Client
	// Wake gets the Installs whose Secrets have changed.
	Wake chan<- event.GenericEvent

	mu   sync.Mutex
	seen map[types.NamespacedName]string
}

// Reconcile looks at the Secrets of one Install.
func (p *SecretPoll) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in := &api.Install{}
	err := p.Get(ctx, req.NamespacedName, in)
	if err != nil && !apierrors.IsNotFound(err) {
		return ctrl.Result{}, err
	}
	refs := secretRefs(in)
	if err != nil || in.DeletionTimestamp != nil || len(refs) == 0 {
		p.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	is := string(in.UID) + "\n"
	for _, name := range refs {
		secret := &corev1.Secret{}
		if err := p.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: name}, secret); client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("reading Secret %s: %w", name, err)
		}
		is += fmt.Sprintf("%s %s %s\n", name, secret.UID, secret.ResourceVersion)
	}
	if p.changed(req.NamespacedName, is) {
		select {
		case p.Wake <- event.GenericEvent{Object: in}:
		case <-ctx.Done():
			return ctrl.Result{}, ctx.Err()
		}
	}
	return ctrl.Result{RequeueAfter: secretPoll}, nil
}

// changed says whether something is another than it was. What was never seen before has not changed: its Install is reconciled for other reasons.
func (p *SecretPoll) changed(name types.NamespacedName, is string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[types.NamespacedName]string{}
	}
	was, known := p.seen[name]
	p.seen[name] = is
	return known && was != is
}

func (p *SecretPoll) forget(name types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seen, name)
}

// secretRefs are the names of the Secrets that a spec names.
func secretRefs(in *api.Install) []string {
	var list []string
	if a := in.Spec.Admin; a != nil && a.PasswordSecretRef != nil {
		list = append(list, a.PasswordSecretRef.Name)
	}
	if d := in.Spec.Database; d != nil && d.Existing != nil {
		list = append(list, d.Existing.PasswordSecretRef.Name)
	}
	return list
}

// SetupWithManager registers the controller. A spec that changes is reconciled anyway, and only then there is something else to look at.
func (p *SecretPoll) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("install-secrets").
		For(&api.Install{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(p)
}
