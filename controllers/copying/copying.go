// Package copying makes the new Install of a task that copies a site, and follows it: there is one way to make a site, and a Clone or a
// Restore to another place is a thin task around it.
package copying

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
)

// madeBy on an Install is the UID of the task that made it.
const madeBy = "sitewright.dev/made-by"

// IsCopy says whether a task made an Install.
func IsCopy(in *api.Install) bool { return in.Annotations[madeBy] != "" }

// Spec is the spec of the copy: the target's, with the source's where the target says nothing.
func Spec(to api.CopyTarget, application, version string, source *api.Install, from api.BootstrapSpec) api.InstallSpec {
	spec := api.InstallSpec{
		Application: application, Version: version, URL: to.URL, Address: to.Address, Database: to.Database,
		Exposure: to.Exposure, Bootstrap: &from,
	}
	if source != nil {
		spec.Storage, spec.Runtime = source.Spec.Storage, source.Spec.Runtime
		spec.Title, spec.Language = source.Spec.Title, source.Spec.Language
		if spec.Database == nil && source.Spec.Database != nil && source.Spec.Database.ServerRef != nil {
			spec.Database = &api.DatabaseTarget{ServerRef: source.Spec.Database.ServerRef}
		}
	}
	if to.Storage != nil {
		spec.Storage = *to.Storage
	}
	return spec
}

// Make creates the Install of a task unless it has done so before. One of that name which something else made is left alone.
func Make(ctx context.Context, c client.Client, task client.Object, name string, spec api.InstallSpec) (*api.Install, error) {
	have := &api.Install{}
	err := c.Get(ctx, client.ObjectKey{Namespace: task.GetNamespace(), Name: name}, have)
	if err == nil {
		if have.Annotations[madeBy] != string(task.GetUID()) {
			return nil, step.Invalid(fmt.Sprintf("spec.to.name: Install %s exists already: choose another name", name))
		}
		return have, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	made := &api.Install{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: task.GetNamespace(), Labels: job.Labels(nil),
			Annotations: map[string]string{madeBy: string(task.GetUID())},
		},
		Spec: spec,
	}
	err = c.Create(ctx, made)
	if apierrors.IsInvalid(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.to: %v", err))
	}
	if err != nil {
		return nil, fmt.Errorf("creating Install %s: %w", name, err)
	}
	return made, nil
}

// Made reads the Install that a task made before.
func Made(ctx context.Context, c client.Client, task client.Object, name string) (*api.Install, error) {
	have := &api.Install{}
	err := c.Get(ctx, client.ObjectKey{Namespace: task.GetNamespace(), Name: name}, have)
	if apierrors.IsNotFound(err) || (err == nil && have.Annotations[madeBy] != string(task.GetUID())) {
		return nil, step.Failed(fmt.Sprintf("Install %s was deleted before it served", name))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	return have, nil
}

// Follow reports how far the copy is, until it serves or has failed.
func Follow(made *api.Install, status *api.TaskStatus) (*step.Wait, error) {
	if made.Status.Progress != nil {
		status.Progress = made.Status.Progress
	}
	if why, stalled := step.IsStalled(made.Status.Conditions); stalled {
		return nil, step.Failed(fmt.Sprintf("Install %s: %s", made.Name, why))
	}
	if !step.IsReady(made.Status.Conditions, made.Generation) {
		return step.Progressing(fmt.Sprintf("Install %s: %s", made.Name, step.Message(made.Status.Conditions))), nil
	}
	return nil, nil
}
