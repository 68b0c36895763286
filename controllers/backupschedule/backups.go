package backupschedule

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
)

// backups are those of one site, classified once. Those that are being deleted are in none of the classes.
type backups struct {
	// newest of all good ones, whoever made it.
	newest *api.Backup
	// good, failed and unfinished ones that a schedule made; the newest first.
	good, failed, unfinished []*api.Backup
}

// classify sorts out the Backups of an Install. An Install of that name which was there before had others.
func classify(in *api.Install, list []api.Backup) backups {
	var bs backups
	for i := range list {
		b := &list[i]
		if b.DeletionTimestamp != nil || b.CreationTimestamp.Before(&in.CreationTimestamp) {
			continue
		}
		good := b.Status.Snapshot != nil && step.Ended(&b.Status.TaskStatus)
		if good && (bs.newest == nil || taken(b).After(taken(bs.newest))) {
			bs.newest = b
		}
		switch {
		case !scheduled(b) || b.Annotations[api.AnnotationInstallUID] != string(in.UID):
		case good:
			bs.good = append(bs.good, b)
		case step.Ended(&b.Status.TaskStatus):
			bs.failed = append(bs.failed, b)
		default:
			bs.unfinished = append(bs.unfinished, b)
		}
	}
	for _, class := range [][]*api.Backup{bs.good, bs.failed, bs.unfinished} {
		slices.SortFunc(class, func(a, b *api.Backup) int { return due(b).Compare(due(a)) })
	}
	return bs
}

// scheduled says whether a schedule made a Backup.
func scheduled(b *api.Backup) bool {
	_, is := b.Labels[api.LabelSchedule]
	return is
}

// atWork says whether a Backup runs or is about to, and not one that waits for a person.
func atWork(b *api.Backup) bool {
	return b.DeletionTimestamp == nil && !step.Ended(&b.Status.TaskStatus) && !meta.IsStatusConditionTrue(b.Status.Conditions, api.ConditionStalled)
}

// due is when a scheduled Backup was due.
func due(b *api.Backup) time.Time {
	t, err := time.Parse(time.RFC3339, b.Annotations[api.AnnotationDue])
	if err != nil {
		return b.CreationTimestamp.Time // Somebody has edited it.
	}
	return t
}

// taken is the instant that a good Backup is of.
func taken(b *api.Backup) time.Time {
	if t := b.Status.Snapshot.Time; t != nil {
		return t.Time
	}
	return b.Status.CompletionTime.Time
}

// sinceGood are the attempts of a schedule, failed or unfinished, that were due after the instant of the newest good backup; the newest first.
func (bs *backups) sinceGood() []*api.Backup {
	var attempts []*api.Backup
	for _, b := range slices.Concat(bs.failed, bs.unfinished) {
		if bs.newest == nil || due(b).After(taken(bs.newest)) {
			attempts = append(attempts, b)
		}
	}
	slices.SortFunc(attempts, func(a, b *api.Backup) int { return due(b).Compare(due(a)) })
	return attempts
}

// summary is the newest good one as the Install's status has it.
func (bs *backups) summary() *api.BackupSummary {
	if bs.newest == nil {
		return nil
	}
	return &api.BackupSummary{Name: bs.newest.Name, Time: bs.newest.Status.CompletionTime}
}
