package controllers_test

import (
	"context"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers"
)

// TestManager runs all controllers in a manager, with its cache, indexes and watches: what the other tests call by hand has to wake by itself
// here. It makes a site, backs it up, restores and clones it, and deletes everything.
func TestManager(t *testing.T) {
	w := newSerialWorld(t)
	w.manage()
	w.application()
	server := w.serverObject()
	w.create(server)
	w.Cleanup(func() { w.must(w.Delete(background(w), server)) })
	in, b, r := w.site("blog"), w.backup("monday", "blog"), w.restore("back", "monday")
	copied := w.cloneOf("copy", "blog", "staging")
	l := &api.BackupLocation{ObjectMeta: named("local"), Spec: api.BackupLocationSpec{Default: true, Volume: &api.VolumeLocation{}}}
	w.create(l)
	staging := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "staging", Namespace: w.ns}}
	w.eventually("everything is done", func() bool {
		w.playAgents()
		w.playPods()
		for _, o := range []client.Object{in, b, r, copied} {
			if w.condition(o, api.ConditionReady).Status != metav1.ConditionTrue {
				return false
			}
		}
		return in.Status.Operation == nil
	})
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "generation 2")
	w.expect(b, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(r, status.CurrentStatus, api.ReasonSucceeded)
	w.expect(copied, status.CurrentStatus, api.ReasonSucceeded)

	for _, o := range []client.Object{r, copied, b, in, staging, l} {
		w.remove(o)
	}
	w.eventually("everything is gone", func() bool {
		w.collect()
		w.playAgents()
		for _, o := range []client.Object{r, copied, b, in, staging, l} {
			if w.version(o) != "" {
				return false
			}
		}
		return true
	})
	same(t, "databases", len(w.databases(in))+len(w.databases(staging)), 0)
}

// manage runs the controllers on the test's namespace until the test ends.
func (w *world) manage() {
	w.Helper()
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": "sitewright"})}
	mgr, err := ctrl.NewManager(cluster.config, ctrl.Options{
		Scheme: cluster.scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Controller: anyName(),
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{w.ns: {}},
			ByObject: map[client.Object]cache.ByObject{
				&batchv1.Job{}: ours, &corev1.Pod{}: ours, &appsv1.Deployment{}: ours, &corev1.Service{}: ours,
				&corev1.PersistentVolumeClaim{}: ours, &networkingv1.Ingress{}: ours,
			},
		},
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
	})
	w.must(err)
	w.must(controllers.Setup(w.Context(), mgr, controllers.Options{Platform: platform, ScheduledBackups: 10, Now: time.Now}))
	ctx, stop := context.WithCancel(background(w))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	w.Cleanup(func() {
		stop()
		w.must(<-ended)
	})
}

// eventually waits for what the controllers bring about in their own time.
func (w *world) eventually(what string, so func() bool) {
	w.Helper()
	err := wait.PollUntilContextTimeout(w.Context(), 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) { return so(), nil })
	if err != nil {
		var list api.InstallList
		w.must(w.List(w.Context(), &list, client.InNamespace(w.ns)))
		for _, in := range list.Items {
			w.Log(in.Name, text(in.Status))
		}
		w.Fatalf("it never came about that %s", what)
	}
}
