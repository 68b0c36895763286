package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/application"
	"github.com/sitewright/sitewright/controllers/backup"
	"github.com/sitewright/sitewright/controllers/backuplocation"
	"github.com/sitewright/sitewright/controllers/backupschedule"
	"github.com/sitewright/sitewright/controllers/clone"
	"github.com/sitewright/sitewright/controllers/databaseserver"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/restore"
	"github.com/sitewright/sitewright/controllers/upgrade"
)

// clock stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)} }

// Now is the clock's time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is one test's namespace, with the controllers, which are called directly, and a clock.
type world struct {
	*testing.T
	// Client reads and writes what is there.
	client.Client
	ns          string
	clock       *clock
	reconcilers map[string]reconcile.Reconciler
	jobs        *job.Runner
	// answers overrides what played agents answer, by the name of their task.
	answers map[string]answer
}

// newWorld makes a namespace for a test, which runs beside others: what it makes outside that namespace has the namespace in its name.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return newSerialWorld(t)
}

// newSerialWorld is for tests that have a default DatabaseServer: there is one for all namespaces.
func newSerialWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, Client: cluster.live, clock: newClock(), answers: map[string]answer{}}
	w.ns = w.namespace(nil)
	w.operate(view(cluster.live))
	return w
}

// namespace makes another namespace.
func (w *world) namespace(labels map[string]string) string {
	w.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-", Labels: labels}}
	w.must(w.Create(w.Context(), ns))
	return ns.Name
}

