package backuplocation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

const (
	// recheck is how often a location that works is tried: its status says what is so now.
	recheck = time.Hour
	// retry is how often one that does not is tried.
	retry = 30 * time.Second
	// remeasure is how long after a backup the repository is measured: others may end meanwhile.
	remeasure = 5 * time.Minute
)

// described says where the location is. What was learnt of the repository in another place is no word on this one.
func (p *place) described(context.Context) (*step.Wait, error) {
	where := step.Bounded(location.Where(p.location), 1024)
	if p.status.Where != where {
		p.status.RepositoryID = ""
	}
	p.status.Where = where
	if s := p.location.Spec.SFTP; s == nil || s.HostKey != "" {
		p.status.HostKey = ""
	}
	return nil, nil
}

// plan tells an agent where the repository is, by what this very look has found out.
func (p *place) plan(m *job.Mounts) plan.Location {
	known := p.location.DeepCopy()
	known.Status = p.status
	return location.Plan(known, m)
}

// password makes the repository's password where none is given, once: it stays when the location is deleted.
func (p *place) password(ctx context.Context) (*step.Wait, error) {
	ref := location.Password(p.location)
	p.status.PasswordSecretRef = &ref
	given := p.location.Spec.Encryption != nil && p.location.Spec.Encryption.PasswordSecretRef != nil
	wait, err := p.need(ctx, "spec.encryption.passwordSecretRef", ref.Name, ref.Key)
	if wait != nil && !given {
		return nil, p.newPassword(ctx, ref)
	}
	if wait != nil || err != nil {
		return wait, err
	}
	return nil, nil
}

// credentials waits for the login.
func (p *place) credentials(ctx context.Context) (*step.Wait, error) {
	field, ref, keys := location.Credentials(p.location)
	for _, either := range keys {
		if wait, err := p.need(ctx, field, ref.Name, either...); wait != nil || err != nil {
			return wait, err
		}
	}
	return nil, nil
}

// need waits for one of the keys in a Secret.
func (p *place) need(ctx context.Context, field, name string, keys ...string) (*step.Wait, error) {
	err := p.secretKey(ctx, name, keys)
	switch {
	case apierrors.IsNotFound(err):
		return &step.Wait{Reason: api.ReasonDependencyNotReady, After: retry,
			Message: fmt.Sprintf("%s: Secret %s does not exist in namespace %s", field, name, p.location.Namespace)}, nil
	case errors.Is(err, errNoKey):
		return &step.Wait{Reason: api.ReasonDependencyNotReady, After: retry,
			Message: fmt.Sprintf("%s: Secret %s has no key %s", field, name, strings.Join(keys, " or "))}, nil
	case err != nil:
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return nil, nil
}

// volume makes the volume of a location that is one.
func (p *place) volume(ctx context.Context) (*step.Wait, error) {
	v, l := p.location.Spec.Volume, p.location
	if v == nil {
		return nil, nil
	}
	name := names.LocationVolume(l.Name)
	have := &corev1.PersistentVolumeClaim{}
	err := p.Get(ctx, client.ObjectKey{Namespace: l.Namespace, Name: name}, have)
	if apierrors.IsNotFound(err) {
		err = p.Live.Get(ctx, client.ObjectKey{Namespace: l.Namespace, Name: name}, have)
	}
	if err == nil && !metav1.IsControlledBy(have, l) {
		return nil, step.Failed(fmt.Sprintf("PersistentVolumeClaim %s exists and does not belong to this location: delete it, or name the location otherwise", name))
	}
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading PersistentVolumeClaim %s: %w", name, err)
	}
	spec := coreac.PersistentVolumeClaimSpec().WithAccessModes(corev1.ReadWriteOnce).
		WithResources(coreac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: v.Size}))
	if v.StorageClassName != nil {
		spec.WithStorageClassName(*v.StorageClassName)
	}
	claim := coreac.PersistentVolumeClaim(name, l.Namespace).WithLabels(job.Labels(nil)).WithSpec(spec).
		WithOwnerReferences(metaac.OwnerReference().WithAPIVersion(api.GroupVersion.String()).WithKind("BackupLocation").
			WithName(l.Name).WithUID(l.UID).WithController(true).WithBlockOwnerDeletion(true))
	if err := p.Apply(ctx, claim, step.Owner, client.ForceOwnership); err != nil {
		return nil, fmt.Errorf("applying PersistentVolumeClaim %s: %w", name, err)
	}
	return nil, nil
}

