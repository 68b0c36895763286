// Package backupschedule says of each BackupSchedule that this version of Sitewright does not act on it yet. It never pretends.
package backupschedule

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
)

// Reconciler reconciles BackupSchedule objects.
type Reconciler struct {
	client.Client
	Events events.EventRecorder
	Now    func() time.Time
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=backupschedules,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=backupschedules/status,verbs=patch

// Reconcile reports that nothing will happen.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj := &api.BackupSchedule{}
	if err := r.Get(ctx, req.NamespacedName, obj); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status := *obj.Status.DeepCopy()
	status.ObservedGeneration = obj.Generation
	o := step.Outcome{Err: step.NotImplemented("this version of Sitewright makes no scheduled backups yet; a CronJob that creates Backup objects does")}
	o.Conditions(&status.Conditions, obj.Generation, r.Now(), "")
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

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).For(&api.BackupSchedule{}).Complete(r)
}
