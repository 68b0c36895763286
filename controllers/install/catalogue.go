package install

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/version"
)

// IndexHost on Install are the hosts at which the site is, and is to be.
const IndexHost = "sitewright.dev/host"

// URLKey tells one place from another. Scheme and port make no difference: an Ingress tells sites apart by host and path alone, so that a
// second site on another port would get the first one's requests.
func URLKey(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return strings.ToLower(u.Hostname()) + strings.TrimSuffix(u.Path, "/")
}

// holder clears an operation whose holder is gone or has ended.
func (s *site) holder(ctx context.Context) (*step.Wait, error) {
	op := s.in.Status.Operation
	if op == nil || op.UID == string(s.in.UID) {
		return nil, nil // Nobody's, or its own: see goBack.
	}
	gone, err := operation.Gone(ctx, s.Client, s.in.Namespace, op)
	if err != nil || !gone {
		return nil, err
	}
	if err := operation.Release(ctx, s.Client, s.in, op.UID); err != nil {
		return nil, err
	}
	return step.Progressing(fmt.Sprintf("the operation of %s %s is over", op.Kind, op.Name)), nil
}

// uniqueURL keeps a site from being made where another one is.
func (s *site) uniqueURL(ctx context.Context) (*step.Wait, error) {
	if s.status.Generation > 0 {
		return nil, nil
	}
	return nil, s.Free(ctx, s.in, string(s.in.Spec.URL))
}

// Free says whether an Install may have a URL: it may not where another one serves, nor where an older one wants to. A host belongs to one namespace: with
// a longer path another tenant would get the requests for a part of it, such as its login page. The message does not say whose the other one is: a
// tenant learns nothing about another.
func (r *Reconciler) Free(ctx context.Context, in *api.Install, url string) error {
	var same api.InstallList
	if err := r.List(ctx, &same, client.MatchingFields{IndexHost: hostOf(url)}); err != nil {
		return fmt.Errorf("looking for other Installs at the URL: %w", err)
	}
	for i := range same.Items {
		other := &same.Items[i]
		taken := func(there string) bool {
			return there != "" && hostOf(there) == hostOf(url) && (other.Namespace != in.Namespace || URLKey(there) == URLKey(url))
		}
		if other.UID == in.UID || !taken(other.Status.URL) && (!taken(string(other.Spec.URL)) || !before(other, in)) {
			continue
		}
		whose := "an Install of another namespace"
		if other.Namespace == in.Namespace {
			whose = "Install " + other.Name
		}
		return step.Invalid(fmt.Sprintf("spec.url %s is taken by %s: choose another URL", url, whose))
	}
	return nil
}

// hosts are those at which an Install serves, and wants to.
func hosts(in *api.Install) []string {
	list := []string{hostOf(string(in.Spec.URL))}
	if h := hostOf(in.Status.URL); h != "" && h != list[0] {
		list = append(list, h)
	}
	return list
}

func before(a, b *api.Install) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.UID < b.UID
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}

// catalogue finds the application, the release to begin with and the runtime.
func (s *site) catalogue(ctx context.Context) (*step.Wait, error) {
	app := &api.Application{}
	err := s.Get(ctx, client.ObjectKey{Name: s.in.Spec.Application}, app)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.application %s is not in the catalogue: see kubectl get applications", s.in.Spec.Application))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Application %s: %w", s.in.Spec.Application, err)
	}
	if why, stalled := step.IsStalled(app.Status.Conditions); stalled {
		return nil, step.Invalid(fmt.Sprintf("Application %s cannot be used: %s", app.Name, why))
	}
	s.app = app
	if err := s.fields(); err != nil {
		return nil, err
	}
	if s.status.Generation > 0 || s.status.SiteUID != "" {
		return nil, s.knownRuntime(s.status.Runtime)
	}
	if b := s.in.Spec.Bootstrap; b != nil && b.Orphan != nil {
		return nil, nil // Release and runtime are those of the site that was left.
	}
	return nil, s.choose()
}

