package step

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// Owner is the field owner of everything that controllers apply, but for an Install's operation.
const Owner = client.FieldOwner("sitewright")

// catchUp is how long a cache may take to learn what was just written.
const catchUp = 200 * time.Millisecond

// Configuration turns a value of the API into its apply configuration: both have one JSON shape, and what is empty in the
// value is not applied.
func Configuration[C any](value any) (*C, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encoding %T: %w", value, err)
	}
	c := new(C)
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("making an apply configuration of %T: %w", value, err)
	}
	return c, nil
}

// ApplyStatus writes a status. The configuration carries the resource version that was read: a decision that was made on
// something older is refused by the API server, and made again on what is there now.
func ApplyStatus(ctx context.Context, c client.Client, configuration runtime.ApplyConfiguration) error {
	return c.Status().Apply(ctx, configuration, Owner, client.ForceOwnership)
}

// Unwritten is what a reconcile returns when its status could not be written. An object that is gone needs none; one that has changed meanwhile is
// looked at again as soon as the cache has caught up, which is no error.
func Unwritten(err error) (ctrl.Result, error) {
	if err == nil {
		return ctrl.Result{}, nil
	}
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: catchUp}, nil
	}
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, fmt.Errorf("writing a status: %w", err)
}

// Announce emits an event when Ready changed its reason between before and after: what a person would want to see in
// kubectl describe, and nothing that repeats. It is called after the status was written.
func Announce(recorder events.EventRecorder, obj runtime.Object, before, after []metav1.Condition) {
	was, is := meta.FindStatusCondition(before, api.ConditionReady), meta.FindStatusCondition(after, api.ConditionReady)
	if recorder == nil || is == nil || (was != nil && was.Reason == is.Reason && was.Message == is.Message) {
		return
	}
	switch is.Reason {
	case api.ReasonSucceeded:
		if was == nil || was.Reason != is.Reason {
			recorder.Eventf(obj, nil, corev1.EventTypeNormal, is.Reason, "Reconcile", "%s", is.Message)
		}
	case api.ReasonFailed, api.ReasonInvalidSpec, api.ReasonNotImplemented:
		recorder.Eventf(obj, nil, corev1.EventTypeWarning, is.Reason, "Reconcile", "%s", is.Message)
	case api.ReasonRetrying, api.ReasonDependencyNotReady:
		if was == nil || was.Reason != is.Reason {
			recorder.Eventf(obj, nil, corev1.EventTypeWarning, is.Reason, "Reconcile", "%s", is.Message)
		}
	}
}

// IsReady says whether conditions of the given generation have Ready=True.
func IsReady(conditions []metav1.Condition, generation int64) bool {
	c := meta.FindStatusCondition(conditions, api.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration >= generation
}

// IsStalled says whether conditions have Stalled=True, and why.
func IsStalled(conditions []metav1.Condition) (string, bool) {
	c := meta.FindStatusCondition(conditions, api.ConditionStalled)
	if c == nil || c.Status != metav1.ConditionTrue {
		return "", false
	}
	return c.Message, true
}

// Message is what Ready says, for objects that depend on this one.
func Message(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, api.ConditionReady); c != nil {
		return c.Message
	}
	return "not looked at yet"
}

// EnsureFinalizer holds obj until its controller has cleaned up.
func EnsureFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	for _, f := range obj.GetFinalizers() {
		if f == api.Finalizer {
			return nil
		}
	}
	return patchFinalizers(ctx, c, obj, append(append([]string(nil), obj.GetFinalizers()...), api.Finalizer))
}

// ReleaseFinalizer lets obj go.
func ReleaseFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	rest := []string{}
	for _, f := range obj.GetFinalizers() {
		if f != api.Finalizer {
			rest = append(rest, f)
		}
	}
	if len(rest) == len(obj.GetFinalizers()) {
		return nil
	}
	return client.IgnoreNotFound(patchFinalizers(ctx, c, obj, rest))
}

// patchFinalizers replaces the list under the resource version that was read, so that no one else's finalizer is lost.
func patchFinalizers(ctx context.Context, c client.Client, obj client.Object, finalizers []string) error {
	before := obj.DeepCopyObject().(client.Object)
	obj.SetFinalizers(finalizers)
	return c.Patch(ctx, obj, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}
