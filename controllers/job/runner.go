package job

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/plan"
)

// progressInterval is how often a running agent's progress is read: no watch tells of a line in a log.
const progressInterval = 2 * time.Second

// Runner creates Jobs and reads what became of them.
type Runner struct {
	Client client.Client
	// Pods reads logs.
	Pods corev1client.PodsGetter
	// OperatorImage holds the agent.
	OperatorImage string
}

// State is what became of a Job.
type State struct {
	// Done says that the Job ended; Result is what its agent answered.
	Done   bool
	Result plan.Result
	// Ended is when it did.
	Ended time.Time
	// Progress of a running agent.
	Progress plan.Progress
}

// Run creates the Job if it is not there, and says how far it is: a Wait while it runs, a State that is Done when it ended,
// well or not. A Job that failed on another plan than the one asked for now is removed and made anew, so that mending what was
// wrong is enough to try again.
func (r *Runner) Run(ctx context.Context, s Spec) (State, *step.Wait, error) {
	want, err := Build(s, r.OperatorImage)
	if err != nil {
		return State{}, nil, err
	}
	var have batchv1.Job
	err = r.Client.Get(ctx, client.ObjectKeyFromObject(want), &have)
	switch {
	case apierrors.IsNotFound(err):
		return r.create(ctx, want)
	case err != nil:
		return State{}, nil, fmt.Errorf("reading Job %s: %w", want.Name, err)
	case predecessor(&have, s.Owner):
		return State{}, &step.Wait{Reason: api.ReasonProgressing, After: progressInterval,
			Message: fmt.Sprintf("waiting for Job %s of the %s that had this name before to go", want.Name, s.Owner.Kind)}, nil
	case !metav1.IsControlledBy(&have, &metav1.ObjectMeta{UID: s.Owner.UID}):
		return State{}, nil, step.Failed(fmt.Sprintf("Job %s belongs to something else; delete or rename what made it", want.Name))
	case have.DeletionTimestamp != nil:
		return State{}, step.Progressing("waiting for an earlier Job to go"), nil
	}
	return r.observe(ctx, s, want, &have)
}

// predecessor says whether a Job is of an object that had its owner's name before: the garbage collector is about to take it.
func predecessor(have *batchv1.Job, owner metav1.OwnerReference) bool {
	o := metav1.GetControllerOf(have)
	return o != nil && o.Kind == owner.Kind && o.Name == owner.Name && o.UID != owner.UID
}

func (r *Runner) create(ctx context.Context, want *batchv1.Job) (State, *step.Wait, error) {
	err := r.Client.Create(ctx, want)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return State{}, nil, fmt.Errorf("creating Job %s: %w", want.Name, err)
	}
	wait := step.Progressing("starting")
	if err != nil {
		// Either the cache is behind, or the Job of that name is not ours and the cache never has it: no watch tells.
		wait.Message, wait.After = fmt.Sprintf("waiting for Job %s: if it does not begin, delete the Job of that name", want.Name), progressInterval
	}
	return State{}, wait, nil
}

func (r *Runner) observe(ctx context.Context, s Spec, want, have *batchv1.Job) (State, *step.Wait, error) {
	pods, err := r.podsOf(ctx, have)
	if err != nil {
		return State{}, nil, err
	}
	complete, failed := finished(have, batchv1.JobComplete), finished(have, batchv1.JobFailed)
	changed := differ(want, have, planAnnotation) || differ(want, have, revisionAnnotation)
	if complete == nil && failed == nil && !(changed && betweenTries(pods)) {
		return r.running(ctx, s.Namespace, pods)
	}
	result, found := lastResult(pods)
	switch {
	case complete != nil && found && result.Failure == nil && answers(s.Plan, changed, have):
		return State{Done: true, Result: result, Ended: complete.LastTransitionTime.Time}, nil, nil
	case complete != nil, changed:
		// The answer went with its pod, or what was asked for has changed. A run of the same plan answers from the seal.
		return State{}, step.Progressing("running the task again"), r.delete(ctx, have)
	case !found:
		result.Failure = &plan.Failure{Reason: plan.ReasonInternal, Message: "the agent gave no answer: " + failed.Message, Terminal: true}
	}
	return State{Done: true, Result: result, Ended: failed.LastTransitionTime.Time}, nil, nil
}

func differ(a, b *batchv1.Job, annotation string) bool {
	return a.Spec.Template.Annotations[annotation] != b.Spec.Template.Annotations[annotation]
}

// answers says whether a Job did what is asked for now: made that generation, for the Install may have been made anew since, or, in the generation that
// serves, the very same.
func answers(want plan.Plan, changed bool, have *batchv1.Job) bool {
	if want.Configure != nil || want.Inspect != nil {
		return !changed
	}
	site := want.Target()
	if site == nil {
		return true
	}
	made, err := plan.Read(strings.NewReader(have.Spec.Template.Annotations[planAnnotation]))
	return err == nil && made.Target() != nil && made.Target().UID == site.UID && made.Target().Generation == site.Generation
}

// betweenTries says whether the last agent failed and the next has not begun.
func betweenTries(pods []corev1.Pod) bool {
	return len(pods) > 0 && pods[len(pods)-1].Status.Phase == corev1.PodFailed
}

