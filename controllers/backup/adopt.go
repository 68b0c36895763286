package backup

import (
	"context"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/plan"
)

// adopt has an agent look at the snapshot that the spec names. The status has it only when all that it refers to was seen to exist.
func (t *task) adopt(ctx context.Context) (*step.Wait, error) {
	step.Begin(&t.status.TaskStatus, t.now)
	m := &job.Mounts{}
	where := location.Plan(t.location, m)
	state, wait, err := t.Jobs.Run(ctx, job.Spec{
		Name: t.jobName(), Namespace: t.backup.Namespace, Owner: t.ownerReference(), Mounts: m,
		Plan: plan.Plan{Adopt: &plan.Adopt{Location: where, Snapshot: t.backup.Spec.Snapshot.ID}},
	})
	step.Advance(&t.status.TaskStatus, state.Progress)
	if wait != nil || err != nil {
		return wait, err
	}
	r := state.Result
	if r.Failure != nil {
		return nil, step.Failed(r.Failure.Message)
	}
	t.status.Snapshot = t.snapshot(r)
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
