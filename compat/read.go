package compat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/view"
	"github.com/sitewright/sitewright/compat/wire"
	"github.com/sitewright/sitewright/internal/version"
)

// browse lists applications.
func (s *Server) browse(ctx context.Context, c *call) (answer, error) {
	wanted, _ := c.list("application")
	apps, err := s.applications(ctx, wanted)
	if err != nil {
		return answer{}, err
	}
	only, from, available := c.text("version"), c.text("from-version"), c.text("versions-available-from")
	if len(wanted) != 1 && (only != "" || from != "" || available != "") {
		return answer{}, wire.Invalid("application", "version, from-version and versions-available-from need exactly one application")
	}
	if available != "" {
		return answer{data: availableFrom(&apps[0], available)}, nil
	}
	shown := []view.Application{}
	for i := range apps {
		app := &apps[i]
		releases := app.Spec.Releases
		if len(wanted) == 0 {
			releases = releases[len(releases)-1:]
		}
		for j := range releases {
			r := &releases[j]
			if only != "" && r.Version != only || from != "" && version.Compare(r.Version, from) < 0 {
				continue
			}
			v := view.OfRelease(app, r)
			if from != "" {
				v.UpgradeFrom = "none"
				if view.Upgradable(r, from) {
					v.UpgradeFrom = "auto"
				}
			}
			shown = append(shown, v)
		}
	}
	if only != "" && len(shown) == 0 {
		return answer{}, wire.Invalid("version", "there is no such version of "+wanted[0])
	}
	return answer{data: shown}, nil
}

// applications are those of some names, or all; each with its releases in order.
func (s *Server) applications(ctx context.Context, wanted []string) ([]api.Application, error) {
	var list api.ApplicationList
	if err := s.cache.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing applications: %w", err)
	}
	var apps []api.Application
	for _, app := range list.Items {
		if len(wanted) == 0 || slices.Contains(wanted, app.Name) {
			slices.SortStableFunc(app.Spec.Releases, func(a, b api.Release) int { return version.Compare(a.Version, b.Version) })
			apps = append(apps, app)
		}
	}
	if len(apps) < len(wanted) {
		return nil, wire.NotFound("application")
	}
	slices.SortFunc(apps, func(a, b api.Application) int { return strings.Compare(a.Name, b.Name) })
	return apps, nil
}

func availableFrom(app *api.Application, from string) map[string][]string {
	all, minor := []string{}, []string{}
	branch := branchOf(app, from)
	for i := range app.Spec.Releases {
		r := &app.Spec.Releases[i]
		if !view.Upgradable(r, from) {
			continue
		}
		all = append(all, r.Version)
		if branch != "" && r.Branch == branch {
			minor = append(minor, r.Version)
		}
	}
	return map[string][]string{"versions-available": all, "versions-available-minor": minor}
}

// branchOf is the branch that a version belongs to.
func branchOf(app *api.Application, of string) string {
	for _, r := range app.Spec.Releases {
		if r.Version == of || r.Branch != "" && strings.HasPrefix(of, r.Branch+".") {
			return r.Branch
		}
	}
	return ""
}

// listInstalls lists installed applications.
func (s *Server) listInstalls(ctx context.Context, c *call) (answer, error) {
	if id := c.text("id"); id != "" {
		in, err := find[*api.Install](ctx, s, installs, id)
		if err != nil {
			return answer{}, err
		}
		return answer{data: []view.Install{view.OfInstall(in, newGallery(s).install(ctx, in))}}, nil
	}
	spaces, err := s.spaces(ctx, installs, c.text("user"), c.flag("filter-ownedaccounts"))
	if err != nil {
		return answer{}, err
	}
	g := newGallery(s)
	g.counted = spaces
	query, newer, minor := strings.ToLower(c.text("q")), c.text("filter-version-available") == "yes", c.text("filter-version-available-minor") == "yes"
	apps := map[string]*api.Application{}
	found, err := within[*api.Install](s, installs, spaces)
	if err != nil {
		return answer{}, err
	}
	found = slices.DeleteFunc(found, func(in *api.Install) bool {
		return query != "" && !view.Matches(in, ID(in.UID), g.owner(ctx, in.Namespace), query) || newer && !upgradable(in) || minor && !s.minorAvailable(ctx, apps, in)
	})
	slices.SortFunc(found, func(a, b *api.Install) int { return strings.Compare(string(a.UID), string(b.UID)) })
	shown := make([]view.Install, len(found))
	for i, in := range found {
		shown[i] = view.OfInstall(in, g.install(ctx, in))
	}
	return answer{data: shown}, nil
}

func upgradable(in *api.Install) bool {
	return in.Status.LatestVersion != "" && in.Status.LatestVersion != in.Status.Version
}

func (s *Server) minorAvailable(ctx context.Context, apps map[string]*api.Application, in *api.Install) bool {
	if !upgradable(in) {
		return false
	}
	app, ok := apps[in.Spec.Application]
	if !ok {
		app = &api.Application{}
		if err := s.cache.Get(ctx, client.ObjectKey{Name: in.Spec.Application}, app); err != nil {
			app = &api.Application{}
		}
		apps[in.Spec.Application] = app
	}
	return len(availableFrom(app, in.Status.Version)["versions-available-minor"]) > 0
}

// viewInstall shows one installed application.
func (s *Server) viewInstall(ctx context.Context, c *call) (answer, error) {
	in, err := find[*api.Install](ctx, s, installs, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	v := newGallery(s).show(ctx, in)
	if c.flag("addons") {
		v.Plugins, v.Themes = view.Addons(in.Status.Plugins), view.Addons(in.Status.Themes)
	}
	return answer{data: v}, nil
}

// listBackups lists backups that succeeded.
func (s *Server) listBackups(ctx context.Context, c *call) (answer, error) {
	g := newGallery(s)
	if id := c.text("id"); id != "" {
		b, err := find[*api.Backup](ctx, s, backups, id)
		if err != nil {
			return answer{}, err
		}
		in, around := g.backup(ctx, b)
		return answer{data: []view.Backup{showBackup(b, in, around)}}, nil
	}
	spaces, err := s.spaces(ctx, backups, c.text("user"), c.flag("filter-ownedaccounts"))
	if err != nil {
		return answer{}, err
	}
	query, of := strings.ToLower(c.text("q")), c.text("pid")
	found, err := within[*api.Backup](s, backups, spaces)
	if err != nil {
		return answer{}, err
	}
	shown := []view.Backup{}
	for _, b := range found {
		if b.Status.Snapshot == nil || b.DeletionTimestamp != nil {
			continue
		}
		in, around := g.backup(ctx, b)
		if of != "" && (in == nil || ID(in.UID) != of) || query != "" && !view.MatchesBackup(b, around.ID, around.Owner, query) {
			continue
		}
		shown = append(shown, showBackup(b, in, around))
	}
	slices.SortFunc(shown, func(a, b view.Backup) int {
		if a.Time != b.Time {
			return int(b.Time - a.Time)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return answer{data: shown}, nil
}

func showBackup(b *api.Backup, in *api.Install, around *view.Around) view.Backup {
	v := view.OfBackup(b, in, around)
	if in != nil {
		v.PID = ID(in.UID)
	}
	return v
}
