package agent

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/version"
)

// upgrading is a generation of another release, or for another URL, on its way.
type upgrading struct {
	*making
	plan *plan.Upgrade
	from plan.Site // the generation that serves

	maintenance *maintenance
}

// upgrade makes a generation of the serving one: a copy, in which the release is replaced and the application's own upgrade is run. Nothing of
// the serving one changes but for the maintenance file. That stays when all went well: until the switch nothing may be written which the copy would
// not have.
func (a *agent) upgrade(ctx context.Context, p *plan.Upgrade) (plan.Result, error) {
	return a.make(ctx, "upgrade", &p.Site, func(ctx context.Context, m *making) error {
		u := &upgrading{making: m, plan: p, from: p.Site}
		u.from.Generation = p.FromGeneration
		if p.FromURL != "" {
			u.from.URL = p.FromURL
		}
		if d := p.Site.Database; d != nil {
			serving := *d
			serving.Name = p.FromDatabase
			u.from.Database = &serving
		}
		if err := u.run(ctx); err != nil {
			return errors.Join(err, u.maintenance.end())
		}
		return nil
	})
}

func (u *upgrading) run(ctx context.Context) error {
	if err := u.free(); err != nil {
		return err
	}
	if u.plan.FromURL != "" {
		u.result.Runtime = u.site.Runtime
		return u.copy(ctx)
	}
	u.progress.within(0, 50)
	if err := u.copy(ctx); err != nil {
		return err
	}
	// What the copy was is judged anew once it is upgraded: a site that was half upgraded is mended by that.
	u.result.Warnings = slices.DeleteFunc(u.result.Warnings, func(w string) bool { return strings.HasPrefix(w, halfUpgradedCopy) })
	u.result.Runtime = u.site.Runtime
	if r := u.plan.Release; r != nil {
		u.progress.within(50, 80)
		if err := u.replace(ctx, *r); err != nil {
			return err
		}
	}
	u.progress.within(0, 100)
	if err := u.commands(ctx); err != nil {
		return err
	}
	u.progress.phase(97, 100, "checking the upgraded site")
	return u.check(ctx)
}

// free refuses a site that somebody else keeps visitors out of: its copy would be closed as well, and never answer.
func (u *upgrading) free() (err error) {
	m := u.site.Recipe.Maintenance
	if m == nil || m.File == "" {
		u.warn("the recipe has no maintenance file: what visitors wrote while the site was upgraded is in the generation before, and not in this one")
		return nil
	}
	root, err := u.volume.OpenDir(u.from.Generation, below(&u.from)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	_, err = root.Lstat(string(m.File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return invalid("site %s is in maintenance already, and not by this operator: remove %s from its document root, or wait until who made it is done", u.site.Name, m.File)
}

// copy copies the serving generation as it is at the instant from which visitors are kept out.
func (u *upgrading) copy(ctx context.Context) (err error) {
	source, err := u.agent.database(u.from.Database)
	if err != nil {
		return err
	}
	c := &cloning{making: u.making, plan: &plan.Clone{Site: *u.site, Source: u.from}, volume: u.volume, source: source, freeze: u.freeze}
	return c.copy(ctx)
}

// freeze keeps visitors out of the serving generation, and waits for those that are in.
func (u *upgrading) freeze(ctx context.Context) (err error) {
	if u.maintenance, err = u.beginMaintenance(u.volume, &u.from); err != nil || u.maintenance == nil {
		return err
	}
	source, err := u.agent.database(u.from.Database)
	if err != nil {
		return err
	}
	warning, err := u.drain(ctx, source)
	if err == nil && warning != "" {
		u.warn("%s", warning)
	}
	return err
}

// commands run the application's own upgrade, and bring its plugins and themes up to date.
func (u *upgrading) commands(ctx context.Context) error {
	values, err := u.values()
	if err != nil {
		return err
	}
	to := u.plan.FromVersion
	if u.plan.Release != nil {
		to = u.plan.Release.Version
	}
	in := u.input("upgrade", values, plan.Admin{}, "", to)
	in.FromVersion = u.plan.FromVersion
	if c := u.site.Recipe.Commands.Upgrade; c != nil && u.plan.Release != nil {
		u.progress.phase(80, 92, "running the application's own upgrade")
		if _, err := u.making.run(ctx, "upgrade", c, in); err != nil {
			return err
		}
	}
	if u.plan.Update == nil {
		return nil
	}
	c := u.site.Recipe.Commands.Update
	if c == nil {
		return invalid("the recipe of application %s has no update command: it has no plugins and themes that can be updated", u.site.Application)
	}
	u.progress.phase(92, 97, "updating plugins and themes")
	in.Command, in.Plugins, in.Themes = "update", selection(u.plan.Update.Plugins), selection(u.plan.Update.Themes)
	_, err = u.making.run(ctx, "update", c, in)
	return err
}

// selection is what a command is told to update: nil for all.
func selection(names []string) *[]string {
	if slices.Contains(names, "*") {
		return nil
	}
	if names == nil {
		names = []string{}
	}
	return &names
}

// check compares what is there with what was asked for, whatever the application's own upgrade said: files and database are of one schema, and of the
// release.
func (u *upgrading) check(ctx context.Context) error {
	if u.plan.Release != nil {
		return u.checkInstalled(ctx, u.plan.Release.Version)
	}
	if err := u.detect(ctx); err != nil {
		return err
	}
	if got := u.result.Version; got != "" && version.Compare(got, u.plan.FromVersion) != 0 {
		return invalid("site %s is of version %s after its plugins were updated, and was of %s", u.site.Name, got, u.plan.FromVersion)
	}
	if u.result.Version == "" {
		u.result.Version = u.plan.FromVersion
	}
	return nil
}

// resume lets visitors in again.
func (a *agent) resume(ctx context.Context, p *plan.Resume) (plan.Result, error) {
	a.progress.phase(0, 100, "letting visitors in again")
	v, err := a.openVolume(ctx, p.Volume)
	if err != nil {
		return plan.Result{}, err
	}
	return plan.Result{}, v.Close()
}
