package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/databaseserver"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// pruneRetry is how long to wait after a removal that failed.
const pruneRetry = 5 * time.Minute

// endingPoll is how often to look whether pods have ended: no watch on a Deployment tells.
const endingPoll = time.Second

// prune removes the generations that nobody wants any more: the previous one after its time, and what tasks left that failed. It keeps out
// of the way of an operation, and never keeps the site from being ready.
func (s *site) prune(ctx context.Context) (*step.Wait, error) {
	if until := s.status.PreviousUntil; until != nil {
		if s.now.Before(until.Time) {
			s.later(until.Time)
		} else {
			s.status.PreviousGeneration, s.status.PreviousUntil = 0, nil
		}
	}
	if err := s.dropLeftovers(ctx); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "a Job that is not wanted stays for now")
		s.later(s.now.Add(pruneRetry))
	}
	unwanted := slices.IndexFunc(s.status.Generations, func(g api.GenerationStatus) bool { return !s.keeps(g.Number) })
	if unwanted < 0 || s.in.Status.Operation != nil {
		return nil, nil
	}
	number := s.status.Generations[unwanted].Number
	ended, err := s.ended(ctx, number)
	if err == nil && !ended {
		s.later(s.now.Add(endingPoll))
		return nil, nil
	}
	done := false
	if err == nil {
		done, err = s.removeGeneration(ctx, number)
	}
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "a generation that is not wanted stays for now")
		s.later(s.now.Add(pruneRetry))
	}
	if done {
		s.status.Generations = slices.Delete(s.status.Generations, unwanted, unwanted+1)
	}
	return nil, nil
}

// dropLeftovers removes the Jobs that removed generations which the status does not have any more. Such a Job is made anew by who reads an
// Install as it was before its status changed, but sees the Job gone.
func (s *site) dropLeftovers(ctx context.Context) error {
	var jobs batchv1.JobList
	err := s.List(ctx, &jobs, client.InNamespace(s.in.Namespace), client.MatchingLabels{api.LabelTask: pruneTask, api.LabelInstall: s.in.Name})
	if err != nil {
		return fmt.Errorf("listing Jobs that remove generations: %w", err)
	}
	var errs []error
	for _, j := range jobs.Items {
		if !slices.ContainsFunc(s.status.Generations, func(g api.GenerationStatus) bool { return s.pruneJob(g.Number) == j.Name }) {
			_, err := s.Jobs.Remove(ctx, s.in, j.Name)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// pruneTask is the task of a Job that removes a generation.
const pruneTask = "prune"

func (s *site) pruneJob(generation int64) string {
	return names.GenerationJob(pruneTask, s.in.Name, generation)
}

// removeGeneration removes a generation's database and files, and says whether they are gone.
func (s *site) removeGeneration(ctx context.Context, number int64) (bool, error) {
	if s.server != nil && s.existing() == nil && s.usesDatabase() {
		admin, err := databaseserver.Connect(ctx, s.Client, s.server)
		if err != nil {
			return false, err
		}
		defer admin.Close()
		uid := s.identity()
		database := names.Database(uid, number)
		if err := errors.Join(admin.DropDatabase(ctx, database), admin.Revoke(ctx, names.DatabaseUser(uid), database)); err != nil {
			return false, fmt.Errorf("removing generation %d: %w", number, err)
		}
	}
	m := &job.Mounts{}
	m.Claim(names.Workload(s.in.Name), job.SiteVolume, false)
	name := s.pruneJob(number)
	state, wait, err := s.Jobs.Run(ctx, job.Spec{
		Name: name, Namespace: s.in.Namespace, Install: s.in.Name, Owner: *s.ownerReference(), Mounts: m, Beside: Beside(s.in),
		Plan: plan.Plan{Prune: &plan.Prune{Volume: job.SiteVolume, Generation: number}},
	})
	if wait != nil || err != nil {
		return false, err
	}
	if f := state.Result.Failure; f != nil {
		if due := state.Ended.Add(pruneRetry); s.now.Before(due) {
			s.later(due)
			return false, nil
		}
		_, err := s.Jobs.Remove(ctx, s.in, name)
		return false, err
	}
	// Once the Job is gone it would be made anew, so the generation leaves the status without waiting for that.
	_, err = s.Jobs.Remove(ctx, s.in, name)
	return err == nil, err
}

// ended says whether no pod serves a generation any more: one that is terminating still answers its last requests, and no Deployment counts it.
func (s *site) ended(ctx context.Context, number int64) (bool, error) {
	var pods corev1.PodList
	err := s.Live.List(ctx, &pods, client.InNamespace(s.in.Namespace), client.MatchingLabels(job.SelectorLabels(s.in.Name)))
	if err != nil {
		return false, fmt.Errorf("listing the site's pods: %w", err)
	}
	return !slices.ContainsFunc(pods.Items, func(p corev1.Pod) bool {
		// A pod that was evicted stays for good, and runs nothing.
		over := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		return !over && p.Annotations[generationAnnotation] == strconv.FormatInt(number, 10)
	}), nil
}

// keeps says whether a generation is wanted.
func (s *site) keeps(number int64) bool {
	return number == s.status.Generation || number == s.status.PreviousGeneration
}
