package install

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
)

// summarize turns how the steps ended into the status.
func (s *site) summarize(o step.Outcome) {
	s.status.ObservedGeneration = s.in.Generation
	if s.served.known {
		c := metav1.Condition{Type: api.ConditionServing, Status: metav1.ConditionTrue, Reason: api.ReasonSucceeded,
			Message: fmt.Sprintf("%d of %d pods answer", s.served.available, s.served.wanted), ObservedGeneration: s.in.Generation,
			LastTransitionTime: metav1.NewTime(s.now)}
		if s.served.available == 0 {
			c.Status, c.Reason = metav1.ConditionFalse, api.ReasonProgressing
		}
		meta.SetStatusCondition(&s.status.Conditions, c)
	}
	o.Conditions(&s.status.Conditions, s.in.Generation, s.now,
		fmt.Sprintf("serving generation %d at %s", s.status.Generation, s.status.URL))
}

// unsupported says, at the end and beside a site that serves, which fields of its spec nothing acts upon yet.
func (s *site) unsupported(context.Context) (*step.Wait, error) {
	var fields []string
	add := func(field string, used bool) {
		if used {
			fields = append(fields, field)
		}
	}
	spec := s.in.Spec
	add("spec.notifications (the operator was given no mail server)", spec.Notifications != nil && len(spec.Notifications.Events) > 0 && !s.Platform.Mail)
	add("spec.exposure.gateway", spec.Exposure != nil && spec.Exposure.Gateway != nil)
	if len(fields) == 0 {
		return nil, nil
	}
	return nil, step.NotImplemented(fmt.Sprintf("serving generation %d at %s; this version of Sitewright does not act yet on %s",
		s.status.Generation, s.status.URL, strings.Join(fields, ", ")))
}

// podTrouble says what the newest pod of the site has run into.
func (s *site) podTrouble(ctx context.Context) string {
	var pods corev1.PodList
	if err := s.List(ctx, &pods, client.InNamespace(s.in.Namespace), client.MatchingLabels(job.SelectorLabels(s.in.Name))); err != nil || len(pods.Items) == 0 {
		return "it has no pod"
	}
	newest := pods.Items[0]
	for _, p := range pods.Items {
		if newest.CreationTimestamp.Before(&p.CreationTimestamp) {
			newest = p
		}
	}
	for _, c := range newest.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Message
		}
	}
	for _, c := range append(newest.Status.InitContainerStatuses, newest.Status.ContainerStatuses...) {
		if w := c.State.Waiting; w != nil && w.Message != "" {
			return w.Reason + ": " + w.Message
		}
	}
	return fmt.Sprintf("pod %s fails the health check of the application; see kubectl logs and kubectl describe", newest.Name)
}
