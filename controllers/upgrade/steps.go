package upgrade

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// poll is how often to look at a Job that no watch tells this controller of.
const poll = time.Second

// jobName is the Job that makes the generation.
func (t *task) jobName() string { return names.Job("upgrade", t.upgrade.Name) }

// resumeName is the Job that lets visitors in again.
func (t *task) resumeName() string { return names.Job("resume", t.upgrade.Name) }

// run makes the generation beside the one that serves.
func (t *task) run(ctx context.Context) (*step.Wait, error) {
	if t.Made() {
		return nil, nil
	}
	in, m := t.Install, &job.Mounts{}
	site, wait, err := t.Sites.Generation(ctx, in, m, t.status.Generation)
	if wait != nil || err != nil {
		return wait, err
	}
	site.Runtime = t.status.Runtime
	m.Generation(names.Workload(in.Name), t.status.Generation)
	p := &plan.Upgrade{Site: site, FromGeneration: in.Status.Generation, FromVersion: t.status.FromVersion}
	if site.Database != nil {
		p.FromDatabase = in.Status.Database.Name
	}
	if t.moves() {
		p.Site.URL, p.FromURL = string(t.upgrade.Spec.URL), t.status.FromURL
	}
	if r := t.release; r != nil {
		p.Release = install.ReleasePlan(r)
	}
	if t.components() {
		p.Update = &plan.Update{Plugins: t.upgrade.Spec.Plugins, Themes: t.upgrade.Spec.Themes}
	}
	state, wait, err := t.Jobs.Run(ctx, job.Spec{
		Name: t.jobName(), Namespace: t.upgrade.Namespace, Install: in.Name,
		Owner: *metav1.NewControllerRef(t.upgrade, api.GroupVersion.WithKind("Upgrade")), Mounts: m, Beside: install.Beside(in),
		Plan: plan.Plan{Upgrade: p}, Runtime: t.Sites.Platform.Runtimes[t.status.Runtime],
	})
	if made := step.Making(state.Progress); made != nil {
		t.status.Progress = made
	}
	if wait != nil || err != nil {
		return wait, err
	}
	r := state.Result
	for _, w := range r.Warnings {
		t.warn(w)
	}
	if r.Failure != nil {
		serves := t.status.FromVersion
		if t.moves() {
			serves = "at " + t.status.FromURL
		}
		return nil, step.Failed(fmt.Sprintf("%s; Install %s serves %s as before", r.Failure.Message, in.Name, serves))
	}
	return nil, t.Ask(ctx, api.OperationStatus{
		Version: r.Version, SchemaVersion: r.SchemaVersion, Runtime: t.status.Runtime, URL: p.Site.URL,
		Size: &api.SizeStatus{Files: r.Files, Bytes: r.Bytes, DatabaseBytes: r.DatabaseBytes},
	})
}

// warn takes a warning into the status, once, within the schema's bounds.
func (t *task) warn(text string) {
	const most, mostBytes = 16, 1024
	text = step.Bounded(text, mostBytes)
	for _, have := range t.status.Warnings {
		if have == text {
			return
		}
	}
	if len(t.status.Warnings) < most {
		t.status.Warnings = append(t.status.Warnings, text)
	}
}

// reopen lets visitors in again before the task is called over, whatever became of it: they are kept out of the generation that was copied from the
// moment of which the copy is.
func (t *task) reopen(ctx context.Context, o step.Outcome) step.Outcome {
	if !o.Done() && (o.Stalled() == nil || t.status.StartTime == nil) {
		return o
	}
	if wait, err := t.resume(ctx); wait != nil || err != nil {
		return step.Outcome{Wait: wait, Err: err}
	}
	return o
}

// resume runs the Job that lets visitors in again. It belongs to the Install: with the Upgrade, which may be about to go, it would go too early.
func (t *task) resume(ctx context.Context) (*step.Wait, error) {
	if t.status.Generation == 0 {
		return nil, nil // Nothing was begun.
	}
	if err := t.Read(ctx, t.installName()); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	in := t.Install
	if in.DeletionTimestamp != nil {
		return nil, nil
	}
	m := &job.Mounts{}
	m.Claim(names.Workload(in.Name), job.SiteVolume, false)
	state, wait, err := t.Jobs.Run(ctx, job.Spec{
		Name: t.resumeName(), Namespace: in.Namespace, Install: in.Name, Mounts: m, Beside: install.Beside(in),
		Owner: *metav1.NewControllerRef(in, api.GroupVersion.WithKind("Install")),
		Plan:  plan.Plan{Resume: &plan.Resume{Volume: job.SiteVolume}},
	})
	if wait != nil {
		wait.Reason, wait.Message, wait.After = api.ReasonProgressing, "letting visitors in again: "+wait.Message, poll
	}
	if wait != nil || err != nil {
		return wait, err
	}
	if f := state.Result.Failure; f != nil {
		ctrl.LoggerFrom(ctx).Info("visitors may still be kept out of a site", "install", in.Name, "why", f.Message)
		t.warn(fmt.Sprintf("visitors may still be kept out of the generation that was upgraded: %s", f.Message))
	}
	return nil, nil
}

// stop ends an agent that still works for an Upgrade which is being deleted. One that has ended leaves no Job behind either: the next of its name
// would take it for somebody else's.
func (t *task) stop(ctx context.Context) (*step.Wait, error) {
	if !step.Ended(&t.status.TaskStatus) {
		if wait, err := t.SwitchOver(ctx, t.installName()); wait != nil || err != nil {
			return wait, err
		}
	}
	return t.remove(ctx, t.upgrade, t.jobName())
}

// reopenStopped lets visitors in again after an agent was stopped. That the task has ended is written down before the Job that did it is removed.
func (t *task) reopenStopped(ctx context.Context) (*step.Wait, error) {
	if step.Ended(&t.status.TaskStatus) {
		return nil, nil
	}
	if wait, err := t.resume(ctx); wait != nil || err != nil {
		return wait, err
	}
	t.status.CompletionTime = new(metav1.NewTime(t.now.Truncate(time.Second)))
	return &step.Wait{Reason: api.ReasonProgressing, Message: "stopped", After: poll}, nil
}

// tidy gives the Install back, which removes what was made and does not serve, and removes the Job that let visitors in.
func (t *task) tidy(ctx context.Context) (*step.Wait, error) {
	if err := t.Release(ctx, t.installName()); err != nil {
		return nil, err
	}
	if t.Install == nil {
		return nil, nil
	}
	return t.remove(ctx, t.Install, t.resumeName())
}

// remove removes a Job, and waits until it is gone.
func (t *task) remove(ctx context.Context, owner client.Object, name string) (*step.Wait, error) {
	gone, err := t.Jobs.Remove(ctx, owner, name)
	if gone || err != nil {
		return nil, err
	}
	return &step.Wait{Reason: api.ReasonProgressing, Message: "waiting for the agent to end", After: poll}, nil
}

// letGo releases the finalizer.
func (t *task) letGo(ctx context.Context) (*step.Wait, error) {
	return nil, step.ReleaseFinalizer(ctx, t.Client, t.upgrade)
}
