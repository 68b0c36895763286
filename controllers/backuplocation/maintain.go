package backuplocation

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// As often as Kopia itself does it. What is compacted each hour is what backups wrote: without any there is nothing to do.
const (
	quickEvery = time.Hour
	fullEvery  = 24 * time.Hour
	// firstRetry is how soon maintenance that failed is tried again; each later wait is as long as it has been failing, up to fullEvery.
	firstRetry = 10 * time.Minute
)

// owner is who this location is in a repository that several clusters may share.
func (p *place) owner() string { return "sitewright@" + string(p.location.UID) }

// learn takes what an agent found out about the repository into the status.
func (p *place) learn(r plan.Result) {
	if r.Repository != p.status.RepositoryID {
		p.status.RepositoryID, p.status.Maintenance, p.status.Statistics, p.status.Adoption = r.Repository, nil, nil, nil
		meta.RemoveStatusCondition(&p.status.Conditions, api.ConditionMaintained)
	}
	if r.HostKey != "" {
		p.status.HostKey = location.Pin(p.location, r.HostKey)
	}
	if s := r.Statistics; s != nil {
		p.status.Statistics = &api.RepositoryStatistics{Snapshots: s.Snapshots, LogicalBytes: s.LogicalBytes, UniqueBytes: s.UniqueBytes,
			StoredBytes: s.StoredBytes, Blobs: s.Blobs, Time: p.seconds(p.now)}
	}
	m := p.status.Maintenance
	if m == nil {
		m = &api.MaintenanceStatus{Next: new(p.seconds(p.now.Add(p.spread())))}
		p.status.Maintenance = m
	}
	if r.Maintenance == nil {
		return
	}
	m.Owner = r.Maintenance.Owner
	// What this location did itself it knows by its own clock, which the next times are reckoned by.
	if m.Owner != p.owner() || m.LastQuick == nil {
		m.LastQuick, m.LastFull = timeOf(r.Maintenance.LastQuick), timeOf(r.Maintenance.LastFull)
	}
}

func (p *place) seconds(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

func timeOf(t *time.Time) *metav1.Time {
	if t == nil {
		return nil
	}
	return new(metav1.NewTime(t.Truncate(time.Second)))
}

// spread is how long a location waits for its first maintenance, so that many that were made at once are not maintained at once for ever.
func (p *place) spread() time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.location.UID)) // Never fails.
	return quickEvery + time.Duration(h.Sum32())%(fullEvery-quickEvery)
}

// maintain has an agent give back the room of what is no longer needed. Backups go on beside it, and a failure keeps nobody from making more:
// it is told by a condition of its own.
func (p *place) maintain(ctx context.Context) (*step.Wait, error) {
	name := names.Job("maintain", p.location.Name)
	full, in, err := p.maintenanceDue(ctx)
	if err != nil {
		return nil, err
	}
	if in > 0 {
		p.sooner(in)
		_, err := p.Jobs.Remove(ctx, p.location, name)
		return nil, err
	}
	begun, err := p.Jobs.Begun(ctx, p.location, name)
	if err != nil {
		return nil, err
	}
	if begun != nil && begun.Maintain != nil {
		full = begun.Maintain.Full
	}
	m := &job.Mounts{}
	where := p.plan(m)
	state, wait, err := p.Jobs.Run(ctx, job.Spec{
		Name: name, Namespace: p.location.Namespace, Mounts: m, Owner: p.ownerReference(),
		Plan: plan.Plan{Maintain: &plan.Maintain{Location: where, Owner: p.owner(), Full: full}},
	})
	if stalled := (step.Outcome{Err: err}).Stalled(); stalled != nil {
		p.notMaintained(stalled.Message)
		return nil, nil
	}
	if wait != nil || err != nil {
		if wait != nil && wait.After > 0 {
			p.sooner(wait.After)
		}
		return nil, err
	}
	if f := state.Result.Failure; f != nil {
		p.notMaintained(f.Message)
	} else {
		p.maintained(state.Result, full)
	}
	// A Job that is left would answer for the next one.
	_, err = p.Jobs.Remove(ctx, p.location, name)
	return nil, err
}

// maintenanceDue says which maintenance is due, and in what time when none is.
func (p *place) maintenanceDue(ctx context.Context) (full bool, in time.Duration, err error) {
	m := p.status.Maintenance
	if m == nil || m.Next == nil {
		return true, recheck, nil // The next look at the repository tells.
	}
	in = m.Next.Sub(p.now)
	if in <= 0 {
		return true, 0, nil
	}
	if m.Owner != p.owner() || meta.IsStatusConditionFalse(p.status.Conditions, api.ConditionMaintained) {
		return true, in, nil
	}
	written, err := p.written(ctx)
	if err != nil || m.LastQuick == nil || !written.After(m.LastQuick.Time) {
		return true, in, err
	}
	if quick := m.LastQuick.Add(quickEvery).Sub(p.now); quick < in {
		return false, max(0, quick), nil
	}
	return true, in, nil
}

// written is when the last backup into this location ended.
func (p *place) written(ctx context.Context) (time.Time, error) {
	var list api.BackupList
	if err := p.List(ctx, &list, client.InNamespace(p.location.Namespace)); err != nil {
		return time.Time{}, fmt.Errorf("listing the Backups of namespace %s: %w", p.location.Namespace, err)
	}
	var last time.Time
	for _, b := range list.Items {
		if s, end := b.Status.Snapshot, b.Status.CompletionTime; s != nil && s.Location == p.location.Name && end != nil && end.After(last) {
			last = end.Time
		}
	}
	return last, nil
}

// maintained notes that it was done, or that somebody else does it.
func (p *place) maintained(r plan.Result, full bool) {
	p.learn(r)
	m, message := p.status.Maintenance, "this location maintains the repository"
	switch {
	case m.Owner != p.owner():
		m.Next = new(p.seconds(p.now.Add(fullEvery)))
		message = "the repository is maintained by " + m.Owner
	case full:
		m.LastQuick, m.LastFull = new(p.seconds(p.now)), new(p.seconds(p.now))
		m.Next = new(p.seconds(p.now.Add(fullEvery)))
	default:
		m.LastQuick = new(p.seconds(p.now))
	}
	p.condition(api.ConditionMaintained, metav1.ConditionTrue, api.ReasonSucceeded, message)
	p.sooner(max(0, m.Next.Sub(p.now)))
}

// notMaintained notes why it was not done, and when it is tried again.
func (p *place) notMaintained(why string) {
	p.condition(api.ConditionMaintained, metav1.ConditionFalse, api.ReasonRetrying, why)
	since := meta.FindStatusCondition(p.status.Conditions, api.ConditionMaintained).LastTransitionTime
	wait := min(max(firstRetry, p.now.Sub(since.Time)), fullEvery)
	p.status.Maintenance.Next = new(p.seconds(p.now.Add(wait)))
	p.sooner(wait)
}

func (p *place) condition(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&p.status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: step.Bounded(message, 1024),
		ObservedGeneration: p.location.Generation, LastTransitionTime: metav1.NewTime(p.now),
	})
}

func (p *place) ownerReference() metav1.OwnerReference {
	return *metav1.NewControllerRef(p.location, api.GroupVersion.WithKind("BackupLocation"))
}
