package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
	"github.com/sitewright/sitewright/internal/storage"
)

// location is an open repository and the store it lies in.
type location struct {
	*repository.Repository
	plan  *plan.Location
	store storage.Store
}

func (a *agent) repositoryOptions(l *plan.Location, s storage.Store) (repository.Options, error) {
	password, err := a.secret("repository password of BackupLocation "+l.Name, l.PasswordFile)
	if err != nil {
		return repository.Options{}, err
	}
	if password == "" {
		return repository.Options{}, invalid("the repository password of BackupLocation %s is empty", l.Name)
	}
	return repository.Options{Store: s, Password: password, StateDir: filepath.Join(a.StateDir, "repository"), Now: a.Now}, nil
}

// openLocation opens a location's repository. Its errors name the location.
func (a *agent) openLocation(ctx context.Context, l *plan.Location) (*location, error) {
	s, err := a.store(l)
	if err != nil {
		return nil, err
	}
	o, err := a.repositoryOptions(l, s)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	r, err := repository.Open(ctx, o)
	if err != nil {
		return nil, errors.Join(aboutLocation(l, err), s.Close())
	}
	return &location{r, l, s}, nil
}

func (l *location) close(ctx context.Context) error {
	// A task that was stopped still has to let go of its connections.
	return errors.Join(l.Repository.Close(context.WithoutCancel(ctx)), l.store.Close())
}

func (l *location) about(err error) error { return aboutLocation(l.plan, err) }

// open opens a repository, or makes it where there is none, and sees that it may be written to.
func (a *agent) open(ctx context.Context, p *plan.Open) (result plan.Result, err error) {
	a.progress.phase(0, 100, "opening the repository")
	s, err := a.store(&p.Location)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := probe(ctx, s, p.MakeDirectory); err != nil {
		return plan.Result{}, aboutLocation(&p.Location, err)
	}
	o, err := a.repositoryOptions(&p.Location, s)
	if err != nil {
		return plan.Result{}, err
	}
	r, err := repository.Open(ctx, o)
	if errors.Is(err, repository.ErrNotInitialized) {
		if err = repository.Create(ctx, o); err == nil || errors.Is(err, repository.ErrExists) {
			r, err = repository.Open(ctx, o)
		}
	}
	if err != nil {
		return plan.Result{}, aboutLocation(&p.Location, err)
	}
	l := &location{r, &p.Location, s}
	defer func() { err = errors.Join(err, l.about(r.Close(context.WithoutCancel(ctx)))) }()
	m, err := l.Maintenance(ctx)
	if err != nil {
		return plan.Result{}, l.about(err)
	}
	result, err = l.state(ctx, m)
	if pinning, ok := s.(interface{ HostKey() string }); ok {
		result.HostKey = pinning.HostKey()
	}
	return result, err
}

// probe writes and removes a small object. Its name begins like none of the repository's.
func probe(ctx context.Context, s storage.Store, makeDirectory bool) error {
	name := "sitewright-probe-" + rand.Text()
	const content = "Sitewright writes and removes this to see that it may."
	put := func() error { return s.Put(ctx, name, strings.NewReader(content), int64(len(content))) }
	err := put()
	if on, can := s.(interface{ Make(context.Context) error }); can && makeDirectory && errors.Is(err, storage.ErrNoContainer) {
		if err = on.Make(ctx); err == nil {
			err = put()
		}
	}
	if err != nil {
		return err
	}
	return s.Delete(ctx, name)
}

// forget removes a snapshot. One that is not there is success.
func (a *agent) forget(ctx context.Context, p *plan.Forget) (result plan.Result, err error) {
	a.progress.phase(0, 100, "removing the snapshot")
	l, err := a.openLocation(ctx, &p.Location)
	if errors.Is(err, repository.ErrNotInitialized) {
		return plan.Result{}, nil
	}
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
	ids := []string{p.Snapshot}
	if p.Snapshot == "" {
		if p.BackupUID == "" {
			return plan.Result{}, invalid("the plan names neither a snapshot nor a Backup to forget")
		}
		if ids, err = l.leftBy(ctx, p.BackupUID); err != nil {
			return plan.Result{}, err
		}
	}
	for _, id := range ids {
		if err := l.Delete(ctx, id); err != nil {
			return plan.Result{}, l.about(err)
		}
		result.Snapshot = id
	}
	return result, nil
}

// leftBy finds everything that a Backup may have left, verified or not.
func (l *location) leftBy(ctx context.Context, backupUID string) ([]string, error) {
	done, err := l.snapshotsOf(ctx, l.List, nil, backupUID)
	if err != nil {
		return nil, err
	}
	pending, err := l.snapshotsOf(ctx, l.ListPending, nil, backupUID)
	var ids []string
	for _, s := range slices.Concat(done, pending) {
		ids = append(ids, s.ID)
	}
	return ids, err
}

// snapshotsOf finds the snapshots that were made for a Backup; a run that was killed may have left more than one.
func (l *location) snapshotsOf(ctx context.Context, list func(context.Context, *repository.Source) ([]repository.Snapshot, error),
	source *repository.Source, backupUID string) ([]repository.Snapshot, error) {
	all, err := list(ctx, source)
	if err != nil {
		return nil, l.about(err)
	}
	return slices.DeleteFunc(all, func(s repository.Snapshot) bool { return s.Tags[snapshots.TagBackup] != backupUID }), nil
}

// prune removes a generation.
func (a *agent) prune(ctx context.Context, p *plan.Prune) (result plan.Result, err error) {
	a.progress.phase(0, 100, "removing an old generation")
	v, err := a.openVolume(ctx, p.Volume)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	return plan.Result{}, v.Prune(p.Generation)
}
