package install

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

const (
	// inspectEvery is how old what is known of a site may become.
	inspectEvery = 24 * time.Hour
	// inspectSettled is how long a generation has served before it is looked at: its visitors come first, and who made it may not be done.
	inspectSettled = 10 * time.Minute
	// inspectRetry is how long after a look that failed the next one is.
	inspectRetry = time.Hour
	// mostComponents is the schema's bound on the plugins, and on the themes.
	mostComponents = 256
)

func (s *site) inspectJob() string { return names.Job("inspect", s.in.Name) }

// inspect looks at the site when it is due, and takes what it finds into the status: what the application did by itself, or its administrator, is seen by
// that. It never keeps the site from being ready, and keeps out of the way of an operation.
func (s *site) inspect(ctx context.Context) (*step.Wait, error) {
	if s.status.Generation == 0 {
		return nil, nil
	}
	if err := s.tryInspect(ctx); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "the site is not inspected for now")
		s.later(s.now.Add(pruneRetry))
	}
	return nil, nil
}

func (s *site) tryInspect(ctx context.Context) error {
	begun, err := s.Jobs.Begun(ctx, s.in, s.inspectJob())
	if err != nil {
		return err
	}
	if due := s.inspectionDue(); begun == nil && s.now.Before(due) {
		s.later(due)
		return nil
	}
	if begun == nil && s.in.Status.Operation != nil {
		return nil // Its end wakes this.
	}
	m := &job.Mounts{}
	p := &plan.Inspect{Site: s.present(m)}
	m.Generation(names.Workload(s.in.Name), s.status.Generation)
	state, wait, err := s.Jobs.Run(ctx, job.Spec{
		Name: s.inspectJob(), Namespace: s.in.Namespace, Install: s.in.Name, Owner: *s.ownerReference(), Mounts: m, Beside: Beside(s.in),
		Plan: plan.Plan{Inspect: p}, Runtime: s.Platform.Runtimes[s.status.Runtime],
	})
	if err != nil {
		return err
	}
	if wait != nil {
		s.later(s.now.Add(max(wait.After, time.Second)))
		return nil
	}
	if last := s.in.Status.Inspection; last != nil && last.Generation == s.status.Generation && !last.Time.Time.Before(state.Ended) {
		return s.inspected(ctx) // This one is written down.
	}
	s.found(state.Result)
	return nil
}

// inspectionDue is when the next look is due.
func (s *site) inspectionDue() time.Time {
	if _, asked := s.in.Annotations[api.AnnotationInspect]; asked {
		return s.now
	}
	last := s.status.Inspection
	switch {
	case last != nil && last.Generation == s.status.Generation && last.Message != "":
		return last.Time.Add(inspectRetry)
	case last != nil && last.Generation == s.status.Generation:
		return last.Time.Add(inspectEvery)
	case s.status.LastSwitch != nil:
		return s.status.LastSwitch.Time.Add(inspectSettled)
	}
	if c := meta.FindStatusCondition(s.status.Conditions, api.ConditionServing); c != nil {
		return c.LastTransitionTime.Add(inspectSettled)
	}
	return s.now.Add(inspectSettled)
}

// found takes what was seen into the status.
func (s *site) found(r plan.Result) {
	i := &api.InspectionStatus{Time: metav1.NewTime(s.now.Truncate(time.Second)), Generation: s.status.Generation}
	s.status.Inspection = i
	if r.Failure != nil {
		i.Message = step.Bounded(r.Failure.Message, mostSwitchMessage)
		return
	}
	i.Title, i.More = step.Bounded(r.Title, mostSwitchMessage), r.More
	if len(r.Warnings) > 0 {
		i.Message = step.Bounded(r.Warnings[0], mostSwitchMessage)
	}
	if r.Version != "" {
		s.status.Version, s.status.SchemaVersion = r.Version, r.SchemaVersion
		s.note(s.status.Generation)
	}
	s.status.Size = &api.SizeStatus{Files: r.Files, Bytes: r.Bytes, DatabaseBytes: r.DatabaseBytes}
	s.status.Plugins, s.status.Themes = components(r.Plugins, i), components(r.Themes, i)
}

func components(list []plan.Component, i *api.InspectionStatus) []api.ComponentStatus {
	if more := len(list) - mostComponents; more > 0 {
		list, i.More = list[:mostComponents], i.More+int64(more)
	}
	var out []api.ComponentStatus
	for _, c := range list {
		out = append(out, api.ComponentStatus{Name: c.Name, Version: c.Version, Latest: c.Latest, Active: c.Active})
	}
	return out
}

// inspected removes the Job, and the annotation that asked for it.
func (s *site) inspected(ctx context.Context) error {
	if _, asked := s.in.Annotations[api.AnnotationInspect]; asked {
		if err := s.forget(ctx, api.AnnotationInspect); err != nil {
			return err
		}
		if m := s.status.Inspection.Message; m != "" && s.Events != nil {
			s.Events.Eventf(s.in, nil, corev1.EventTypeWarning, api.ReasonFailed, "Inspect", "%s", m)
		}
	}
	_, err := s.Jobs.Remove(ctx, s.in, s.inspectJob())
	return err
}
