// Package backupschedule makes the Backups that are due and removes those that are not kept: for each Install, what its BackupSchedule or its own
// counts ask for. Of a BackupSchedule itself it says whether it can be followed.
package backupschedule

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
)

// Reconciler reconciles BackupSchedules: it says whether one can be followed. Sites follows them.
type Reconciler struct {
	client.Client
	Events events.EventRecorder
	Now    func() time.Time
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=backupschedules,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=backupschedules/status,verbs=patch

// Reconcile looks at one schedule.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj := &api.BackupSchedule{}
	if err := r.Get(ctx, req.NamespacedName, obj); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var installs api.InstallList
	if err := r.List(ctx, &installs, client.InNamespace(obj.Namespace)); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing the Installs of namespace %s: %w", obj.Namespace, err)
	}
	sites := 0
	for i := range installs.Items {
		if scheduleOf(&installs.Items[i]) == obj.Name {
			sites++
		}
	}
	status := report(obj, sites, r.Now())
	if equality.Semantic.DeepEqual(obj.Status, status) {
		return ctrl.Result{}, nil
	}
	configuration, err := step.Configuration[ac.BackupScheduleStatusApplyConfiguration](status)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := step.ApplyStatus(ctx, r.Client, ac.BackupSchedule(obj.Name, obj.Namespace).WithResourceVersion(obj.ResourceVersion).WithStatus(configuration)); err != nil {
		return step.Unwritten(err)
	}
	step.Announce(r.Events, obj, obj.Status.Conditions, status.Conditions)
	return ctrl.Result{}, nil
}

// report is the status of a schedule that so many sites refer to.
func report(obj *api.BackupSchedule, sites int, now time.Time) api.BackupScheduleStatus {
	status := *obj.Status.DeepCopy()
	status.ObservedGeneration = obj.Generation
	var o step.Outcome
	if _, problem := follow(obj); problem != "" {
		o.Err = step.Invalid(problem)
	}
	message := fmt.Sprintf("%d sites are backed up by it", sites)
	if obj.Spec.Suspend {
		message = fmt.Sprintf("suspended: %d sites are not backed up by it", sites)
	}
	o.Conditions(&status.Conditions, obj.Generation, now, message)
	if ready := meta.FindStatusCondition(status.Conditions, api.ConditionReady); obj.Spec.Suspend && o.Done() {
		suspended := *ready
		suspended.Reason = api.ReasonSuspended
		meta.SetStatusCondition(&status.Conditions, suspended)
	}
	return status
}

// SetupWithManager registers the controller, and what wakes it.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.BackupSchedule{}).
		Watches(&api.Install{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return r.schedules(ctx, o.GetNamespace())
		})).
		Complete(r)
}

// schedules wakes those of a namespace: an Install may have come to one, or left another.
func (r *Reconciler) schedules(ctx context.Context, namespace string) []reconcile.Request {
	var list api.BackupScheduleList
	if err := r.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the BackupSchedules to wake")
		return nil
	}
	out := make([]reconcile.Request, len(list.Items))
	for i := range list.Items {
		out[i] = reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])}
	}
	return out
}

// condition is BackedUp of an Install.
func condition(in *api.Install, status metav1.ConditionStatus, reason, message string) *metav1.Condition {
	return &metav1.Condition{Type: api.ConditionBackedUp, Status: status, Reason: reason, Message: step.Bounded(message, 1024),
		ObservedGeneration: in.Generation}
}
