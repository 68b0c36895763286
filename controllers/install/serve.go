package install

import (
	"context"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// apply brings a child of the Install to what it should be. A child of that name which belongs to something else is left alone; one of an Install that
// had the name before is waited for, since the garbage collector is about to take it.
func (s *site) apply(ctx context.Context, child runtime.ApplyConfiguration, kind string, have client.Object) (*step.Wait, error) {
	key := client.ObjectKey{Namespace: s.in.Namespace, Name: names.Workload(s.in.Name)}
	err := s.Get(ctx, key, have)
	if apierrors.IsNotFound(err) || (err == nil && !ours(have, s.in)) {
		err = s.Live.Get(ctx, key, have) // The cache has not everything, and not the newest.
	}
	if err == nil && !ours(have, s.in) {
		if s.predecessors(have) {
			return &step.Wait{Reason: api.ReasonProgressing, After: endingPoll,
				Message: fmt.Sprintf("waiting for %s %s of the Install that had this name before to go", kind, key.Name)}, nil
		}
		hint := "delete it, or name the Install otherwise"
		if have.GetAnnotations()[api.AnnotationSite] != "" {
			hint = "an Install of this name has left it with its site; make the Install with spec.bootstrap.orphan to adopt that, or " + hint
		}
		return nil, step.Failed(fmt.Sprintf("%s %s exists and does not belong to this Install: %s", kind, key.Name, hint))
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading %s %s: %w", kind, key.Name, err)
	}
	if err := s.Client.Apply(ctx, child, step.Owner, client.ForceOwnership); err != nil {
		return nil, fmt.Errorf("applying %s %s: %w", kind, key.Name, err)
	}
	return nil, nil
}

// volume makes the site's volume, and grows it when the spec does.
func (s *site) volume(ctx context.Context) (*step.Wait, error) {
	wait, err := s.apply(ctx, buildClaim(s.in, s.app.Name), "PersistentVolumeClaim", &corev1.PersistentVolumeClaim{})
	if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.storage: %v", err))
	}
	return wait, err
}

// expose makes the Service, and what brings requests to it.
func (s *site) expose(ctx context.Context) (*step.Wait, error) {
	if wait, err := s.apply(ctx, buildService(s.in, s.app.Name), "Service", &corev1.Service{}); wait != nil || err != nil {
		return wait, err
	}
	way := s.Platform.Exposure
	if e := s.in.Spec.Exposure; e != nil {
		switch {
		case e.Ingress != nil:
			way = "ingress"
		case e.Gateway != nil:
			way = "gateway"
		case e.None != nil:
			way = "none"
		}
	}
	if way == "ingress" {
		// While a site moves, the old pods answer at the old URL, and the new ones at the new.
		urls := []string{s.url()}
		if next := s.urlOf(s.wanted()); URLKey(next) != URLKey(s.url()) {
			urls = append(urls, next)
		}
		return s.apply(ctx, buildIngress(s.in, s.app.Name, urls, s.Platform.IngressClass), "Ingress", &networkingv1.Ingress{})
	}
	have := &networkingv1.Ingress{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: names.Workload(s.in.Name)}, have)
	if err == nil && metav1.IsControlledBy(have, s.in) {
		err = s.Delete(ctx, have)
	}
	return nil, client.IgnoreNotFound(err)
}

// mostSwitchMessage is the schema's bound on SwitchStatus.Message, in bytes.
const mostSwitchMessage = 1024

// servingState is how far the pods are.
type servingState struct {
	known     bool
	available int32
	wanted    int32
}

// serve runs the pods on the generation that should serve, and takes note when they do: by then the switch is done. A generation that does
// not answer in time is given up, and the pods are set back to the one before, which never stopped serving.
func (s *site) serve(ctx context.Context) (*step.Wait, error) {
	generation := s.wanted()
	d := buildDeployment(serving{
		install: s.in, application: s.app.Name, recipe: s.app.Spec.Recipe, url: s.urlOf(generation), generation: generation,
		image: s.Platform.Runtimes[s.runtimeOf(generation)], operator: s.Platform.OperatorImage,
	})
	have := &appsv1.Deployment{}
	if wait, err := s.apply(ctx, d, "Deployment", have); wait != nil || err != nil {
		return wait, err
	}
	if have.UID == "" || have.Spec.Template.Annotations[generationAnnotation] != strconv.FormatInt(generation, 10) {
		return step.Progressing(fmt.Sprintf("starting generation %d", generation)), nil
	}
	state, err := rollout(have)
	s.served = servingState{known: true, available: have.Status.AvailableReplicas, wanted: *have.Spec.Replicas}
	switch {
	case state == rolledOut:
		return s.handOver(ctx, generation)
	case err == nil:
		return step.Progressing(fmt.Sprintf("generation %d is starting: it must answer before it serves", generation)), nil
	case s.switching() == 0:
		return step.Retry(fmt.Sprintf("generation %d does not answer: %s", generation, s.podTrouble(ctx)), databaseRetry), nil
	}
	op := s.in.Status.Operation
	s.status.LastSwitch = &api.SwitchStatus{Generation: generation, UID: op.UID, Outcome: api.SwitchFailed, Time: metav1.NewTime(s.now),
		Message: step.Bounded(fmt.Sprintf("generation %d did not answer within %d seconds: %s", generation, switchDeadlineSeconds, s.podTrouble(ctx)), mostSwitchMessage)}
	return step.Progressing(fmt.Sprintf("setting the site back to generation %d", s.status.Generation)), nil
}

