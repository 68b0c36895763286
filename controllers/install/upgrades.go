package install

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/version"
)

// Upgrades is what a site can be upgraded to.
type Upgrades struct {
	application *api.Application
	// from is the version that serves, and runtime what it runs on.
	from, runtime string
	// wanted is the runtime that the spec names; empty: any of runtimes, which are the operator's, newest first.
	wanted   string
	runtimes []string
	// database is the version of the server; empty where it is not known.
	database string
}

// Upgrades reads what an Install that serves can be upgraded to. A Wait says what is missing.
func (r *Reconciler) Upgrades(ctx context.Context, in *api.Install) (*Upgrades, *step.Wait, error) {
	s := &site{Reconciler: r, in: in, status: in.Status, now: r.Now()}
	if wait, err := s.catalogue(ctx); wait != nil || err != nil {
		return nil, wait, err
	}
	if wait, err := s.attach(ctx); wait != nil || err != nil {
		return nil, wait, err
	}
	return s.upgrades(), nil, nil
}

func (s *site) upgrades() *Upgrades {
	u := &Upgrades{application: s.app, from: s.status.Version, runtime: s.status.Runtime, wanted: s.in.Spec.Runtime.Name,
		runtimes: newestFirst(slices.Collect(maps.Keys(s.Platform.Runtimes)))}
	if s.server != nil {
		u.database = version.Server(s.server.Status.Version)
	}
	return u
}

// Newest is the newest release that a policy takes, and the runtime to run it on; nil where there is none.
func (u *Upgrades) Newest(policy api.UpdatePolicy) (best *api.Release, runtime string) {
	if policy == "" || policy == api.UpdateOff {
		return nil, ""
	}
	for i := range u.application.Spec.Releases {
		r := &u.application.Spec.Releases[i]
		if version.Compare(r.Version, u.from) <= 0 || (best != nil && version.Compare(r.Version, best.Version) <= 0) {
			continue
		}
		if policy == api.UpdateMinor && u.branchOf(r.Version) != u.branchOf(u.from) {
			continue
		}
		if on, obstacle := u.obstacle(r); obstacle == "" {
			best, runtime = r, on
		}
	}
	return best, runtime
}

// To is the release of a version, or the newest where none is named, and the runtime to run it on; nil where that or a newer one serves already that
// was not named. What keeps the site from being upgraded to it is a terminal error.
func (u *Upgrades) To(want string) (*api.Release, string, error) {
	name := u.application.Spec.DisplayName
	if want == "" {
		r, runtime := u.Newest(api.UpdateAny)
		return r, runtime, nil
	}
	switch c := version.Compare(want, u.from); {
	case c < 0:
		return nil, "", step.Invalid(fmt.Sprintf(
			"spec.version %s is older than %s, which serves: nothing is downgraded; go back to the previous generation, or restore a Backup", want, u.from))
	case c == 0:
		return nil, "", nil
	}
	r := u.find(want)
	if r == nil {
		return nil, "", step.Invalid(fmt.Sprintf("spec.version %s is not a release of %s in the catalogue: newer than %s it has %s", want, name, u.from, u.newer()))
	}
	runtime, obstacle := u.obstacle(r)
	if obstacle != "" {
		return nil, "", step.Invalid(fmt.Sprintf("%s %s cannot be upgraded to %s: %s", name, u.from, r.Version, obstacle))
	}
	return r, runtime, nil
}

// obstacle says what keeps the site from being upgraded to a release, or which runtime to run it on.
func (u *Upgrades) obstacle(r *api.Release) (runtime, why string) {
	if !within(r.UpgradeFrom, u.from) {
		why = fmt.Sprintf("that release upgrades %s", r.UpgradeFrom)
		if between := u.between(r); between != nil {
			why += fmt.Sprintf("; upgrade to %s first", between.Version)
		}
		return "", why
	}
	if need := r.Requirements.MySQL; u.database != "" && !within(need, u.database) {
		return "", fmt.Sprintf("it needs MySQL or MariaDB %s, and the database server is %s", need, u.database)
	}
	if u.wanted != "" && !slices.Contains(u.runtimes, u.wanted) {
		return "", fmt.Sprintf("spec.runtime.name %s of the Install is none of this operator's: %s", u.wanted, strings.Join(u.runtimes, ", "))
	}
	// The one that serves is kept where it can be: plugins run on it.
	candidates := append([]string{u.runtime}, u.runtimes...)
	if u.wanted != "" {
		candidates = []string{u.wanted}
	}
	for _, name := range candidates {
		if slices.Contains(u.runtimes, name) && supports(r, name) {
			return name, ""
		}
	}
	return "", fmt.Sprintf("it needs PHP %s, and can run on %s: set spec.runtime.name of the Install, or have the operator given such a runtime",
		r.Requirements.PHP, strings.Join(slices.Compact(slices.Sorted(slices.Values(candidates))), ", "))
}

// between is the newest release that the site can be upgraded to, and from which it can go on to the one that is wanted.
func (u *Upgrades) between(to *api.Release) (best *api.Release) {
	for i := range u.application.Spec.Releases {
		r := &u.application.Spec.Releases[i]
		if version.Compare(r.Version, u.from) <= 0 || version.Compare(r.Version, to.Version) >= 0 {
			continue
		}
		if within(r.UpgradeFrom, u.from) && within(to.UpgradeFrom, r.Version) && (best == nil || version.Compare(r.Version, best.Version) > 0) {
			best = r
		}
	}
	return best
}

// branchOf is the branch that the catalogue has a version in; of others, the first two components are.
func (u *Upgrades) branchOf(v string) string {
	if r := u.find(v); r != nil && r.Branch != "" {
		return r.Branch
	}
	parts := strings.SplitN(v, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func (u *Upgrades) find(v string) *api.Release {
	for i := range u.application.Spec.Releases {
		if r := &u.application.Spec.Releases[i]; version.Compare(r.Version, v) == 0 {
			return r
		}
	}
	return nil
}

// newer are the versions in the catalogue that are newer than the one that serves.
func (u *Upgrades) newer() string {
	var list []string
	for _, r := range u.application.Spec.Releases {
		if version.Compare(r.Version, u.from) > 0 {
			list = append(list, r.Version)
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// within says whether a range admits a version. The catalogue refuses ranges that do not parse.
func within(r api.VersionRange, v string) bool {
	admitted, err := version.ParseRange(string(r))
	return err == nil && admitted.Contains(v)
}
