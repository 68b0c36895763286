package backupschedule

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/schedule"
)

// ownWindow is when sites with counts of their own are backed up: so long after midnight, UTC.
const ownWindow = 6 * time.Hour

// arrangement is what was arranged for the backups of a site.
type arrangement struct {
	// schedule names the BackupSchedule; empty: the Install's own counts.
	schedule  string
	suspended bool
	location  *api.LocalReference
	keep      schedule.Keep
	window    time.Duration
	times     schedule.Schedule
}

// forSite puts the site's own moment of the window into the times.
func (a arrangement) forSite(uid string) *arrangement {
	a.times.Offset = schedule.Spread(uid, a.window)
	return &a
}

// arranged finds out what was arranged for an Install: nothing, where it is nil without a problem. The problem is a sentence for the user.
func (s *Sites) arranged(ctx context.Context, in *api.Install) (a *arrangement, problem string, err error) {
	if name := scheduleOf(in); name != "" {
		obj := &api.BackupSchedule{}
		err := s.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: name}, obj)
		if apierrors.IsNotFound(err) {
			return nil, fmt.Sprintf("spec.backups.scheduleRef: BackupSchedule %s does not exist in namespace %s", name, in.Namespace), nil
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading BackupSchedule %s: %w", name, err)
		}
		a, problem := follow(obj)
		if problem != "" {
			return nil, fmt.Sprintf("BackupSchedule %s: %s", name, problem), nil
		}
		return a.forSite(string(in.UID)), "", nil
	}
	if in.Spec.Backups == nil {
		return nil, "", nil
	}
	own := &arrangement{keep: counts(in.Spec.Backups.Daily, in.Spec.Backups.Weekly, in.Spec.Backups.Monthly), window: ownWindow}
	if own.keep.None() {
		return nil, "", nil
	}
	own.times = schedule.Schedule{Zone: time.UTC, Every: own.keep.Every()}
	return own.forSite(string(in.UID)), "", nil
}

// follow reads a BackupSchedule. The problem says what of it cannot be followed.
func follow(obj *api.BackupSchedule) (a *arrangement, problem string) {
	zone, err := schedule.Zone(obj.Spec.TimeZone)
	if err != nil {
		return nil, fmt.Sprintf("spec.timeZone: %v: give an IANA name such as Europe/Berlin", err)
	}
	at, err := time.Parse("15:04", obj.Spec.At)
	if err != nil {
		return nil, "spec.at: must be a time of day, HH:MM"
	}
	keep := counts(obj.Spec.Keep.Daily, obj.Spec.Keep.Weekly, obj.Spec.Keep.Monthly)
	a = &arrangement{schedule: obj.Name, suspended: obj.Spec.Suspend, location: obj.Spec.LocationRef, keep: keep,
		times: schedule.Schedule{Hour: at.Hour(), Minute: at.Minute(), Zone: zone, Every: keep.Every()}}
	if w := obj.Spec.Window; w != nil {
		a.window = w.Duration
	}
	return a, ""
}

func counts(daily, weekly, monthly *int32) schedule.Keep {
	n := func(v *int32) int {
		if v == nil {
			return 0
		}
		return int(*v)
	}
	return schedule.Keep{Daily: n(daily), Weekly: n(weekly), Monthly: n(monthly)}
}

// scheduleOf names the BackupSchedule of an Install; empty: none.
func scheduleOf(in *api.Install) string {
	if b := in.Spec.Backups; b != nil && b.ScheduleRef != nil {
		return b.ScheduleRef.Name
	}
	return ""
}
