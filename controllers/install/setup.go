package install

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/operation"
)

// Indexes by which the Installs that depend on an object are found.
const (
	indexApplication = "sitewright.dev/application"
	indexBackup      = "sitewright.dev/bootstrap-backup"
	indexLocation    = "sitewright.dev/bootstrap-location"
)

// indexes are the values of each index.
var indexes = map[string]func(*api.Install) string{
	indexApplication: func(in *api.Install) string { return in.Spec.Application },
	indexBackup: func(in *api.Install) string {
		if b := in.Spec.Bootstrap; in.Status.Generation == 0 && b != nil && b.Backup != nil && b.Backup.BackupRef != nil {
			return b.Backup.BackupRef.Name
		}
		return ""
	},
	indexLocation: func(in *api.Install) string {
		if b := in.Spec.Bootstrap; in.Status.Generation == 0 && b != nil && b.Backup != nil && b.Backup.Latest != nil {
			return b.Backup.Latest.LocationRef.Name
		}
		return ""
	},
	operation.IndexCloneSource: func(in *api.Install) string {
		if b := in.Spec.Bootstrap; in.Status.Generation == 0 && b != nil && b.Clone != nil {
			return b.Clone.SourceRef.Name
		}
		return ""
	},
}

// SetupWithManager registers the controller: what it owns, and what wakes it.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	for name, value := range indexes {
		err := mgr.GetFieldIndexer().IndexField(ctx, &api.Install{}, name, func(o client.Object) []string {
			if v := value(o.(*api.Install)); v != "" {
				return []string{v}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("indexing Installs by %s: %w", name, err)
		}
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &api.Install{}, IndexHost, func(o client.Object) []string { return hosts(o.(*api.Install)) }); err != nil {
		return fmt.Errorf("indexing Installs by host: %w", err)
	}
	wake := handler.EnqueueRequestsFromMapFunc
	changed := make(chan event.GenericEvent)
	err := ctrl.NewControllerManagedBy(mgr).
		For(&api.Install{}).
		Owns(&appsv1.Deployment{}).
		Owns(&batchv1.Job{}).
		Watches(&api.Install{}, wake(r.byInstall)).
		Watches(&api.Application{}, wake(r.by(indexApplication, false))).
		Watches(&api.Backup{}, wake(r.byTask)).
		Watches(&api.Restore{}, wake(r.byTask)).
		Watches(&api.Upgrade{}, wake(r.byTask)).
		Watches(&api.BackupLocation{}, wake(r.by(indexLocation, true))).
		Watches(&api.DatabaseServer{}, wake(r.withoutDatabase)).
		WatchesRawSource(source.Channel(changed, &handler.EnqueueRequestForObject{})).
		Complete(r)
	if err != nil {
		return err
	}
	return (&SecretPoll{Client: r.Client, Wake: changed}).SetupWithManager(mgr)
}

// by wakes the Installs that an index leads to from an object's name.
func (r *Reconciler) by(index string, sameNamespace bool) handler.MapFunc {
	return func(ctx context.Context, o client.Object) []reconcile.Request {
		options := []client.ListOption{client.MatchingFields{index: o.GetName()}}
		if sameNamespace {
			options = append(options, client.InNamespace(o.GetNamespace()))
		}
		return r.requests(ctx, nil, options...)
	}
}

// byInstall wakes the copies that wait for an Install, and those that want its URL.
func (r *Reconciler) byInstall(ctx context.Context, o client.Object) []reconcile.Request {
	in := o.(*api.Install)
	waits := func(other *api.Install) bool {
		return other.UID != in.UID && other.Status.URL != string(other.Spec.URL)
	}
	list := r.requests(ctx, waits, client.InNamespace(in.Namespace), client.MatchingFields{operation.IndexCloneSource: in.Name})
	for _, host := range hosts(in) {
		list = append(list, r.requests(ctx, waits, client.MatchingFields{IndexHost: host})...)
	}
	return list
}

// byTask wakes the Install that a task is about, and those that are made of it.
func (r *Reconciler) byTask(ctx context.Context, o client.Object) []reconcile.Request {
	var list []reconcile.Request
	if b, ok := o.(*api.Backup); ok {
		list = r.by(indexBackup, true)(ctx, o)
		if b.Spec.InstallRef != nil {
			list = append(list, request(o.GetNamespace(), b.Spec.InstallRef.Name))
		}
	}
	if t, ok := o.(*api.Upgrade); ok {
		list = append(list, request(o.GetNamespace(), t.Spec.InstallRef.Name))
	}
	if t, ok := o.(*api.Restore); ok && t.Status.Install != "" {
		list = append(list, request(o.GetNamespace(), t.Status.Install))
	}
	return list
}

// withoutDatabase wakes the Installs whose database is not ready.
func (r *Reconciler) withoutDatabase(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.requests(ctx, func(in *api.Install) bool {
		return !meta.IsStatusConditionTrue(in.Status.Conditions, api.ConditionDatabaseReady)
	})
}

func (r *Reconciler) requests(ctx context.Context, keep func(*api.Install) bool, options ...client.ListOption) []reconcile.Request {
	var list api.InstallList
	if err := r.List(ctx, &list, options...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the Installs to wake")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if keep == nil || keep(&list.Items[i]) {
			out = append(out, request(list.Items[i].Namespace, list.Items[i].Name))
		}
	}
	return out
}

func request(namespace, name string) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: name}}
}
