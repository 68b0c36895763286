package controllers_test

import (
	"encoding/json"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

// answer makes an agent's result of its plan.
type answer func(p plan.Plan) plan.Result

// failing is an agent that cannot do it.
func failing(reason plan.Reason, message string) answer {
	return func(plan.Plan) plan.Result {
		return plan.Result{Failure: &plan.Failure{Reason: reason, Message: message, Terminal: true}}
	}
}

// well is what an agent answers that did what it was told.
func well(p plan.Plan) plan.Result {
	switch {
	case p.Install != nil:
		return plan.Result{Version: p.Install.Release.Version, SchemaVersion: "1", Files: 10, Bytes: 1000, DatabaseBytes: 100}
	case p.Restore != nil, p.Clone != nil:
		return plan.Result{Version: "6.8.7", SchemaVersion: "2", Files: 20, Bytes: 2000, DatabaseBytes: 200}
	case p.Upgrade != nil:
		r := plan.Result{Version: p.Upgrade.FromVersion, SchemaVersion: "3", Files: 30, Bytes: 3000, DatabaseBytes: 300}
		if p.Upgrade.Release != nil {
			r.Version = p.Upgrade.Release.Version
		}
		return r
	case p.Backup != nil:
		return plan.Result{Snapshot: "snapshot-" + p.Backup.Name, Version: "6.8.7", Title: "A blog", Files: 20, Bytes: 2000,
			DatabaseBytes: 200, UploadedBytes: 50, PauseMillis: 120}
	case p.Open != nil:
		return plan.Result{Repository: "repository-1", Statistics: &plan.Statistics{Snapshots: 3, LogicalBytes: 900, UniqueBytes: 400, StoredBytes: 300, Blobs: 7}}
	case p.Maintain != nil:
		r := well(plan.Plan{Open: &plan.Open{}})
		r.Maintenance = &plan.Maintenance{Owner: p.Maintain.Owner}
		return r
	case p.Adopt != nil:
		return plan.Result{Snapshot: p.Adopt.Snapshot, Version: "6.8.7", Title: "A blog", SourceURL: "http://blog.elsewhere.test/", Prefix: "wp_", Runtime: "php-8.4",
			Files: 20, Bytes: 2000, DatabaseBytes: 200, Install: "blog", Application: "app", Time: new(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))}
	}
	return plan.Result{}
}

// planOf is what a Job is to do.
func (w *world) planOf(name string) plan.Plan {
	w.Helper()
	j := w.job(name)
	var p plan.Plan
	w.must(json.Unmarshal([]byte(j.Spec.Template.Annotations["sitewright.dev/plan"]), &p))
	return p
}

func (w *world) job(name string) *batchv1.Job {
	w.Helper()
	j := &batchv1.Job{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, j))
	return j
}

func ended(j *batchv1.Job) bool {
	return slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed)
	})
}

// finish ends a Job as a kubelet and the Job controller would: its pod's agent left the result.
func (w *world) finish(name string, r plan.Result) {
	w.Helper()
	w.pod(name, r)
	w.conclude(name, r.Failure != nil)
}

// pod makes the pod of a Job, whose agent has ended.
func (w *world) pod(name string, r plan.Result) *corev1.Pod {
	w.Helper()
	j := w.job(name)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: name + "-", Namespace: j.Namespace, Labels: j.Spec.Template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(j, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: j.Spec.Template.Spec,
	}
	w.must(w.Create(w.Context(), p))
	code, phase := int32(0), corev1.PodSucceeded
	if r.Failure != nil {
		code, phase = 1, corev1.PodFailed
		if r.Failure.Terminal {
			code = plan.ExitTerminal
		}
	}
	p.Status.Phase = phase
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "agent", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Message: string(r.Marshal())}},
	}}
	w.must(w.Status().Update(w.Context(), p))
	return p
}

