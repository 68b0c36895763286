package backupschedule

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// crowded is how long a site waits when as many scheduled backups as may be are at work.
const crowded = 30 * time.Second

// due makes the Backup that is due, if one is, and says when the next will be. However many runs were missed, one makes up for them.
func (t *site) due(ctx context.Context) (*step.Wait, error) {
	a := t.arrangement
	if a == nil || a.suspended || t.in.Status.Generation == 0 {
		return nil, nil
	}
	next := new(metav1.NewTime(a.times.Next(t.now)))
	at := t.in.Status.NextBackup
	if at == nil || at.After(t.now) {
		// Where the schedule was changed, this is another time than the status has.
		t.upcoming(next)
		return nil, nil
	}
	made, err := t.make(ctx, at.Time)
	if err != nil {
		return nil, err
	}
	if !made {
		t.next = at
		t.later(crowded)
		return nil, nil
	}
	t.upcoming(next)
	return nil, nil
}

func (t *site) upcoming(next *metav1.Time) {
	t.next = next
	t.later(next.Sub(t.now))
}

// make makes the Backup that was due at a time, and says whether there is one. One that was made before and runs is waited for; one that has not even
// begun gives way: what kept it back may have been mended in the schedule since.
func (t *site) make(ctx context.Context, at time.Time) (bool, error) {
	for _, b := range t.backups.unfinished {
		if due(b).Equal(at) {
			return true, nil
		}
		if b.Status.StartTime != nil {
			return false, nil
		}
	}
	var atWork api.BackupList
	if err := t.List(ctx, &atWork, client.MatchingFields{indexUnfinished: "true"}); err != nil {
		return false, fmt.Errorf("listing the scheduled Backups at work: %w", err)
	}
	if len(atWork.Items) >= t.Most {
		return false, nil
	}
	for _, b := range t.backups.unfinished {
		if err := t.remove(ctx, b); err != nil {
			return false, err
		}
	}
	return true, t.create(ctx, at)
}

// create makes a Backup under a name that is the same each time. Where another has that name, an Install of this name that was there before had it.
func (t *site) create(ctx context.Context, at time.Time) error {
	moment, uid := at.UTC().Format("20060102-150405"), string(t.in.UID)
	for _, name := range []string{names.Bounded(63, t.in.Name, moment), names.Bounded(63, t.in.Name, moment, uid)} {
		made := &api.Backup{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, Namespace: t.in.Namespace,
				Labels:      job.Labels(map[string]string{api.LabelSchedule: t.arrangement.schedule, api.LabelInstall: t.in.Name}),
				Annotations: map[string]string{api.AnnotationDue: at.UTC().Format(time.RFC3339), api.AnnotationInstallUID: uid},
			},
			Spec: api.BackupSpec{InstallRef: &api.LocalReference{Name: t.in.Name}, LocationRef: t.arrangement.location},
		}
		err := t.Create(ctx, made)
		if err == nil {
			return nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating Backup %s: %w", name, err)
		}
		have := &api.Backup{}
		if err := t.Live.Get(ctx, client.ObjectKeyFromObject(made), have); err != nil {
			return fmt.Errorf("reading Backup %s: %w", name, err)
		}
		if have.Annotations[api.AnnotationInstallUID] == uid {
			return nil
		}
	}
	return fmt.Errorf("the Backup of Install %s that was due at %s has no name: all are taken", t.in.Name, at)
}

// remove deletes a Backup that is the one which was looked at; its finalizer takes the snapshot along.
func (t *site) remove(ctx context.Context, b *api.Backup) error {
	err := t.Delete(ctx, b, client.Preconditions{UID: &b.UID})
	if client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting Backup %s: %w", b.Name, err)
	}
	return nil
}
