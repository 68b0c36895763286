package backuplocation

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

const (
	// lookEvery is how often a repository is searched for snapshots that are not known.
	lookEvery = recheck
	// mostAdopted is how many snapshots a location adopts in its life: it remembers each, within the schema's bound.
	mostAdopted = 2000
	// mostKnown keeps a plan within what a pod's annotations may hold.
	mostKnown = 8000
)

// adopt makes Backups for the snapshots in the repository that this cluster does not know, a page of them for each Job.
func (p *place) adopt(ctx context.Context) (*step.Wait, error) {
	name := names.Job("find", p.location.Name)
	if !p.location.Spec.Adopt {
		meta.RemoveStatusCondition(&p.status.Conditions, api.ConditionAdopted)
		_, err := p.Jobs.Remove(ctx, p.location, name)
		return nil, err
	}
	if p.status.Adoption == nil {
		p.status.Adoption = &api.AdoptionStatus{}
	}
	if last := p.status.Adoption.LastLooked; last != nil && last.Add(lookEvery).After(p.now) {
		p.sooner(last.Add(lookEvery).Sub(p.now))
		_, err := p.Jobs.Remove(ctx, p.location, name)
		return nil, err
	}
	known, err := p.known(ctx)
	if err != nil {
		return nil, err
	}
	if len(known) > mostKnown || len(p.status.Adoption.Adopted) >= mostAdopted {
		p.notAdopted(fmt.Sprintf("%d snapshots were adopted and %d are known here, which is the most: make a Backup with spec.snapshot for each other one that is needed",
			len(p.status.Adoption.Adopted), len(known)))
		return nil, nil
	}
	m := &job.Mounts{}
	where := p.plan(m)
	state, wait, err := p.Jobs.Run(ctx, job.Spec{
		Name: name, Namespace: p.location.Namespace, Mounts: m, Owner: p.ownerReference(),
		Plan: plan.Plan{Find: &plan.Find{Location: where, Maker: string(p.location.UID), Known: known}},
	})
	if stalled := (step.Outcome{Err: err}).Stalled(); stalled != nil {
		p.notAdopted(stalled.Message)
		return nil, nil
	}
	if wait != nil || err != nil {
		if wait != nil && wait.After > 0 {
			p.sooner(wait.After)
		}
		return nil, err
	}
	if err := p.adopted(ctx, state.Result); err != nil {
		return nil, err
	}
	// A Job that is left would answer for the next one.
	_, err = p.Jobs.Remove(ctx, p.location, name)
	return nil, err
}

// adopted makes Backups of what was found. Where there is more, the next page is asked for at once.
func (p *place) adopted(ctx context.Context, r plan.Result) error {
	if r.Failure != nil {
		p.notAdopted(r.Failure.Message)
		return nil
	}
	a := p.status.Adoption
	for _, f := range r.Found {
		if err := p.makeBackup(ctx, f); err != nil {
			return err
		}
		if key := plan.Key(f.ID); len(a.Adopted) < mostAdopted && !slices.Contains(a.Adopted, key) {
			a.Adopted = append(a.Adopted, key)
		}
	}
	if r.More > 0 && len(r.Found) > 0 {
		a.LastLooked = nil
		p.condition(api.ConditionAdopted, metav1.ConditionUnknown, api.ReasonProgressing, fmt.Sprintf("%d more snapshots are to be adopted", r.More))
		return nil
	}
	a.LastLooked = new(p.seconds(p.now))
	p.sooner(lookEvery)
	p.condition(api.ConditionAdopted, metav1.ConditionTrue, api.ReasonSucceeded, "every snapshot in the repository has, or had, a Backup")
	return nil
}

func (p *place) notAdopted(why string) {
	p.status.Adoption.LastLooked = new(p.seconds(p.now))
	p.sooner(lookEvery)
	p.condition(api.ConditionAdopted, metav1.ConditionFalse, api.ReasonRetrying, why)
}

// makeBackup makes the Backup of a snapshot, under the name that its first one had, or one made of that and the snapshot's id where that name is
// taken. The snapshot stays when the Backup goes: whoever made it may still need it.
func (p *place) makeBackup(ctx context.Context, f plan.Found) error {
	for _, name := range []string{f.Name, names.Bounded(63, f.Name, plan.Key(f.ID))} {
		made := &api.Backup{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: p.location.Namespace, Labels: job.Labels(nil)},
			Spec: api.BackupSpec{
				Snapshot: &api.SnapshotSource{ID: f.ID}, LocationRef: &api.LocalReference{Name: p.location.Name}, DeletionPolicy: api.DeletionOrphan,
			},
		}
		err := p.Create(ctx, made)
		switch {
		case err == nil:
			return nil
		case apierrors.IsInvalid(err):
			return nil // A name or an id that nobody else could use either: whoever wrote it there meant no good.
		case !apierrors.IsAlreadyExists(err):
			return fmt.Errorf("creating Backup %s: %w", name, err)
		}
		have := &api.Backup{}
		if err := p.Live.Get(ctx, client.ObjectKeyFromObject(made), have); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("reading Backup %s: %w", name, err)
		}
		if have.Spec.Snapshot != nil && have.Spec.Snapshot.ID == f.ID {
			return nil
		}
	}
	return nil
}

// known are the keys of every snapshot of this repository that has a Backup anywhere in the cluster, or had an adopted one here.
func (p *place) known(ctx context.Context) ([]string, error) {
	var locations api.BackupLocationList
	if err := p.List(ctx, &locations); err != nil {
		return nil, fmt.Errorf("listing the BackupLocations: %w", err)
	}
	same := map[client.ObjectKey]bool{}
	for i := range locations.Items {
		if l := &locations.Items[i]; l.Status.RepositoryID == p.status.RepositoryID {
			same[client.ObjectKeyFromObject(l)] = true
		}
	}
	var backups api.BackupList
	if err := p.List(ctx, &backups); err != nil {
		return nil, fmt.Errorf("listing the Backups: %w", err)
	}
	known := slices.Clone(p.status.Adoption.Adopted)
	for i := range backups.Items {
		b := &backups.Items[i]
		if s := b.Status.Snapshot; s != nil && !same[client.ObjectKey{Namespace: b.Namespace, Name: s.Location}] {
			continue
		}
		id := string(b.UID)
		if b.Spec.Snapshot != nil {
			id = b.Spec.Snapshot.ID
		}
		known = append(known, plan.Key(id))
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}
