package e2e

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/test/local"
)

func (k *cluster) read(o client.Object, name string) []metav1.Condition {
	k.t.Helper()
	if err := k.Get(k.t.Context(), client.ObjectKey{Namespace: k.namespace, Name: name}, o); err != nil {
		return nil
	}
	return local.Conditions(o)
}

// ready waits for an object to be Ready. One that stalls meanwhile fails the test.
func (k *cluster) ready(o client.Object, name string) {
	k.t.Helper()
	k.eventually(fmt.Sprintf("%T %s to be Ready", o, name), func() (bool, string) {
		conditions := k.read(o, name)
		if c := meta.FindStatusCondition(conditions, api.ConditionStalled); c != nil && c.Status == metav1.ConditionTrue {
			k.t.Fatalf("%T %s stalled: %s: %s", o, name, c.Reason, c.Message)
		}
		return meta.IsStatusConditionTrue(conditions, api.ConditionReady), fmt.Sprint(conditions)
	})
}

// ended waits for an object to be Ready or Stalled, and says which.
func (k *cluster) ended(o client.Object, name string) (ready bool, message string) {
	k.t.Helper()
	k.eventually(fmt.Sprintf("%T %s to end", o, name), func() (bool, string) {
		conditions := k.read(o, name)
		c := meta.FindStatusCondition(conditions, api.ConditionReady)
		if c == nil {
			return false, "nothing"
		}
		ready, message = c.Status == metav1.ConditionTrue, c.Message
		return ready || meta.IsStatusConditionTrue(conditions, api.ConditionStalled), message
	})
	return ready, message
}

// complains waits for an object's Ready condition to be not true, for one of the reasons, with every text in its message.
func (k *cluster) complains(o client.Object, name string, reasons []string, texts ...string) {
	k.t.Helper()
	k.eventually(fmt.Sprintf("%T %s to complain of %q", o, name, texts), func() (bool, string) {
		c := meta.FindStatusCondition(k.read(o, name), api.ConditionReady)
		if c == nil {
			return false, "nothing"
		}
		seen := fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
		if c.Status == metav1.ConditionTrue {
			return false, seen
		}
		known := false
		for _, r := range reasons {
			known = known || c.Reason == r
		}
		for _, text := range texts {
			known = known && strings.Contains(c.Message, text)
		}
		return known, seen
	})
}
