package step

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

var now = time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)

// outcomes are the ways in which steps end, and what becomes of each.
var outcomes = []struct {
	name                        string
	outcome                     Outcome
	ready, reconciling, stalled metav1.ConditionStatus // empty: absent
	reason                      string
	kstatus                     status.Status
	retryable, completed        bool
}{
	{name: "done", ready: metav1.ConditionTrue, reason: api.ReasonSucceeded, kstatus: status.CurrentStatus, completed: true},
	{name: "working", outcome: Outcome{Wait: Progressing("making")}, ready: metav1.ConditionUnknown, reconciling: metav1.ConditionTrue,
		reason: api.ReasonProgressing, kstatus: status.InProgressStatus},
	{name: "waiting for another", outcome: Outcome{Wait: Dependency("not there")}, ready: metav1.ConditionUnknown, reconciling: metav1.ConditionTrue,
		reason: api.ReasonDependencyNotReady, kstatus: status.InProgressStatus},
	{name: "trying again", outcome: Outcome{Wait: Retry("refused", time.Minute)}, ready: metav1.ConditionFalse, reconciling: metav1.ConditionTrue,
		reason: api.ReasonRetrying, kstatus: status.InProgressStatus},
	{name: "error", outcome: Outcome{Err: errors.New("broken")}, ready: metav1.ConditionFalse, reconciling: metav1.ConditionTrue,
		reason: api.ReasonRetrying, kstatus: status.InProgressStatus, retryable: true},
	{name: "invalid", outcome: Outcome{Err: Invalid("change it")}, ready: metav1.ConditionFalse, stalled: metav1.ConditionTrue,
		reason: api.ReasonInvalidSpec, kstatus: status.FailedStatus, completed: true},
	{name: "failed", outcome: Outcome{Err: Failed("make room")}, ready: metav1.ConditionFalse, stalled: metav1.ConditionTrue,
		reason: api.ReasonFailed, kstatus: status.FailedStatus, completed: true},
	{name: "failed, wrapped", outcome: Outcome{Err: fmt.Errorf("doing it: %w", Failed("make room"))}, ready: metav1.ConditionFalse,
		stalled: metav1.ConditionTrue, reason: api.ReasonFailed, kstatus: status.FailedStatus, completed: true},
	{name: "not implemented", outcome: Outcome{Err: NotImplemented("not yet")}, ready: metav1.ConditionFalse, stalled: metav1.ConditionTrue,
		reason: api.ReasonNotImplemented, kstatus: status.FailedStatus, completed: true},
}

func TestConditions(t *testing.T) {
	for _, before := range outcomes {
		for _, c := range outcomes {
			t.Run(c.name+" after "+before.name, func(t *testing.T) {
				var conditions []metav1.Condition
				before.outcome.Conditions(&conditions, 1, now, "all is well")
				c.outcome.Conditions(&conditions, 2, now, "all is well")
				for kind, want := range map[string]metav1.ConditionStatus{
					api.ConditionReady: c.ready, api.ConditionReconciling: c.reconciling, api.ConditionStalled: c.stalled,
				} {
					have := meta.FindStatusCondition(conditions, kind)
					switch {
					case have == nil && want != "":
						t.Errorf("%s is missing", kind)
					case have != nil && (have.Status != want || have.Reason != c.reason || have.ObservedGeneration != 2 || have.Message == ""):
						t.Errorf("%s is %+v", kind, have)
					}
				}
				if got := compute(t, conditions, 2, 2); got != c.kstatus {
					t.Errorf("kstatus is %s, not %s", got, c.kstatus)
				}
				if got := compute(t, conditions, 3, 2); got != status.InProgressStatus {
					t.Errorf("kstatus of a spec that was not looked at is %s", got)
				}
			})
		}
	}
}

// compute is what a GitOps tool makes of an object.
func compute(t *testing.T, conditions []metav1.Condition, generation, observed int64) status.Status {
	t.Helper()
	b := &api.Backup{}
	b.APIVersion, b.Kind, b.Generation = api.GroupVersion.String(), "Backup", generation
	b.Status.ObservedGeneration, b.Status.Conditions = observed, conditions
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(b)
	if err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: object})
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}

func TestFinish(t *testing.T) {
	for _, c := range outcomes {
		t.Run(c.name, func(t *testing.T) {
			var fresh, begun api.TaskStatus
			Begin(&begun, now)
			Begin(&begun, now.Add(time.Hour))
			if !begun.StartTime.Time.Equal(now) {
				t.Errorf("it began at %s", begun.StartTime)
			}
			Finish(&begun, c.outcome, 2, now, "all is well")
			if Ended(&begun) != c.completed {
				t.Errorf("a task that had begun has ended: %v", Ended(&begun))
			}
			Finish(&fresh, c.outcome, 2, now, "all is well")
			if Ended(&fresh) != c.outcome.Done() {
				t.Errorf("a task that had not begun has ended: %v", Ended(&fresh))
			}
			if c.completed {
				Finish(&begun, c.outcome, 2, now.Add(time.Hour), "all is well")
				if !begun.CompletionTime.Time.Equal(now) {
					t.Errorf("its end moved to %s", begun.CompletionTime)
				}
			}
			if c.outcome.Done() != (begun.Progress != nil && begun.Progress.Percent == 100) {
				t.Errorf("the progress is %v", begun.Progress)
			}
			if (c.outcome.Retryable() != nil) != c.retryable {
				t.Errorf("the work queue gets %v", c.outcome.Retryable())
			}
		})
	}
}