// open has an agent open the repository, or make it; again after a time, and sooner while it fails.
func (p *place) open(ctx context.Context) (*step.Wait, error) {
	name := names.Job("open", p.location.Name)
	due, err := p.due(ctx)
	if err != nil {
		return nil, err
	}
	if due > 0 {
		p.sooner(due)
		if _, err := p.Jobs.Remove(ctx, p.location, name); err != nil {
			return nil, err
		}
		return p.same()
	}
	m := &job.Mounts{}
	where := p.plan(m)
	state, wait, err := p.Jobs.Run(ctx, job.Spec{
		Name: name, Namespace: p.location.Namespace, Mounts: m, Owner: p.ownerReference(),
		Plan: plan.Plan{Open: &plan.Open{Location: where, MakeDirectory: p.status.RepositoryID == ""}},
	})
	if err != nil {
		return nil, err
	}
	if wait != nil {
		if step.IsReady(p.status.Conditions, p.location.Generation) && wait.Reason == api.ReasonProgressing {
			// A look at what worked last time is no news until it fails.
			p.sooner(wait.After)
			return nil, nil
		}
		ready := meta.FindStatusCondition(p.status.Conditions, api.ConditionReady)
		if wait.Reason == api.ReasonProgressing && ready != nil && ready.Reason == api.ReasonRetrying && ready.ObservedGeneration == p.location.Generation {
			// Another try is no news either: what the last one failed of stays to be read.
			return step.Retry(ready.Message, wait.After), nil
		}
		return wait, nil
	}
	p.status.LastChecked = new(metav1.NewTime(p.now.Truncate(time.Second)))
	if f := state.Result.Failure; f != nil {
		return step.Retry(f.Message, retry), nil
	}
	p.learn(state.Result)
	p.sooner(recheck)
	return nil, nil
}

// due is how long it is until the next look; 0 when it is due now. A backup brings it forward, for the sake of the statistics.
func (p *place) due(ctx context.Context) (time.Duration, error) {
	if p.status.ObservedGeneration != p.location.Generation {
		p.status.LastChecked = nil
	}
	checked := p.status.LastChecked
	if checked == nil {
		return 0, nil
	}
	if !step.IsReady(p.status.Conditions, p.location.Generation) {
		return max(0, checked.Add(retry).Sub(p.now)), nil
	}
	next := checked.Add(recheck)
	written, err := p.written(ctx)
	if s := p.status.Statistics; s != nil && written.After(s.Time.Time) && written.Add(remeasure).Before(next) {
		next = written.Add(remeasure)
	}
	return max(0, next.Sub(p.now)), err
}

// same is what the last look found.
func (p *place) same() (*step.Wait, error) {
	if step.IsReady(p.status.Conditions, p.location.Generation) {
		return nil, nil
	}
	return step.Retry(step.Message(p.status.Conditions), p.again), nil
}

// unused waits for the Backups in a location that is being deleted: their snapshots are removed through it.
func (p *place) unused(ctx context.Context) (*step.Wait, error) {
	var list api.BackupList
	if err := p.List(ctx, &list, client.InNamespace(p.location.Namespace)); err != nil {
		return nil, fmt.Errorf("listing the Backups of namespace %s: %w", p.location.Namespace, err)
	}
	kept := 0
	for _, b := range list.Items {
		if b.Status.Snapshot != nil && b.Status.Snapshot.Location == p.location.Name && b.Spec.DeletionPolicy != api.DeletionOrphan {
			kept++
		}
	}
	if kept > 0 {
		return step.Dependency(fmt.Sprintf("%d Backups are in this location: delete them first", kept)), nil
	}
	for _, task := range []string{"open", "maintain", "find"} {
		if _, err := p.Jobs.Remove(ctx, p.location, names.Job(task, p.location.Name)); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// letGo releases the finalizer.
func (p *place) letGo(ctx context.Context) (*step.Wait, error) {
	return nil, step.ReleaseFinalizer(ctx, p.Client, p.location)
}
