package controllers_test

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// kills is after how many of a task's writes the operator is killed, spread over all of them. Each costs seconds; a number beyond the writes
// tries them all.
const kills = 8

// TestKilledOperator kills the operator after one of its writes, starts it again and lets it finish: what there is in the end is always the
// same.
func TestKilledOperator(t *testing.T) {
	t.Run("Install", func(t *testing.T) {
		w := newWorld(t)
		w.application()
		w.server()
		w.killed(nil, func(n int) []client.Object { return []client.Object{w.site("site-" + try(n))} }, func(int) []client.Object { return nil })
	})
	t.Run("BackupAndRestore", func(t *testing.T) {
		w, in, _ := backedUp(t, func(in *api.Install) { in.Spec.KeepPrevious = &metav1.Duration{} })
		var b *api.Backup
		var r *api.Restore
		w.killed(in, func(n int) []client.Object {
			b = w.backup("backup-"+try(n), "blog")
			r = w.restore("restore-"+try(n), b.Name)
			return []client.Object{b, r}
		}, func(int) []client.Object { return []client.Object{r, b} })
	})
	t.Run("Upgrade", func(t *testing.T) {
		w, in, _ := backedUp(t, func(in *api.Install) { in.Spec.KeepPrevious = &metav1.Duration{} })
		var u *api.Upgrade
		var b *api.Backup
		w.killed(in, func(n int) []client.Object {
			u = w.upgrade("up-"+try(n), "blog", func(u *api.Upgrade) {
				u.Spec.Version, u.Spec.Plugins, u.Spec.Backup = "current", []string{"*"}, true
			})
			b = w.before(u)
			return []client.Object{u, b}
		}, func(int) []client.Object { return []client.Object{u, b} })
	})
	t.Run("GoBack", func(t *testing.T) {
		w, in, _ := backedUp(t)
		w.play(w.restore("back", "monday"), in)
		w.killed(in, func(int) []client.Object {
			change(w, in, func(in *api.Install) {
				in.Annotations = map[string]string{api.AnnotationGoBack: strconv.FormatInt(in.Status.PreviousGeneration, 10)}
			})
			return nil
		}, func(int) []client.Object { return nil })
		same(t, "generations", len(in.Status.Generations), 2)
	})
	t.Run("CloneAndDeletion", func(t *testing.T) {
		w := newWorld(t)
		source := w.serving("blog")
		var made *api.Install
		w.killed(source, func(n int) []client.Object {
			made = &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "copy-" + try(n), Namespace: w.ns}}
			return []client.Object{w.cloneOf("clone-"+try(n), "blog", made.Name), made}
		}, func(int) []client.Object { return []client.Object{made} })
	})
}

// try is a part of a name that is found again, and taken out where what two tries left is compared.
func try(n int) string { return fmt.Sprintf("x%02dx", n) }

// killed makes objects and works on them with an operator that is killed after n writes, then removes some of them in the same way, for several
// n. The standing object, where there is one, outlives the tries.
func (w *world) killed(standing client.Object, objects, leaving func(n int) []client.Object) {
	w.Helper()
	with := func(list []client.Object) []client.Object {
		if standing == nil {
			return list
		}
		return append(list, standing)
	}
	life := func(n, making, removing int) (account string, made, removed int) {
		list := with(objects(n))
		made = w.work(making, list...)
		account = w.account(n, list)
		gone := leaving(n)
		if gone == nil {
			return account, made, 0
		}
		for _, o := range gone {
			w.remove(o)
		}
		list = with(gone)
		removed = w.work(removing, list...)
		return account + w.account(n, list), made, removed
	}
	want, writes, removals := life(0, 0, 0)
	w.Logf("%d writes to make, %d to remove", writes, removals)
	for i := range kills {
		making, removing := 1+i*writes/kills, 1+i*removals/kills
		if got, _, _ := life(1+i, making, removing); got != want {
			w.Errorf("killed after writes %d and %d it ends otherwise:\n%s\n\nthan undisturbed:\n%s", making, removing, got, want)
		}
	}
}

// work lets the operator work until it is killed after so many writes, and another one after it; 0 lets it live. It says how many writes the first
// one did.
func (w *world) work(after int, objects ...client.Object) int {
	w.Helper()
	k := &killer{after: after}
	w.operate(killable(view(cluster.live), k))
	w.untilKilled(k, objects...)
	w.operate(view(cluster.live))
	w.play(objects...)
	return k.writes
}

// untilKilled is play for an operator that may die.
func (w *world) untilKilled(k *killer, objects ...client.Object) {
	w.Helper()
	const enough = 60
	for range enough {
		changed := false
		for _, o := range objects {
			before := w.version(o)
			_, err := w.once(o)
			if k.dead {
				return
			}
			if err != nil && !apierrors.IsConflict(err) && !errors.Is(err, errKilled) {
				w.Fatalf("reconciling %s %s: %v", kindOf(o), o.GetName(), err)
			}
			collected := w.collect()
			changed = changed || collected || err != nil || w.version(o) != before
		}
		if !changed && !w.playAgents() && !w.playPods() {
			return
		}
	}
	w.Fatalf("%d rounds did not finish %s", enough, objects[0].GetName())
}

// beforeHash is of an Upgrade's UID, in the name of the Backup that it makes first.
var beforeHash = regexp.MustCompile("before-[0-9a-f]{6}")

// account tells what there is, without what differs from one try to the next.
func (w *world) account(n int, objects []client.Object) string {
	w.Helper()
	var b strings.Builder
	for _, o := range objects {
		if w.version(o) == "" {
			fmt.Fprintf(&b, "%s %s is gone\n", kindOf(o), o.GetName())
			continue
		}
		ready := w.condition(o, api.ConditionReady)
		fmt.Fprintf(&b, "%s %s %s %s\n", kindOf(o), o.GetName(), ready.Status, ready.Reason)
		switch o := o.(type) {
		case *api.Install:
			st := o.Status
			fmt.Fprintf(&b, "  url %s version %s operation %v asks %d generations %d databases %d user %v serves it %v\n", st.URL, st.Version,
				st.Operation != nil, len(o.Annotations), len(st.Generations), len(w.databases(o)), w.databaseUser(o), w.serves(o.Name) == fmt.Sprint(st.Generation))
		case *api.Backup:
			fmt.Fprintf(&b, "  snapshot %s progress %v\n", o.Status.Snapshot.ID, o.Status.Progress.Percent)
		case *api.Restore:
			fmt.Fprintf(&b, "  install %s url %s\n", o.Status.Install, o.Status.URL)
		}
	}
	all := strings.ReplaceAll(b.String()+w.children(n), w.ns, "NAMESPACE")
	return beforeHash.ReplaceAllString(strings.ReplaceAll(all, try(n), "N"), "before")
}

// children counts what is left of a try.
func (w *world) children(n int) string {
	w.Helper()
	var jobs batchv1.JobList
	var secrets corev1.SecretList
	w.must(w.List(w.Context(), &jobs, client.InNamespace(w.ns)))
	w.must(w.List(w.Context(), &secrets, client.InNamespace(w.ns)))
	var found []string
	for _, j := range jobs.Items {
		if strings.Contains(j.Name, try(n)) || strings.HasPrefix(j.Name, "prune") {
			found = append(found, "Job "+j.Name)
		}
	}
	for _, s := range secrets.Items {
		if strings.Contains(s.Name, try(n)) {
			found = append(found, "Secret "+s.Name)
		}
	}
	return strings.Join(found, ", ") + "\n"
}