// handOver commits a switch once the last pod of the generation before has ended: until then some request may still be answered by it.
func (s *site) handOver(ctx context.Context, generation int64) (*step.Wait, error) {
	if before := s.status.Generation; before != 0 && before != generation {
		ended, err := s.ended(ctx, before)
		if err != nil {
			return nil, err
		}
		if !ended {
			return &step.Wait{Reason: api.ReasonProgressing, After: endingPoll,
				Message: fmt.Sprintf("generation %d answers; the last requests to generation %d are being answered", generation, before)}, nil
		}
	}
	s.commit(generation)
	return nil, nil
}

// switching is the generation that the holder asks for, 0 when it asks for none or has had its answer.
func (s *site) switching() int64 {
	op, last := s.in.Status.Operation, s.status.LastSwitch
	if s.status.Generation == 0 || op == nil || op.Generation == 0 {
		return 0
	}
	if last != nil && last.UID == op.UID && last.Generation == op.Generation {
		return 0
	}
	return op.Generation
}

// wanted is the generation that should serve.
func (s *site) wanted() int64 {
	if n := s.switching(); n != 0 {
		return n
	}
	if s.status.Generation == 0 {
		return s.made().Number
	}
	return s.status.Generation
}

// commit takes note that a generation serves.
func (s *site) commit(generation int64) {
	s.status.URL = s.url()
	if generation == s.status.Generation {
		return
	}
	if s.status.Database != nil && s.usesDatabase() && s.existing() == nil {
		s.status.Database.Name = names.Database(s.identity(), generation)
	}
	before := s.status.Generation
	s.note(before)
	runtime, url := s.runtimeOf(generation), s.urlOf(generation)
	s.status.Generation = generation
	s.status.Progress = nil
	if before == 0 {
		return
	}
	op := s.in.Status.Operation
	s.status.Version, s.status.SchemaVersion, s.status.Runtime, s.status.URL = op.Version, op.SchemaVersion, runtime, url
	if op.Size != nil {
		s.status.Size = op.Size
	}
	s.note(generation)
	if t := s.status.Settings; t != nil && t.LoginTime != nil && (op.Kind == "Restore" || op.Kind == "Install") {
		t.LoginLost = true // What was there before has the login of then.
	}
	s.status.LastSwitch = &api.SwitchStatus{Generation: generation, UID: op.UID, Outcome: api.SwitchSucceeded, Time: metav1.NewTime(s.now)}
	for i := range s.status.Generations {
		if s.status.Generations[i].Number == generation {
			s.status.Generations[i].Sealed = true
		}
	}
	s.status.PreviousGeneration, s.status.PreviousUntil = 0, nil
	if keep := s.in.Spec.KeepPrevious; keep != nil && keep.Duration > 0 {
		s.status.PreviousGeneration, s.status.PreviousUntil = before, new(metav1.NewTime(s.now.Add(keep.Duration)))
	}
}

// note writes down with a generation what is known of it while it serves, or is to: that is what it is gone back to with.
func (s *site) note(number int64) {
	for i := range s.status.Generations {
		if g := &s.status.Generations[i]; g.Number == number {
			g.Version, g.SchemaVersion, g.Runtime, g.URL = s.status.Version, s.status.SchemaVersion, s.status.Runtime, s.status.URL
		}
	}
}

// runtimeOf is what a generation runs on: as its maker says while it is switched to, or as was noted of it.
func (s *site) runtimeOf(number int64) string {
	if op := s.in.Status.Operation; op != nil && op.Generation == number && op.Runtime != "" {
		return op.Runtime
	}
	for _, g := range s.status.Generations {
		if g.Number == number && g.Runtime != "" {
			return g.Runtime
		}
	}
	return s.status.Runtime
}

// rolloutState is how far a Deployment's pods are.
type rolloutState int

const (
	rollingOut rolloutState = iota
	rolledOut
)

// rollout says whether every pod of a Deployment is of its newest template and answers, and no older one is left; an error says that
// it gave up waiting.
func rollout(d *appsv1.Deployment) (rolloutState, error) {
	st := d.Status
	if st.ObservedGeneration < d.Generation {
		return rollingOut, nil
	}
	want := *d.Spec.Replicas
	if st.UpdatedReplicas == want && st.Replicas == want && st.AvailableReplicas == want {
		return rolledOut, nil
	}
	for _, c := range st.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse {
			return rollingOut, fmt.Errorf("%s: %s", c.Reason, c.Message)
		}
	}
	return rollingOut, nil
}
