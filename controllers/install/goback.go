package install

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
)

// goBack has the previous generation served again, as the annotation asks: the Install holds itself for that, as a task would, so that nothing else
// reads or writes meanwhile. What was the newer generation is the previous one then, and can be gone back to in turn.
func (s *site) goBack(ctx context.Context) (*step.Wait, error) {
	asked, ok := s.in.Annotations[api.AnnotationGoBack]
	op, last := s.in.Status.Operation, s.status.LastSwitch
	mine := op != nil && op.UID == string(s.in.UID)
	switch {
	case mine && op.Configures:
		if ok {
			s.wait(step.Progressing("the application is being configured"))
		}
		return nil, nil
	case mine && s.switching() != 0:
		return nil, nil
	case mine && (op.Generation != 0 || !ok):
		return s.wentBack(ctx)
	case !ok, s.status.Generation == 0:
		return nil, nil
	}
	number, err := strconv.ParseInt(asked, 10, 64)
	if err == nil && number == s.status.Generation {
		return nil, s.forget(ctx, api.AnnotationGoBack) // It serves.
	}
	i := slices.IndexFunc(s.status.Generations, func(g api.GenerationStatus) bool { return g.Number == number })
	if err != nil || i < 0 || number != s.status.PreviousGeneration {
		s.refuse(api.ReasonInvalidSpec, "annotation %s: %q is not the previous generation, which is %s: correct it, or remove it", api.AnnotationGoBack, asked, s.previous())
		return nil, operation.Release(ctx, s.Client, s.in, string(s.in.UID))
	}
	g := s.status.Generations[i]
	if g.Runtime != "" && s.Platform.Runtimes[g.Runtime] == "" {
		s.refuse(api.ReasonInvalidSpec, "annotation %s: generation %d runs on %s, which this operator does not have any more", api.AnnotationGoBack, number, g.Runtime)
		return nil, operation.Release(ctx, s.Client, s.in, string(s.in.UID))
	}
	if last != nil && last.UID == string(s.in.UID) {
		// How the last going back went; written away before the next begins, it is not taken for that one's.
		s.status.LastSwitch = nil
		return step.Progressing(fmt.Sprintf("going back to generation %d", number)), nil
	}
	self := operation.Task{Kind: "Install", Object: s.in}
	if wait, err := operation.Take(ctx, s.Client, s.in, self, s.now); wait != nil || err != nil {
		s.wait(wait)
		return nil, err
	}
	return nil, operation.Ask(ctx, s.Client, s.in, self, api.OperationStatus{
		Generation: number, Version: g.Version, SchemaVersion: g.SchemaVersion, Runtime: g.Runtime, URL: g.URL,
	})
}

// wentBack tells how it went, and gives the site free.
func (s *site) wentBack(ctx context.Context) (*step.Wait, error) {
	op, last := s.in.Status.Operation, s.status.LastSwitch
	if _, ok := s.in.Annotations[api.AnnotationGoBack]; ok {
		if last != nil && last.Outcome == api.SwitchFailed && s.Events != nil {
			s.Events.Eventf(s.in, nil, corev1.EventTypeWarning, api.ReasonFailed, "GoBack", "generation %d serves as before: %s", s.status.Generation, last.Message)
		}
		if err := s.forget(ctx, api.AnnotationGoBack); err != nil {
			return nil, err
		}
	}
	return nil, operation.Release(ctx, s.Client, s.in, op.UID)
}

// forget removes an annotation of the Install that asked for something.
func (s *site) forget(ctx context.Context, annotation string) error {
	before := s.in.DeepCopy()
	delete(s.in.Annotations, annotation)
	if err := s.Patch(ctx, s.in, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("removing annotation %s: %w", annotation, err)
	}
	return nil
}

// previous names the previous generation.
func (s *site) previous() string {
	if s.status.PreviousGeneration == 0 {
		return "none"
	}
	return strconv.FormatInt(s.status.PreviousGeneration, 10)
}

// refuse takes note of something that was asked for beside a site that serves, and cannot be: it is said at the end, and hinders nothing else.
func (s *site) refuse(reason, format string, args ...any) {
	if s.refused == nil {
		s.refused = &step.Terminal{Reason: reason, Message: fmt.Sprintf(format, args...)}
	}
}

// wait takes note of what something waits for that was asked for beside a site that serves.
func (s *site) wait(w *step.Wait) {
	if s.queued == nil {
		s.queued = w
	}
}

// asked says, at the end and beside a site that serves, what has become of a wish to go back or to change its settings.
func (s *site) asked(context.Context) (*step.Wait, error) {
	if s.refused != nil {
		return nil, &step.Terminal{Reason: s.refused.Reason, Message: fmt.Sprintf("serving generation %d at %s; %s", s.status.Generation, s.status.URL, s.refused.Message)}
	}
	return s.queued, nil
}
