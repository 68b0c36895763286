package agent

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// ownerPatience is how long an owner of a repository's maintenance may be silent before another takes its place. A day's maintenance
// gives a sign of life, so that several have to fail first.
const ownerPatience = 7 * 24 * time.Hour

// maintain cares for a repository as a whole, unless somebody else does.
func (a *agent) maintain(ctx context.Context, p *plan.Maintain) (result plan.Result, err error) {
	a.progress.phase(0, 10, "opening the repository")
	l, err := a.openLocation(ctx, &p.Location)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
	m, err := l.Claim(ctx, p.Owner, ownerPatience)
	if err != nil {
		return plan.Result{}, l.about(err)
	}
	if m.Owner == p.Owner {
		a.progress.phase(10, 90, "maintaining the repository")
		if err := l.Maintain(ctx, p.Full); err != nil {
			return plan.Result{}, l.about(err)
		}
		if m, err = l.Maintenance(ctx); err != nil {
			return plan.Result{}, l.about(err)
		}
	}
	a.progress.phase(90, 100, "measuring the repository")
	return l.state(ctx, m)
}

// state is what there is to know of the repository.
func (l *location) state(ctx context.Context, m repository.Maintenance) (plan.Result, error) {
	s, err := l.Stats(ctx)
	if err != nil {
		return plan.Result{}, l.about(err)
	}
	return plan.Result{
		Repository:  l.UniqueID(),
		Maintenance: &plan.Maintenance{Owner: clip(m.Owner), LastQuick: moment(m.LastQuick), LastFull: moment(m.LastFull)},
		Statistics: &plan.Statistics{Snapshots: int64(s.Snapshots), LogicalBytes: s.LogicalBytes, UniqueBytes: s.UniqueBytes,
			StoredBytes: s.StoredBytes, Blobs: int64(s.Blobs)},
	}, nil
}

// moment is a time, nil where there is none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// find looks for snapshots that the cluster does not know, the newest first: what was lost with a cluster is wanted back from its end.
func (a *agent) find(ctx context.Context, p *plan.Find) (result plan.Result, err error) {
	a.progress.phase(0, 100, "looking for snapshots")
	l, err := a.openLocation(ctx, &p.Location)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
	all, err := l.List(ctx, nil)
	if err != nil {
		return plan.Result{}, l.about(err)
	}
	known := map[string]bool{}
	for _, k := range p.Known {
		known[k] = true
	}
	for _, s := range slices.Backward(all) {
		backup := s.Tags[snapshots.TagBackup]
		switch {
		case backup == "" || (p.Maker != "" && s.Tags[snapshots.TagMaker] == p.Maker) || known[plan.Key(backup)] || known[plan.Key(s.ID)]:
		case len(result.Found) == plan.MaxFound:
			result.More++
		default:
			result.Found = append(result.Found, plan.Found{ID: s.ID, Name: backupName(s)})
		}
	}
	return result, nil
}

// objectName is what every kind of object may be called.
var objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// backupName is what the Backup of a snapshot was called. The repository may have been written to by others: what is no name becomes one.
func backupName(s repository.Snapshot) string {
	for _, name := range []string{s.Tags[snapshots.TagBackupName], s.Source.Name} {
		if objectName.MatchString(name) {
			return name
		}
	}
	return "snapshot"
}

// adopt looks at a snapshot that somebody else made. Its blobs are seen to exist with the sizes that they must have; whoever made it read them
// back.
func (a *agent) adopt(ctx context.Context, p *plan.Adopt) (result plan.Result, err error) {
	a.progress.phase(0, 2, "opening the repository")
	l, err := a.openLocation(ctx, &p.Location)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
	s, err := l.Get(ctx, p.Snapshot)
	if err != nil {
		return plan.Result{}, l.about(err)
	}
	if s.Pending {
		return plan.Result{}, invalid("snapshot %s in BackupLocation %s was never verified; choose another one", p.Snapshot, l.plan.Name)
	}
	m, err := l.manifest(ctx, p.Snapshot)
	if err != nil {
		return plan.Result{}, err
	}
	verifying := a.progress.phase(2, 100, "verifying the snapshot")
	if _, err := l.Verify(ctx, p.Snapshot, repository.VerifyOptions{Progress: verifying.ofBytes}); err != nil {
		return plan.Result{}, l.about(err)
	}
	r := resultOf(&m)
	r.Snapshot, r.Files, r.DatabaseBytes = s.ID, s.Files, s.DatabaseBytes
	r.Bytes = s.Bytes - s.DatabaseBytes - m.Size
	r.Application, r.Time = clip(m.Application), moment(s.Time)
	if objectName.MatchString(m.Name) {
		r.Install = m.Name
	}
	return r, nil
}
