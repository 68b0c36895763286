// Package backuplocation says of each BackupLocation whether its repository can be opened, and makes it where there is none. It has the
// repository maintained, measured, and searched for snapshots that the cluster does not know.
package backuplocation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
)

// Reconciler reconciles BackupLocations.
type Reconciler struct {
	client.Client
	// Live reads past the cache, which holds only what is labelled as ours.
	Live   client.Reader
	Jobs   *job.Runner
	Events events.EventRecorder
	Now    func() time.Time
}

// place is the memory of one reconcile.
type place struct {
	*Reconciler
	location *api.BackupLocation
	status   api.BackupLocationStatus
	now      time.Time
	again    time.Duration
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=backuplocations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=backuplocations/status,verbs=patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=backuplocations/finalizers,verbs=update
// +kubebuilder:rbac:groups=sitewright.dev,resources=backups,verbs=get;list;watch;create

// Reconcile tries one location.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	l := &api.BackupLocation{}
	if err := r.Get(ctx, req.NamespacedName, l); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	p := &place{Reconciler: r, location: l, status: *l.Status.DeepCopy(), now: r.Now()}
	if l.DeletionTimestamp != nil {
		return p.report(ctx, step.Run(ctx, p.unused, p.letGo))
	}
	if err := step.EnsureFinalizer(ctx, r.Client, l); err != nil {
		return ctrl.Result{}, fmt.Errorf("adding the finalizer: %w", err)
	}
	return p.report(ctx, step.Run(ctx, p.described, p.password, p.credentials, p.volume, p.open, p.maintain, p.adopt))
}

// sooner has the location looked at again in that time, or before.
func (p *place) sooner(in time.Duration) {
	if p.again == 0 || in < p.again {
		p.again = in
	}
}

// report writes the status, once, and then tells people.
func (p *place) report(ctx context.Context, o step.Outcome) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: p.again}
	if !o.Done() {
		result.RequeueAfter = o.RequeueAfter()
	}
	if p.location.DeletionTimestamp != nil && len(p.location.Finalizers) == 0 {
		return ctrl.Result{}, nil
	}
	p.status.ObservedGeneration = p.location.Generation
	o.Conditions(&p.status.Conditions, p.location.Generation, p.now, "the repository answers")
	if equality.Semantic.DeepEqual(p.location.Status, p.status) {
		return result, o.Retryable()
	}
	configuration, err := step.Configuration[ac.BackupLocationStatusApplyConfiguration](p.status)
	if err != nil {
		return ctrl.Result{}, err
	}
	err = step.ApplyStatus(ctx, p.Client, ac.BackupLocation(p.location.Name, p.location.Namespace).
		WithResourceVersion(p.location.ResourceVersion).WithStatus(configuration))
	if err != nil {
		return step.Unwritten(err)
	}
	step.Announce(p.Events, p.location, p.location.Status.Conditions, p.status.Conditions)
	return result, o.Retryable()
}

// newPassword makes the password of a repository. Whoever has it can read every snapshot, and without it nobody can.
func (p *place) newPassword(ctx context.Context, ref api.SecretKeyReference) error {
	made := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: ref.Name, Namespace: p.location.Namespace, Labels: job.Labels(nil)},
		Data:       map[string][]byte{ref.Key: []byte(rand.Text() + rand.Text())},
	}
	if err := p.Create(ctx, made); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating Secret %s: %w", ref.Name, err)
	}
	return nil
}

// SetupWithManager registers the controller, and what wakes it.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.BackupLocation{}).
		Owns(&batchv1.Job{}).
		Watches(&api.Backup{}, handler.EnqueueRequestsFromMapFunc(r.concerned)).
		Complete(r)
}

// concerned wakes the location that a Backup is in, which has to be maintained and measured, and those that wait for their Backups to go.
func (r *Reconciler) concerned(ctx context.Context, o client.Object) []reconcile.Request {
	var list api.BackupLocationList
	if err := r.List(ctx, &list, client.InNamespace(o.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the BackupLocations to wake")
		return nil
	}
	snapshot := o.(*api.Backup).Status.Snapshot
	var out []reconcile.Request
	for i := range list.Items {
		if l := &list.Items[i]; l.DeletionTimestamp != nil || (snapshot != nil && snapshot.Location == l.Name) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(l)})
		}
	}
	return out
}

// errNoKey is a Secret without the keys that are asked for.
var errNoKey = errors.New("no such key")

// secretKey looks whether a Secret has one of the keys, not empty.
func (p *place) secretKey(ctx context.Context, name string, keys []string) error {
	var s corev1.Secret
	if err := p.Get(ctx, client.ObjectKey{Namespace: p.location.Namespace, Name: name}, &s); err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(key string) bool { return len(s.Data[key]) > 0 }) {
		return errNoKey
	}
	return nil
}