// operate starts the operator afresh, with what it sees of the cluster.
func (w *world) operate(c client.Client) {
	w.Helper()
	clientset, err := kubernetes.NewForConfig(cluster.config)
	w.must(err)
	now := w.clock.Now
	w.jobs = &job.Runner{Client: c, Pods: clientset.CoreV1(), OperatorImage: platform.OperatorImage}
	sites := &install.Reconciler{Client: c, Live: cluster.live, Jobs: w.jobs, Now: now, Platform: platform}
	w.reconcilers = map[string]reconcile.Reconciler{
		"Application":    &application.Reconciler{Client: c, Now: now},
		"Backup":         &backup.Reconciler{Client: c, Jobs: w.jobs, Sites: sites, Now: now},
		"BackupLocation": &backuplocation.Reconciler{Client: c, Live: cluster.live, Jobs: w.jobs, Now: now},
		"BackupSchedule": &backupschedule.Reconciler{Client: c, Now: now},
		// It counts the backups of the whole cluster, in which other tests have theirs.
		scheduler:        &backupschedule.Sites{Client: client.NewNamespacedClient(c, w.ns), Live: cluster.live, Now: now, Most: 10},
		"Clone":          &clone.Reconciler{Client: c, Now: now},
		"DatabaseServer": &databaseserver.Reconciler{Client: c, Now: now},
		"Install":        sites,
		"Restore":        &restore.Reconciler{Client: c, Jobs: w.jobs, Sites: sites, Now: now},
		"Upgrade":        &upgrade.Reconciler{Client: c, Jobs: w.jobs, Sites: sites, Now: now},
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func kindOf(o client.Object) string {
	gvk, err := apiutil.GVKForObject(o, cluster.scheme)
	if err != nil {
		panic(err)
	}
	return gvk.Kind
}

// once reconciles an object once.
func (w *world) once(o client.Object) (ctrl.Result, error) {
	w.Helper()
	return w.reconcilers[kindOf(o)].Reconcile(w.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
}

// settle reconciles objects, each in its turn, until none of them changes any more, and brings them up to date. Conflicts are tried again,
// as the work queue does.
func (w *world) settle(objects ...client.Object) ctrl.Result {
	w.Helper()
	const enough = 60
	var result ctrl.Result
	for range enough {
		changed := false
		for _, o := range objects {
			before := w.version(o)
			r, err := w.once(o)
			if err != nil && !apierrors.IsConflict(err) {
				w.Fatalf("reconciling %s %s: %v", kindOf(o), o.GetName(), err)
			}
			result = r
			// What a Job does wakes its owner.
			collected := w.collect()
			changed = changed || collected || err != nil || w.version(o) != before
		}
		if !changed {
			return result
		}
	}
	w.Fatalf("%d rounds did not settle %s", enough, objects[0].GetName())
	return result
}

// play is settle, with agents that end well and pods that answer, until nothing is left to do.
func (w *world) play(objects ...client.Object) {
	w.Helper()
	const enough = 60
	for range enough {
		w.settle(objects...)
		if !w.playAgents() && !w.playPods() {
			return
		}
	}
	w.Fatalf("%d rounds did not finish %s", enough, objects[0].GetName())
}

// version reads an object anew and says which version of it there is; empty when it is gone.
func (w *world) version(o client.Object) string {
	w.Helper()
	err := w.Get(w.Context(), client.ObjectKeyFromObject(o), o)
	if apierrors.IsNotFound(err) {
		return ""
	}
	w.must(err)
	return o.GetResourceVersion()
}

// there says whether an object exists.
func (w *world) there(o client.Object, name string) bool {
	w.Helper()
	err := w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, o)
	w.must(client.IgnoreNotFound(err))
	return err == nil
}

// create makes an object, in the test's namespace unless it says otherwise.
func (w *world) create(o client.Object) {
	w.Helper()
	if o.GetNamespace() == "" {
		if namespaced, err := w.IsObjectNamespaced(o); err == nil && namespaced {
			o.SetNamespace(w.ns)
		}
	}
	w.must(w.Create(w.Context(), o))
}

// change edits the newest version of an object.
func change[T client.Object](w *world, o T, edit func(T)) {
	w.Helper()
	w.must(w.Get(w.Context(), client.ObjectKeyFromObject(o), o))
	before := o.DeepCopyObject().(client.Object)
	edit(o)
	w.must(w.Patch(w.Context(), o, client.MergeFrom(before)))
}

// remove asks for an object's deletion.
func (w *world) remove(o client.Object) {
	w.Helper()
	w.must(client.IgnoreNotFound(w.Delete(w.Context(), o)))
}

// expect holds an object's conditions against what kstatus makes of them, the reason of Ready, and parts of its message.
func (w *world) expect(o client.Object, want status.Status, reason string, parts ...string) {
	w.Helper()
	u := &unstructured.Unstructured{}
	gvk, err := apiutil.GVKForObject(o, cluster.scheme)
	w.must(err)
	u.SetGroupVersionKind(gvk)
	w.must(w.Get(w.Context(), client.ObjectKeyFromObject(o), u))
	got, err := status.Compute(u)
	w.must(err)
	if got.Status != want {
		w.Errorf("kstatus of %s %s is %s, not %s: %s\n%s", gvk.Kind, o.GetName(), got.Status, want, got.Message, text(u.Object["status"]))
	}
	ready := w.condition(o, api.ConditionReady)
	if ready.Reason != reason {
		w.Errorf("%s %s: the reason of Ready is %q, not %q: %s", gvk.Kind, o.GetName(), ready.Reason, reason, ready.Message)
	}
	for _, p := range parts {
		if !strings.Contains(ready.Message, p) {
			w.Errorf("%s %s says %q, without %q", gvk.Kind, o.GetName(), ready.Message, p)
		}
	}
}

// condition reads a condition of an object; one that is not there is empty.
func (w *world) condition(o client.Object, kind string) metav1.Condition {
	w.Helper()
	w.must(w.Get(w.Context(), client.ObjectKeyFromObject(o), o))
	b, err := json.Marshal(o)
	w.must(err)
	var any struct {
		Status struct{ Conditions []metav1.Condition }
	}
	w.must(json.Unmarshal(b, &any))
	for _, c := range any.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

func text(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// same compares two values.
func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}

// background outlives the test, for what is cleaned up after it.
func background(t testing.TB) context.Context { return context.WithoutCancel(t.Context()) }

func contains(s, part string) bool { return strings.Contains(s, part) }

// replace takes a part out of a text.
func replace(s, part string) string { return strings.ReplaceAll(s, part, "") }
