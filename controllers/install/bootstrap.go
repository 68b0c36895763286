package install

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// bootstrap makes the first generation, from whichever source the spec names. It is done when that generation is sealed.
func (s *site) bootstrap(ctx context.Context) (*step.Wait, error) {
	first := s.made()
	if s.status.Generation > 0 || first.Sealed {
		return nil, nil
	}
	switch b := s.in.Spec.Bootstrap; {
	case b != nil && b.Orphan != nil:
		return nil, fmt.Errorf("generation %d was adopted, and is not sealed", first.Number)
	case b == nil || b.Release != nil:
		return s.fromRelease(ctx, first)
	case b.Backup != nil && b.Backup.BackupRef != nil:
		return s.fromBackup(ctx, first, b.Backup.BackupRef.Name)
	case b.Backup != nil:
		return s.fromLatest(ctx, first, b.Backup)
	case b.Clone != nil:
		return s.fromInstall(ctx, first, b.Clone.SourceRef.Name)
	}
	return nil, step.NotImplemented("spec.bootstrap.import: this version of Sitewright cannot import a running site yet")
}

// made is the generation that the Install itself makes.
func (s *site) made() *api.GenerationStatus {
	i := slices.IndexFunc(s.status.Generations, func(g api.GenerationStatus) bool { return g.UID == string(s.in.UID) })
	if i < 0 {
		return &api.GenerationStatus{}
	}
	return &s.status.Generations[i]
}

// run carries out a plan for the first generation and takes its result into the status.
func (s *site) run(ctx context.Context, g *api.GenerationStatus, spec job.Spec) (plan.Result, *step.Wait, error) {
	spec.Name, spec.Namespace = names.BootstrapJob(spec.Plan.Task(), s.in.Name), s.in.Namespace
	spec.Install, spec.Owner, spec.Revision = s.in.Name, *s.ownerReference(), strconv.FormatInt(s.in.Generation, 10)
	state, wait, err := s.Jobs.Run(ctx, spec)
	if wait != nil || err != nil {
		if made := step.Making(state.Progress); wait != nil && made != nil {
			s.status.Progress = made
		}
		return plan.Result{}, wait, err
	}
	r := state.Result
	if r.Failure != nil {
		return r, nil, step.Failed(r.Failure.Message)
	}
	g.Sealed = true
	s.status.Version, s.status.SchemaVersion = r.Version, r.SchemaVersion
	s.status.Size = &api.SizeStatus{Files: r.Files, Bytes: r.Bytes, DatabaseBytes: r.DatabaseBytes}
	s.status.Progress = step.Switching("starting the site")
	if r.Runtime != "" && s.in.Spec.Runtime.Name == "" && s.Platform.Runtimes[r.Runtime] != "" {
		s.status.Runtime = r.Runtime
	}
	s.note(g.Number)
	return r, nil, nil
}

// fromRelease installs the application afresh.
func (s *site) fromRelease(ctx context.Context, g *api.GenerationStatus) (*step.Wait, error) {
	secret, wait, err := s.ensureLogin(ctx, func() (map[string]string, *step.Wait, error) { return s.newLogin(ctx) })
	if wait != nil || err != nil {
		return wait, err
	}
	m := &job.Mounts{}
	fields := map[string]string{}
	for _, f := range s.app.Spec.Fields {
		fields[f.Name] = f.Default
	}
	for name, value := range s.in.Spec.Fields {
		fields[name] = string(value)
	}
	p := &plan.Install{
		Site:    s.target(m, g.Number, s.prefix(s.app.Spec.TablePrefix)),
		Release: *ReleasePlan(s.release),
		Admin: plan.Admin{
			Login: string(secret.Data[keyUsername]), Email: string(secret.Data[keyEmail]),
			PasswordFile: m.Secret(secret.Name, keyPassword),
		},
		Language: s.in.Spec.Language, Content: s.in.Spec.Content, Fields: fields,
	}
	m.Generation(names.Workload(s.in.Name), g.Number)
	_, wait, err = s.run(ctx, g, job.Spec{Plan: plan.Plan{Install: p}, Mounts: m, Runtime: s.Platform.Runtimes[s.status.Runtime]})
	if wait != nil || err != nil {
		return wait, err
	}
	return nil, s.installed(ctx)
}