// running waits for an agent, and tells how far it is or what keeps it from starting.
func (r *Runner) running(ctx context.Context, namespace string, pods []corev1.Pod) (State, *step.Wait, error) {
	wait := &step.Wait{Reason: api.ReasonProgressing, Message: "starting", After: progressInterval}
	if len(pods) == 0 {
		return State{}, wait, nil
	}
	newest := pods[len(pods)-1]
	if why := blocked(&newest); why != "" {
		wait.Message = why
		return State{}, wait, nil
	}
	if newest.Status.Phase == corev1.PodFailed {
		if result, ok := lastResult(pods); ok && result.Failure != nil {
			wait.Reason, wait.Message = api.ReasonRetrying, result.Failure.Message
		}
		return State{}, wait, nil
	}
	if newest.Status.Phase != corev1.PodRunning {
		return State{}, wait, nil
	}
	tail, err := r.tail(ctx, namespace, newest.Name)
	if err != nil {
		// The pod went between the two calls; what became of it is seen next time.
		return State{}, wait, nil //nolint:nilerr // a missing log is no failure of the task
	}
	var s State
	if p, ok := plan.ParseProgress(tail); ok {
		if p.Percent >= 100 {
			p.Message = "finishing"
		}
		s.Progress, wait.Message = p, p.Message
	}
	return s, wait, nil
}

func (r *Runner) tail(ctx context.Context, namespace, pod string) (string, error) {
	stream, err := r.Pods.Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: agentContainer, TailLines: new(int64(5)), LimitBytes: new(int64(8 << 10)),
	}).Stream(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	b, err := io.ReadAll(io.LimitReader(stream, 16<<10))
	return string(b), err
}

// podsOf lists a Job's pods, oldest first.
func (r *Runner) podsOf(ctx context.Context, j *batchv1.Job) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := r.Client.List(ctx, &list, client.InNamespace(j.Namespace), client.MatchingLabels{batchv1.ControllerUidLabel: string(j.UID)})
	if err != nil {
		return nil, fmt.Errorf("listing the pods of Job %s: %w", j.Name, err)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return list.Items, nil
}

// Begun is the plan that a Job of this owner was made with, nil when there is no such Job.
func (r *Runner) Begun(ctx context.Context, owner client.Object, name string) (*plan.Plan, error) {
	j, err := r.owned(ctx, owner, name)
	if j == nil || err != nil {
		return nil, err
	}
	p, err := plan.Read(strings.NewReader(j.Spec.Template.Annotations[planAnnotation]))
	if err != nil {
		return nil, fmt.Errorf("reading the plan of Job %s: %w", name, err)
	}
	return p, nil
}

// Remove deletes a Job of this owner with its pods, and says whether it is gone.
func (r *Runner) Remove(ctx context.Context, owner client.Object, name string) (bool, error) {
	j, err := r.owned(ctx, owner, name)
	if j == nil || err != nil {
		return err == nil, err
	}
	if j.DeletionTimestamp != nil {
		return false, nil
	}
	return false, r.delete(ctx, j)
}

// owned reads a Job of this owner, nil when there is none: one of that name which belongs to something else is not ours to touch.
func (r *Runner) owned(ctx context.Context, owner client.Object, name string) (*batchv1.Job, error) {
	j := &batchv1.Job{}
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: owner.GetNamespace(), Name: name}, j)
	if apierrors.IsNotFound(err) || (err == nil && !metav1.IsControlledBy(j, owner)) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Job %s: %w", name, err)
	}
	return j, nil
}

// Abandon ends the agent of a task that cannot succeed any more, before the task is called over: what it works on may be removed from then
// on. A task that failed by its agent's own answer has none left.
func (r *Runner) Abandon(ctx context.Context, owner client.Object, name string, o step.Outcome) step.Outcome {
	t := o.Stalled()
	if t == nil || t.Reason == api.ReasonFailed {
		return o
	}
	gone, err := r.Remove(ctx, owner, name)
	if err != nil {
		return step.Outcome{Err: err}
	}
	if !gone {
		return step.Outcome{Wait: &step.Wait{Reason: api.ReasonProgressing, Message: "ending the agent: " + t.Message, After: progressInterval}}
	}
	return o
}

// delete takes a Job's pods first: while one of them runs the Job is still there, and no second one starts under its name.
func (r *Runner) delete(ctx context.Context, j *batchv1.Job) error {
	err := r.Client.Delete(ctx, j, client.PropagationPolicy(metav1.DeletePropagationForeground), client.Preconditions{UID: &j.UID})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting Job %s: %w", j.Name, err)
	}
	return nil
}

func finished(j *batchv1.Job, kind batchv1.JobConditionType) *batchv1.JobCondition {
	for i, c := range j.Status.Conditions {
		if c.Type == kind && c.Status == corev1.ConditionTrue {
			return &j.Status.Conditions[i]
		}
	}
	return nil
}

// lastResult is the newest answer that an agent left.
func lastResult(pods []corev1.Pod) (plan.Result, bool) {
	for _, p := range slices.Backward(pods) {
		for _, c := range p.Status.ContainerStatuses {
			if c.Name != agentContainer || c.State.Terminated == nil {
				continue
			}
			if r, ok := plan.ParseResult(c.State.Terminated.Message); ok {
				return r, true
			}
		}
	}
	return plan.Result{}, false
}

// blocked says what keeps a pod from starting, in a sentence; empty while nothing is wrong.
func blocked(p *corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return "waiting for a node: " + c.Message
		}
	}
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if d := c.State.Terminated; d != nil && d.Reason == "StartError" {
			return "container " + c.Name + " cannot start: " + d.Message
		}
		if w := c.State.Waiting; w != nil && w.Message != "" && (strings.HasSuffix(w.Reason, "BackOff") || strings.HasPrefix(w.Reason, "Err") || strings.HasSuffix(w.Reason, "Error")) {
			return w.Reason + ": " + w.Message
		}
	}
	return ""
}
