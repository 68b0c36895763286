package backupschedule

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
)

// owner is the field owner of what an Install's status says of its backups, apart from the rest of it.
const owner = client.FieldOwner("sitewright-backups")

// indexUnfinished on Backup tells those that a schedule made and that are at work, or wait for it, from all others.
const indexUnfinished = "sitewright.dev/unfinished-schedule"

// Sites makes and removes the scheduled Backups of each Install, and says in its status how recent they are.
type Sites struct {
	client.Client
	// Live reads past the cache.
	Live client.Reader
	Now  func() time.Time
	// Most is how many scheduled Backups may be unfinished at once in the whole cluster.
	Most int
}

// site is the memory of one reconcile.
type site struct {
	*Sites
	in      *api.Install
	now     time.Time
	backups backups
	again   time.Duration

	arrangement *arrangement
	problem     string

	next     *metav1.Time
	backedUp *metav1.Condition
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=installs;backups,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=backups,verbs=create;delete
// +kubebuilder:rbac:groups=sitewright.dev,resources=installs/status,verbs=patch

// Reconcile looks at the backups of one Install.
func (s *Sites) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	in := &api.Install{}
	if err := s.Get(ctx, req.NamespacedName, in); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if in.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	t := &site{Sites: s, in: in, now: s.Now()}
	o := step.Run(ctx, t.arrange, t.observe, t.due, t.prune, t.judge)
	if o.Err != nil {
		return ctrl.Result{}, o.Err
	}
	return t.report(ctx)
}

// arrange finds out what was arranged.
func (t *site) arrange(ctx context.Context) (_ *step.Wait, err error) {
	t.arrangement, t.problem, err = t.arranged(ctx, t.in)
	return nil, err
}

// observe reads the Backups of the Install.
func (t *site) observe(ctx context.Context) (*step.Wait, error) {
	var list api.BackupList
	err := t.List(ctx, &list, client.InNamespace(t.in.Namespace), client.MatchingFields{operation.IndexInstall: t.in.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the Backups of Install %s: %w", t.in.Name, err)
	}
	t.backups = classify(t.in, list.Items)
	return nil, nil
}

// later asks for another look in that time, or sooner.
func (t *site) later(in time.Duration) {
	in = max(in, time.Second)
	if t.again == 0 || in < t.again {
		t.again = in
	}
}

// report writes what has changed of the status, once.
func (t *site) report(ctx context.Context) (ctrl.Result, error) {
	result := ctrl.Result{RequeueAfter: t.again}
	was := meta.FindStatusCondition(t.in.Status.Conditions, api.ConditionBackedUp)
	if c := t.backedUp; c != nil {
		c.LastTransitionTime = metav1.NewTime(t.now)
		if was != nil && was.Status == c.Status {
			c.LastTransitionTime = was.LastTransitionTime
		}
	}
	last := t.backups.summary()
	same := equality.Semantic.DeepEqual(was, t.backedUp) && equality.Semantic.DeepEqual(t.in.Status.NextBackup, t.next) &&
		equality.Semantic.DeepEqual(t.in.Status.LastBackup, last)
	if same {
		return result, nil
	}
	configuration, err := step.Configuration[ac.InstallStatusApplyConfiguration](struct {
		Conditions []*metav1.Condition `json:"conditions,omitempty"`
		LastBackup *api.BackupSummary  `json:"lastBackup,omitempty"`
		NextBackup *metav1.Time        `json:"nextBackup,omitempty"`
	}{list(t.backedUp), last, t.next})
	if err != nil {
		return ctrl.Result{}, err
	}
	err = t.Status().Apply(ctx, ac.Install(t.in.Name, t.in.Namespace).WithResourceVersion(t.in.ResourceVersion).WithStatus(configuration), owner, client.ForceOwnership)
	if err != nil {
		return step.Unwritten(err)
	}
	return result, nil
}

func list(c *metav1.Condition) []*metav1.Condition {
	if c == nil {
		return nil
	}
	return []*metav1.Condition{c}
}

// SetupWithManager registers the controller, and what wakes it.
func (s *Sites) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &api.Backup{}, indexUnfinished, func(o client.Object) []string {
		if b := o.(*api.Backup); scheduled(b) && atWork(b) {
			return []string{"true"}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing unfinished Backups: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("install-backups").
		For(&api.Install{}).
		Watches(&api.Backup{}, handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
			if ref := o.(*api.Backup).Spec.InstallRef; ref != nil {
				return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: ref.Name}}}
			}
			return nil
		})).
		Watches(&api.BackupSchedule{}, handler.EnqueueRequestsFromMapFunc(s.followers)).
		Complete(s)
}

// followers wakes the Installs that refer to a schedule.
func (s *Sites) followers(ctx context.Context, o client.Object) []reconcile.Request {
	var list api.InstallList
	if err := s.List(ctx, &list, client.InNamespace(o.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the Installs to wake")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if in := &list.Items[i]; scheduleOf(in) == o.GetName() {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(in)})
		}
	}
	return out
}
