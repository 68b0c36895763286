// Package application checks each entry of the catalogue: an Install of one that cannot work would fail only halfway.
package application

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/version"
)

// Reconciler reconciles Applications.
type Reconciler struct {
	client.Client
	Events events.EventRecorder
	Now    func() time.Time
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=applications,verbs=get;list;watch
// +kubebuilder:rbac:groups=sitewright.dev,resources=applications/status,verbs=patch

// Reconcile checks one entry.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	app := &api.Application{}
	if err := r.Get(ctx, req.NamespacedName, app); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	status := *app.Status.DeepCopy()
	status.ObservedGeneration = app.Generation
	status.LatestVersion = latest(app.Spec.Releases)
	o := step.Outcome{Err: check(app.Spec)}
	o.Conditions(&status.Conditions, app.Generation, r.Now(), fmt.Sprintf("%d releases can be installed", len(app.Spec.Releases)))
	if equality.Semantic.DeepEqual(app.Status, status) {
		return ctrl.Result{}, nil
	}
	configuration, err := step.Configuration[ac.ApplicationStatusApplyConfiguration](status)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := step.ApplyStatus(ctx, r.Client, ac.Application(app.Name).WithResourceVersion(app.ResourceVersion).WithStatus(configuration)); err != nil {
		return step.Unwritten(err)
	}
	step.Announce(r.Events, app, app.Status.Conditions, status.Conditions)
	return ctrl.Result{}, nil
}

// check finds what the schema cannot: templates, expressions and ranges that do not parse.
func check(spec api.ApplicationSpec) error {
	fields := make([]string, 0, len(spec.Fields))
	for _, f := range spec.Fields {
		fields = append(fields, f.Name)
	}
	if err := recipe.Validate(&spec.Recipe, fields); err != nil {
		return step.Invalid(fmt.Sprintf("spec.recipe: %v", err))
	}
	for _, r := range spec.Releases {
		for field, text := range map[string]api.VersionRange{
			"requirements.php": r.Requirements.PHP, "requirements.mysql": r.Requirements.MySQL, "upgradeFrom": r.UpgradeFrom,
		} {
			if text == "" {
				continue
			}
			if _, err := version.ParseRange(string(text)); err != nil {
				return step.Invalid(fmt.Sprintf("spec.releases[%s].%s: %v", r.Version, field, err))
			}
		}
	}
	return nil
}

func latest(releases []api.Release) string {
	best := ""
	for _, r := range releases {
		if best == "" || version.Compare(r.Version, best) > 0 {
			best = r.Version
		}
	}
	return best
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.Application{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(r)
}