func TestRun(t *testing.T) {
	var ran []string
	take := func(name string, wait *Wait, err error) Func {
		return func(context.Context) (*Wait, error) {
			ran = append(ran, name)
			return wait, err
		}
	}
	for want, steps := range map[string][]Func{
		"abc": {take("a", nil, nil), take("b", nil, nil), take("c", nil, nil)},
		"ab":  {take("a", nil, nil), take("b", Retry("x", time.Minute), nil), take("c", nil, nil)},
		"a":   {take("a", nil, errors.New("x")), take("b", nil, nil)},
	} {
		ran = nil
		o := Run(t.Context(), steps...)
		if got := strings.Join(ran, ""); got != want || o.Done() != (want == "abc") {
			t.Errorf("ran %s instead of %s; done: %v", got, want, o.Done())
		}
		if after := o.RequeueAfter(); (after == time.Minute) != (want == "ab") {
			t.Errorf("after %s it looks again in %s", want, after)
		}
	}
}

func TestBounded(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"short", 5, "short"},
		{"longer", 5, "lo…"},
		{"ééé", 5, "é…"},
		{"日本語", 8, "日…"},
	} {
		if got := Bounded(c.text, c.most); got != c.want || len(got) > c.most || !utf8.ValidString(got) {
			t.Errorf("Bounded(%q, %d) is %q", c.text, c.most, got)
		}
	}
	p := progress(plan.Progress{Percent: 300, RateMillis: -1, Message: strings.Repeat("é", 300)}, 100)
	if p.Percent != 100 || p.Rate != 0 || len(p.Message) > 256 {
		t.Errorf("the progress %d %d with %d bytes does not fit the schema", p.Percent, p.Rate, len(p.Message))
	}
}

func TestConfiguration(t *testing.T) {
	c, err := Configuration[api.SizeStatus](api.SizeStatus{Files: 3})
	if err != nil || c.Files != 3 {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := Configuration[api.SizeStatus](func() {}); err == nil {
		t.Error("a function has a configuration")
	}
}

func TestAnnounce(t *testing.T) {
	conditions := func(o Outcome) []metav1.Condition {
		var c []metav1.Condition
		o.Conditions(&c, 1, now, "all is well")
		return c
	}
	working := conditions(Outcome{Wait: Progressing("making")})
	for _, c := range []struct {
		name          string
		before, after []metav1.Condition
		want          string
	}{
		{"nothing new", working, working, ""},
		{"progress", nil, working, ""},
		{"success", working, conditions(Outcome{}), corev1.EventTypeNormal + " " + api.ReasonSucceeded},
		{"failure", working, conditions(Outcome{Err: Failed("make room")}), corev1.EventTypeWarning + " " + api.ReasonFailed},
		{"another failure", conditions(Outcome{Err: Failed("a")}), conditions(Outcome{Err: Failed("b")}), corev1.EventTypeWarning + " " + api.ReasonFailed},
		{"a first retry", working, conditions(Outcome{Wait: Retry("a", 1)}), corev1.EventTypeWarning + " " + api.ReasonRetrying},
		{"another retry", conditions(Outcome{Wait: Retry("a", 1)}), conditions(Outcome{Wait: Retry("b", 1)}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorder := events.NewFakeRecorder(2)
			Announce(recorder, &api.Backup{}, c.before, c.after)
			select {
			case got := <-recorder.Events:
				if c.want == "" || !strings.HasPrefix(got, c.want) {
					t.Errorf("the event is %q, not %q", got, c.want)
				}
			default:
				if c.want != "" {
					t.Errorf("there is no event %q", c.want)
				}
			}
		})
	}
	Announce(nil, &api.Backup{}, nil, conditions(Outcome{}))
}

func TestReadiness(t *testing.T) {
	var c []metav1.Condition
	if IsReady(c, 0) || Message(c) == "" {
		t.Error("what was never looked at is ready, or says nothing")
	}
	Outcome{}.Conditions(&c, 2, now, "all is well")
	if !IsReady(c, 2) || IsReady(c, 3) {
		t.Error("readiness does not go by the generation")
	}
	Outcome{Err: Invalid("change it")}.Conditions(&c, 3, now, "")
	if why, stalled := IsStalled(c); !stalled || why != "change it" {
		t.Errorf("stalled %v: %q", stalled, why)
	}
}