// conclude ends a Job without a word of its agent.
func (w *world) conclude(name string, failed bool) {
	w.Helper()
	j := w.job(name)
	now := metav1.NewTime(w.clock.Now())
	condition := func(kind batchv1.JobConditionType) batchv1.JobCondition {
		return batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now, Reason: "Played", Message: "as played by the test"}
	}
	j.Status = batchv1.JobStatus{StartTime: &now, CompletionTime: &now, Succeeded: 1, Ready: new(int32(0)), Terminating: new(int32(0)),
		UncountedTerminatedPods: &batchv1.UncountedTerminatedPods{},
		Conditions:              []batchv1.JobCondition{condition(batchv1.JobSuccessCriteriaMet), condition(batchv1.JobComplete)}}
	if failed {
		j.Status.CompletionTime, j.Status.Succeeded, j.Status.Failed = nil, 0, 1
		j.Status.Conditions = []batchv1.JobCondition{condition(batchv1.JobFailureTarget), condition(batchv1.JobFailed)}
	}
	w.must(w.Status().Update(w.Context(), j))
}

// playAgents ends the Jobs that run, and says whether there were any.
func (w *world) playAgents() bool {
	w.Helper()
	var list batchv1.JobList
	w.must(w.List(w.Context(), &list, client.InNamespace(w.ns)))
	played := false
	for _, j := range list.Items {
		if ended(&j) || j.DeletionTimestamp != nil {
			continue
		}
		say := answer(well)
		if other := w.answers[j.Labels[api.LabelTask]]; other != nil {
			say = other
		}
		w.finish(j.Name, say(w.planOf(j.Name)))
		played = true
	}
	return played
}

// collect is the garbage collector: Jobs that are deleted go after their pods. It says whether any went.
func (w *world) collect() bool {
	w.Helper()
	collected := false
	var list batchv1.JobList
	w.must(w.List(w.Context(), &list, client.InNamespace(w.ns)))
	for i := range list.Items {
		j := &list.Items[i]
		if j.DeletionTimestamp == nil {
			continue
		}
		w.must(w.DeleteAllOf(w.Context(), &corev1.Pod{}, client.InNamespace(w.ns), client.GracePeriodSeconds(0),
			client.MatchingLabels{batchv1.ControllerUidLabel: string(j.UID)}))
		before := j.DeepCopy()
		j.Finalizers = nil
		w.must(client.IgnoreNotFound(w.Patch(w.Context(), j, client.MergeFrom(before))))
		collected = true
	}
	return collected
}

// deployment reads a site's Deployment.
func (w *world) deployment(name string) *appsv1.Deployment {
	w.Helper()
	d := &appsv1.Deployment{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, d))
	return d
}

// serves is the generation that a Deployment's template names.
func (w *world) serves(name string) string {
	w.Helper()
	return w.deployment(name).Spec.Template.Annotations["sitewright.dev/generation"]
}

// rollOut makes the pods of a Deployment answer.
func (w *world) rollOut(name string) {
	w.Helper()
	d := w.deployment(name)
	before := d.DeepCopy()
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable"}}}
	w.must(w.Status().Patch(w.Context(), d, client.MergeFrom(before)))
}

// getStuck makes the newest pod of a Deployment fail its health check for as long as it may; the one before goes on.
func (w *world) getStuck(name string, before int32) {
	w.Helper()
	d := w.deployment(name)
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n + before, UpdatedReplicas: n, ReadyReplicas: before,
		AvailableReplicas: before, UnavailableReplicas: n,
		Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse,
			Reason: "ProgressDeadlineExceeded", Message: "it has timed out progressing"}}}
	w.must(w.Status().Update(w.Context(), d))
}

// playPods makes the pods of all Deployments answer, and says whether any did not.
func (w *world) playPods() bool {
	w.Helper()
	var list appsv1.DeploymentList
	w.must(w.List(w.Context(), &list, client.InNamespace(w.ns)))
	played := false
	for _, d := range list.Items {
		if d.Status.ObservedGeneration < d.Generation {
			w.rollOut(d.Name)
			played = true
		}
	}
	return played
}
