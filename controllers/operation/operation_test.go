package operation

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

func TestOlder(t *testing.T) {
	at := func(name string, seconds int64) *api.Backup {
		return &api.Backup{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(seconds, 0))}}
	}
	for _, c := range []struct {
		a, b *api.Backup
		want bool
	}{
		{at("z", 1), at("a", 2), true},
		{at("a", 2), at("z", 1), false},
		{at("a", 1), at("b", 1), true},
		{at("b", 1), at("a", 1), false},
		{at("a", 1), at("a", 1), false},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("%s of %d is older than %s of %d: %v", c.a.Name, c.a.CreationTimestamp.Unix(), c.b.Name, c.b.CreationTimestamp.Unix(), got)
		}
	}
}

func TestWaiting(t *testing.T) {
	for reason, want := range map[string]bool{
		api.ReasonQueued: true, api.ReasonProgressing: true, api.ReasonDependencyNotReady: false, api.ReasonFailed: false,
		api.ReasonInvalidSpec: false, api.ReasonSucceeded: false, api.ReasonRetrying: false,
	} {
		if got := waiting([]metav1.Condition{{Type: api.ConditionReady, Reason: reason}}); got != want {
			t.Errorf("a task with the reason %s stands in the queue: %v", reason, got)
		}
	}
	if waiting(nil) {
		t.Error("a task that was never looked at stands in the queue")
	}
}

func TestCopied(t *testing.T) {
	clone := &api.Install{ObjectMeta: metav1.ObjectMeta{UID: "me"}}
	for _, c := range []struct {
		g    api.GenerationStatus
		want bool
	}{
		{api.GenerationStatus{UID: "me"}, false},
		{api.GenerationStatus{UID: "me", Ready: true}, false},
		{api.GenerationStatus{UID: "me", Sealed: true}, true},
		{api.GenerationStatus{UID: "other", Sealed: true}, false},
	} {
		clone.Status.Generations = []api.GenerationStatus{c.g}
		if got := copied(clone); got != c.want {
			t.Errorf("with %+v it is copied: %v", c.g, got)
		}
	}
}

func TestHolderOf(t *testing.T) {
	for kind, known := range map[string]bool{"Backup": true, "Restore": true, "Upgrade": true, "Install": true, "Clone": false, "": false} {
		if o, conditions := holderOf(kind); (o != nil) != known || (conditions != nil) != known {
			t.Errorf("a holder of kind %q is %T", kind, o)
		}
	}
}
