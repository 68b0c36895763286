// Package clone copies an Install to another URL, by making a new Install that is cloned from it.
package clone

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/copying"
	"github.com/sitewright/sitewright/controllers/step"
)

// Reconciler reconciles Clones.
type Reconciler struct {
	client.Client
	Events events.EventRecorder
	Now    func() time.Time
}

// task is the memory of one reconcile.
type task struct {
	*Reconciler
	clone   *api.Clone
	status  api.CloneStatus
	now     time.Time
	source  *api.Install
	install *api.Install
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=clones,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=clones/status,verbs=patch

// Reconcile brings one Clone closer to its end. The Install that it makes is a site of its own: deleting the Clone leaves it.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	clone := &api.Clone{}
	if err := r.Get(ctx, req.NamespacedName, clone); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	t := &task{Reconciler: r, clone: clone, status: *clone.Status.DeepCopy(), now: r.Now()}
	if clone.DeletionTimestamp != nil || step.Ended(&t.status.TaskStatus) {
		return ctrl.Result{}, nil
	}
	if t.status.Install != "" {
		return t.report(ctx, step.Run(ctx, t.madeInstall, t.followInstall))
	}
	return t.report(ctx, step.Run(ctx, t.findSource, t.makeInstall, t.followInstall))
}

// findSource reads the Install to copy.
func (t *task) findSource(ctx context.Context) (*step.Wait, error) {
	in, name := &api.Install{}, t.clone.Spec.SourceRef.Name
	err := t.Get(ctx, client.ObjectKey{Namespace: t.clone.Namespace, Name: name}, in)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.sourceRef: Install %s does not exist in namespace %s", name, t.clone.Namespace))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	t.source = in
	if in.Status.Generation == 0 {
		return step.Dependency(fmt.Sprintf("Install %s does not serve yet: %s", name, step.Message(in.Status.Conditions))), nil
	}
	return nil, nil
}

// makeInstall makes the copy.
func (t *task) makeInstall(ctx context.Context) (*step.Wait, error) {
	spec := copying.Spec(t.clone.Spec.To, t.source.Spec.Application, "", t.source,
		api.BootstrapSpec{Clone: &api.CloneBootstrap{SourceRef: t.clone.Spec.SourceRef}})
	made, err := copying.Make(ctx, t.Client, t.clone, t.clone.Spec.To.Name, spec)
	if err != nil {
		return nil, err
	}
	step.Begin(&t.status.TaskStatus, t.now)
	t.install, t.status.Install, t.status.URL = made, made.Name, string(made.Spec.URL)
	return nil, nil
}

// madeInstall reads the copy that was made before.
func (t *task) madeInstall(ctx context.Context) (*step.Wait, error) {
	var err error
	t.install, err = copying.Made(ctx, t.Client, t.clone, t.status.Install)
	return nil, err
}

// followInstall waits for the copy to serve.
func (t *task) followInstall(context.Context) (*step.Wait, error) {
	return copying.Follow(t.install, &t.status.TaskStatus)
}

// report writes the status, once, and then tells people.
func (t *task) report(ctx context.Context, o step.Outcome) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: o.RequeueAfter()}
	step.Finish(&t.status.TaskStatus, o, t.clone.Generation, t.now,
		fmt.Sprintf("Install %s is a copy of %s and serves at %s", t.status.Install, t.clone.Spec.SourceRef.Name, t.status.URL))
	if equality.Semantic.DeepEqual(t.clone.Status, t.status) {
		return result, o.Retryable()
	}
	configuration, err := step.Configuration[ac.CloneStatusApplyConfiguration](t.status)
	if err != nil {
		return ctrl.Result{}, err
	}
	err = step.ApplyStatus(ctx, t.Client, ac.Clone(t.clone.Name, t.clone.Namespace).WithResourceVersion(t.clone.ResourceVersion).WithStatus(configuration))
	if err != nil {
		return step.Unwritten(err)
	}
	step.Announce(t.Events, t.clone, t.clone.Status.Conditions, t.status.Conditions)
	return result, o.Retryable()
}

// SetupWithManager registers the controller, and what wakes it.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.Clone{}).
		Watches(&api.Install{}, handler.EnqueueRequestsFromMapFunc(r.unfinished)).
		Complete(r)
}

// unfinished wakes the Clones of a namespace that are not done.
func (r *Reconciler) unfinished(ctx context.Context, o client.Object) []reconcile.Request {
	var list api.CloneList
	if err := r.List(ctx, &list, client.InNamespace(o.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the Clones to wake")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if c := &list.Items[i]; c.Status.CompletionTime == nil {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(c)})
		}
	}
	return out
}
