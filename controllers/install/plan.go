package install

import (
	"context"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// target is the generation of this site that a task is to make. What the status says of the database is so from then on.
func (s *site) target(m *job.Mounts, generation int64, prefix string) plan.Site {
	p := s.site(m, job.SiteVolume, generation, prefix)
	if p.Database != nil {
		s.status.Database = &api.DatabaseStatus{Name: p.Database.Name, User: p.Database.User, Prefix: prefix}
		if s.server != nil {
			s.status.Database.Server = s.server.Name
		}
	}
	return p
}

// site tells the agent of one generation, and mounts what it needs for it. A volume that is mounted elsewhere than at the site's own
// place is another site's, and is only read.
func (s *site) site(m *job.Mounts, at string, generation int64, prefix string) plan.Site {
	m.Claim(names.Workload(s.in.Name), at, at != job.SiteVolume)
	return plan.Site{
		Namespace: s.in.Namespace, Name: s.in.Name, UID: s.identity(),
		Application: s.app.Name, Recipe: s.app.Spec.Recipe, Runtime: s.status.Runtime,
		URL: s.url(), Title: s.in.Spec.Title, Volume: at, Generation: generation,
		Database: s.databasePlan(m, generation, prefix),
	}
}

func (s *site) databasePlan(m *job.Mounts, generation int64, prefix string) *plan.Database {
	if !s.usesDatabase() {
		return nil
	}
	if e := s.existing(); e != nil {
		return &plan.Database{
			Host: e.Host, Port: int(e.Port), ConnectHost: e.ConnectHost, Name: e.Name, User: e.User, Prefix: prefix, Shared: true,
			PasswordFile: m.Secret(e.PasswordSecretRef.Name, e.PasswordSecretRef.Key),
		}
	}
	return &plan.Database{
		Host: s.server.Spec.Host, Port: int(s.server.Spec.Port),
		Name: names.Database(s.identity(), generation), User: names.DatabaseUser(s.identity()), Prefix: prefix,
		PasswordFile: m.Secret(names.DatabaseSecret(s.in.Name), keyPassword),
	}
}

// ReleasePlan tells the agent of a release.
func ReleasePlan(r *api.Release) *plan.Release {
	return &plan.Release{Version: r.Version, URL: string(r.Source.URL), SHA256: r.Source.SHA256, SHA1: r.Source.SHA1,
		StripComponents: int(r.Source.StripComponents)}
}

// present is the generation of this site that serves.
func (s *site) present(m *job.Mounts) plan.Site {
	return s.site(m, job.SiteVolume, s.status.Generation, s.usedPrefix())
}

// usedPrefix is the prefix that the site's tables have.
func (s *site) usedPrefix() string {
	if s.status.Database == nil {
		return ""
	}
	return s.status.Database.Prefix
}

// url is where the site is, or is to be as long as it is nowhere.
func (s *site) url() string {
	if s.status.URL != "" {
		return s.status.URL
	}
	return string(s.in.Spec.URL)
}

// urlOf is what a generation is made for: as its maker says while it is switched to, or as was noted of it.
func (s *site) urlOf(number int64) string {
	if op := s.in.Status.Operation; op != nil && op.Generation == number && op.URL != "" {
		return op.URL
	}
	for _, g := range s.status.Generations {
		if g.Number == number && g.URL != "" {
			return g.URL
		}
	}
	return s.url()
}

// Serving tells the agent of the generation of an Install that serves, as a task reads or replaces it. A Wait says what is missing.
func (r *Reconciler) Serving(ctx context.Context, in *api.Install, m *job.Mounts) (plan.Site, *step.Wait, error) {
	return r.Generation(ctx, in, m, in.Status.Generation)
}

// Generation tells the agent of one generation of an Install.
func (r *Reconciler) Generation(ctx context.Context, in *api.Install, m *job.Mounts, generation int64) (plan.Site, *step.Wait, error) {
	s := &site{Reconciler: r, in: in, status: in.Status, now: r.Now()}
	if wait, err := s.catalogue(ctx); wait != nil || err != nil {
		return plan.Site{}, wait, err
	}
	if wait, err := s.attach(ctx); wait != nil || err != nil {
		return plan.Site{}, wait, err
	}
	return s.site(m, job.SiteVolume, generation, s.usedPrefix()), nil, nil
}

// Beside is the Install that a Job which mounts its volume has to run beside, or empty: one without pods holds no volume on any node.
func Beside(in *api.Install) string {
	if in.Status.Generation == 0 || (in.Spec.Runtime.Replicas != nil && *in.Spec.Runtime.Replicas == 0) {
		return ""
	}
	return in.Name
}
