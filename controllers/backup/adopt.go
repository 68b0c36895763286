package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/plan"
)

// adopt has an agent look at the snapshot that the spec names. The status has it only when all that it refers to was seen to exist.
func (t *task) adopt(ctx context.Context) (*step.Wait, error) {
	m := &job.Mounts{}
	return t.take(ctx, m, plan.Plan{Adopt: &plan.Adopt{Location: location.Plan(t.location, m), Snapshot: t.backup.Spec.Snapshot.ID}})
}

// importArchive has an agent make a snapshot of the archive that the spec names. Whose site is in one that another program wrote is found out by the recipes of
// the catalogue.
func (t *task) importArchive(ctx context.Context) (*step.Wait, error) {
	var catalogue api.ApplicationList
	if err := t.List(ctx, &catalogue); err != nil {
		return nil, fmt.Errorf("listing the catalogue: %w", err)
	}
	m := &job.Mounts{}
	p := &plan.Import{
		Location: location.Plan(t.location, m), Archive: t.backup.Spec.Archive.Path, Note: t.backup.Spec.Note, Maker: string(t.location.UID),
		Namespace: t.backup.Namespace, Name: t.backup.Name, UID: string(t.backup.UID),
	}
	for _, app := range catalogue.Items {
		r := app.Spec.Recipe
		p.Candidates = append(p.Candidates, plan.Candidate{Application: app.Name, Recipe: recipe.Recipe{
			Layout: r.Layout, Configuration: r.Configuration, Version: r.Version, Database: r.Database,
		}})
	}
	slices.SortFunc(p.Candidates, func(a, b plan.Candidate) int { return strings.Compare(a.Application, b.Application) })
	return t.take(ctx, m, plan.Plan{Import: p})
}

// take has an agent find a snapshot in the location, or make one of what is there, and takes its answer into the status.
func (t *task) take(ctx context.Context, m *job.Mounts, p plan.Plan) (*step.Wait, error) {
	step.Begin(&t.status.TaskStatus, t.now)
	state, wait, err := t.Jobs.Run(ctx, job.Spec{Name: t.jobName(), Namespace: t.backup.Namespace, Owner: t.ownerReference(), Mounts: m, Plan: p})
	step.Advance(&t.status.TaskStatus, state.Progress)
	if wait != nil || err != nil {
		return wait, err
	}
	r := state.Result
	if r.Failure != nil {
		return nil, step.Failed(r.Failure.Message)
	}
	t.status.Snapshot = t.snapshot(r)
	t.status.Snapshot.UploadedBytes = r.UploadedBytes
	t.status.Install, t.status.Application, t.status.Version = r.Install, r.Application, r.Version
	t.status.Title, t.status.Runtime = r.Title, r.Runtime
	if len(r.SourceURL) <= maxURL {
		t.status.URL = r.SourceURL
	}
	if r.DatabaseBytes > 0 {
		t.status.Database = &api.DatabaseStatus{Prefix: r.Prefix}
	}
	t.limit()
	return nil, nil
}

// maxURL is the longest that the schema admits: a repository that others write to could hold any.
const maxURL = 1024