// fields refuses what the application does not know.
func (s *site) fields() error {
	for _, name := range slices.Sorted(maps.Keys(s.in.Spec.Fields)) {
		known := func(f api.ApplicationField) bool { return f.Name == name }
		if !slices.ContainsFunc(s.app.Spec.Fields, known) {
			return step.Invalid(fmt.Sprintf("spec.fields.%s: %s has no such field", name, s.app.Spec.DisplayName))
		}
	}
	if l := s.in.Spec.Language; l != "" && len(s.app.Spec.Languages) > 0 && !slices.Contains(s.app.Spec.Languages, l) {
		return step.Invalid(fmt.Sprintf("spec.language %s: %s can be installed in %s", l, s.app.Spec.DisplayName, strings.Join(s.app.Spec.Languages, ", ")))
	}
	return nil
}

func (s *site) knownRuntime(name string) error {
	if _, ok := s.Platform.Runtimes[name]; !ok {
		return step.Invalid(fmt.Sprintf("spec.runtime.name %s: this operator has %s", name, strings.Join(slices.Sorted(maps.Keys(s.Platform.Runtimes)), ", ")))
	}
	return nil
}

// choose settles the release and the runtime of a site that is yet to be made: the newest release that a runtime supports, on the newest such runtime.
func (s *site) choose() error {
	if name := s.in.Spec.Runtime.Name; name != "" {
		if err := s.knownRuntime(name); err != nil {
			return err
		}
	}
	release, runtime := Choose(s.app.Spec.Releases, s.in.Spec.Version, s.in.Spec.Runtime.Name, slices.Collect(maps.Keys(s.Platform.Runtimes)))
	if release != nil {
		s.release, s.status.Runtime = release, runtime
		return nil
	}
	want := slices.IndexFunc(s.app.Spec.Releases, func(r api.Release) bool { return r.Version == s.in.Spec.Version })
	if s.in.Spec.Version != "" && want < 0 {
		return step.Invalid(fmt.Sprintf("spec.version %s is not a release of %s in the catalogue: it has %s",
			s.in.Spec.Version, s.app.Spec.DisplayName, versions(s.app.Spec.Releases)))
	}
	if want < 0 {
		return step.Invalid(fmt.Sprintf("no release of %s runs on %s", s.app.Spec.DisplayName, s.runtimeWords()))
	}
	return step.Invalid(fmt.Sprintf("%s %s needs PHP %s, and the site would run on %s: choose another spec.runtime.name or spec.version",
		s.app.Spec.DisplayName, s.in.Spec.Version, s.app.Spec.Releases[want].Requirements.PHP, s.runtimeWords()))
}

func (s *site) runtimeWords() string {
	if s.in.Spec.Runtime.Name != "" {
		return s.in.Spec.Runtime.Name
	}
	return strings.Join(slices.Sorted(maps.Keys(s.Platform.Runtimes)), ", ")
}

func versions(releases []api.Release) string {
	list := make([]string, 0, len(releases))
	for _, r := range releases {
		list = append(list, r.Version)
	}
	return strings.Join(list, ", ")
}

// Choose picks the newest release, or the one that is asked for, that one of the runtimes, or the one that is asked for, can run, and the newest
// runtime for it. It returns nil where there is none.
func Choose(releases []api.Release, wantVersion, wantRuntime string, runtimes []string) (*api.Release, string) {
	runtimes = newestFirst(runtimes)
	var best *api.Release
	var on string
	for i := range releases {
		r := &releases[i]
		if (wantVersion != "" && r.Version != wantVersion) || (best != nil && version.Compare(r.Version, best.Version) <= 0) {
			continue
		}
		for _, name := range runtimes {
			if (wantRuntime == "" || name == wantRuntime) && supports(r, name) {
				best, on = r, name
				break
			}
		}
	}
	return best, on
}

// newestFirst sorts runtimes.
func newestFirst(runtimes []string) []string {
	return slices.SortedFunc(slices.Values(runtimes), func(a, b string) int { return version.Compare(phpOf(b), phpOf(a)) })
}

// supports says whether a release runs on a runtime. A runtime is named for its branch and stands for that branch's newest patch.
func supports(r *api.Release, runtime string) bool {
	if r.Requirements.PHP == "" {
		return true
	}
	admitted, err := version.ParseRange(string(r.Requirements.PHP))
	return err == nil && admitted.Contains(phpOf(runtime)+".900")
}

// phpOf is the PHP version in a runtime's name.
func phpOf(runtime string) string {
	_, v, _ := strings.Cut(runtime, "-")
	return v
}