// fromBackup takes the content of a Backup of the namespace.
func (s *site) fromBackup(ctx context.Context, g *api.GenerationStatus, name string) (*step.Wait, error) {
	backup := &api.Backup{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: name}, backup)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.bootstrap.backup.backupRef: Backup %s does not exist", name))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Backup %s: %w", name, err)
	}
	if why, stalled := step.IsStalled(backup.Status.Conditions); stalled {
		return nil, step.Invalid(fmt.Sprintf("spec.bootstrap.backup.backupRef: Backup %s failed: %s", name, why))
	}
	// One that is being deleted waits for who has begun to read it, and for nobody else.
	begun, err := s.Jobs.Begun(ctx, s.in, names.BootstrapJob("restore", s.in.Name))
	if err != nil {
		return nil, err
	}
	ready := backup.DeletionTimestamp == nil && step.IsReady(backup.Status.Conditions, 0)
	if backup.Status.Snapshot == nil || (!ready && begun == nil) {
		return step.Dependency(fmt.Sprintf("Backup %s is not ready: %s", name, step.Message(backup.Status.Conditions))), nil
	}
	if backup.Status.Application != s.in.Spec.Application {
		return nil, step.Invalid(fmt.Sprintf("spec.application: Backup %s is of %s", name, backup.Status.Application))
	}
	prefix := s.app.Spec.TablePrefix
	if backup.Status.Database != nil {
		prefix = backup.Status.Database.Prefix
	}
	source := ""
	if backup.Spec.InstallRef != nil {
		source = backup.Spec.InstallRef.Name
	}
	if s.in.Spec.Runtime.Name == "" && s.Platform.Runtimes[backup.Status.Runtime] != "" {
		s.status.Runtime = backup.Status.Runtime
	}
	p := &plan.Restore{Snapshot: backup.Status.Snapshot.ID, NewSite: true}
	_, wait, err := s.fromSnapshot(ctx, g, backup.Status.Snapshot.Location, prefix, source, p)
	return wait, err
}

// fromLatest takes the newest snapshot of a site in a location or, where the spec says so, installs afresh.
func (s *site) fromLatest(ctx context.Context, g *api.GenerationStatus, b *api.BackupBootstrap) (*step.Wait, error) {
	namespace := b.Latest.Namespace
	if namespace == "" {
		namespace = s.in.Namespace
	}
	p := &plan.Restore{
		Latest:  &plan.LatestSnap{Namespace: namespace, Name: b.Latest.Install},
		NewSite: namespace != s.in.Namespace || b.Latest.Install != s.in.Name,
	}
	source := ""
	if p.NewSite && namespace == s.in.Namespace {
		source = b.Latest.Install
	}
	result, wait, err := s.fromSnapshot(ctx, g, b.Latest.LocationRef.Name, s.app.Spec.TablePrefix, source, p)
	none := result.Failure != nil && result.Failure.Reason == plan.ReasonNoSnapshot
	if none && b.Otherwise == api.OtherwiseRelease {
		return s.fromRelease(ctx, g)
	}
	return wait, err
}

func (s *site) fromSnapshot(ctx context.Context, g *api.GenerationStatus, locationName, prefix, source string, p *plan.Restore) (plan.Result, *step.Wait, error) {
	l, wait, err := location.Find(ctx, s.Client, s.in.Namespace, locationName)
	if wait != nil || err != nil {
		return plan.Result{}, wait, err
	}
	m := &job.Mounts{}
	p.Site = s.target(m, g.Number, s.prefix(prefix))
	where := location.Plan(l, m)
	p.Location = where
	if _, wait, err = s.ensureLogin(ctx, func() (map[string]string, *step.Wait, error) { return s.copiedLogin(ctx, source) }); wait != nil || err != nil {
		return plan.Result{}, wait, err
	}
	return s.run(ctx, g, job.Spec{Plan: plan.Plan{Restore: p}, Mounts: m})
}

// fromInstall copies another Install of the namespace, which is held meanwhile.
func (s *site) fromInstall(ctx context.Context, g *api.GenerationStatus, name string) (*step.Wait, error) {
	source := &api.Install{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: name}, source)
	if apierrors.IsNotFound(err) || source.UID == s.in.UID {
		return nil, step.Invalid(fmt.Sprintf("spec.bootstrap.clone.sourceRef: there is no other Install %s", name))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	if source.Spec.Application != s.in.Spec.Application {
		return nil, step.Invalid(fmt.Sprintf("spec.application: Install %s is of %s", name, source.Spec.Application))
	}
	if source.Status.Generation == 0 {
		return step.Dependency(fmt.Sprintf("Install %s does not serve yet: %s", name, step.Message(source.Status.Conditions))), nil
	}
	if wait, err := operation.Take(ctx, s.Client, source, operation.Task{Kind: "Install", Object: s.in}, s.now); wait != nil || err != nil {
		return wait, err
	}
	from := s.beside(source)
	wait, err := s.copyInstall(ctx, g, from)
	if stalled := (step.Outcome{Err: err}).Stalled(); (wait == nil && err == nil) || stalled != nil {
		if kept := s.giveBack(ctx, from); kept != nil {
			g.Sealed = false // comes here again
			return nil, kept
		}
		if released := operation.Release(ctx, s.Client, source, string(s.in.UID)); released != nil {
			return nil, released
		}
	}
	return wait, err
}

func (s *site) copyInstall(ctx context.Context, g *api.GenerationStatus, from *site) (*step.Wait, error) {
	source := from.in
	if s.in.Spec.Runtime.Name == "" {
		s.status.Runtime = source.Status.Runtime
	}
	prefix := s.app.Spec.TablePrefix
	if source.Status.Database != nil {
		prefix = source.Status.Database.Prefix
	}
	m := &job.Mounts{}
	p := &plan.Clone{Site: s.target(m, g.Number, s.prefix(prefix))}
	if wait, err := from.attach(ctx); wait != nil || err != nil {
		return wait, err
	}
	p.Source = from.site(m, job.SourceVolume, source.Status.Generation, prefix)
	if _, wait, err := s.ensureLogin(ctx, func() (map[string]string, *step.Wait, error) { return s.copiedLogin(ctx, source.Name) }); wait != nil || err != nil {
		return wait, err
	}
	if err := s.borrow(ctx, from); err != nil {
		return nil, err
	}
	_, wait, err := s.run(ctx, g, job.Spec{Plan: plan.Plan{Clone: p}, Mounts: m, Beside: Beside(source)})
	return wait, err
}

// attach finds the database server of another Install, to read from it.
func (s *site) attach(ctx context.Context) (*step.Wait, error) {
	if !s.usesDatabase() || s.existing() != nil {
		return nil, nil
	}
	server, wait, err := s.findServer(ctx)
	s.server = server
	return wait, err
}

// releaseSource gives back the Install that a copy which is being deleted was taken from.
func (s *site) releaseSource(ctx context.Context) (*step.Wait, error) {
	b := s.in.Spec.Bootstrap
	if b == nil || b.Clone == nil {
		return nil, nil
	}
	source := &api.Install{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: b.Clone.SourceRef.Name}, source)
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	gone, err := s.Jobs.Remove(ctx, s.in, names.BootstrapJob("clone", s.in.Name))
	if err != nil || !gone {
		return step.Progressing("waiting for the agent to end"), err
	}
	if wait, err := s.leaveBehind(ctx, s.beside(source)); wait != nil || err != nil {
		return wait, err
	}
	return nil, operation.Release(ctx, s.Client, source, string(s.in.UID))
}

// prefix is the prefix of the site's tables: what the spec says, else the given one.
func (s *site) prefix(otherwise string) string {
	if d := s.in.Spec.Database; d != nil && d.Prefix != "" {
		return d.Prefix
	}
	return otherwise
}
