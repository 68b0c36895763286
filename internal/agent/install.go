package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/release"
	"github.com/sitewright/sitewright/internal/version"
)

// releaseArchive is the name of the download in the staging directory.
const releaseArchive = "release"

// install makes a generation of a fresh release.
func (a *agent) install(ctx context.Context, p *plan.Install) (plan.Result, error) {
	return a.make(ctx, "install", &p.Site, func(ctx context.Context, m *making) error {
		password, err := a.secret("administrator's password", p.Admin.PasswordFile)
		if err != nil {
			return err
		}
		if err := m.unpackRelease(ctx, p.Release, generation.WWW); err != nil {
			return err
		}
		if err := m.arrange(); err != nil {
			return err
		}
		values, err := m.values()
		if err != nil {
			return err
		}
		values.Language, values.Content, values.Fields = p.Language, p.Content, p.Fields
		if err := m.configure(values); err != nil {
			return err
		}
		if c := p.Site.Recipe.Commands.Install; c != nil {
			a.progress.phase(70, 95, "running the application's installer")
			input := m.input("install", values, p.Admin, password, p.Release.Version)
			if _, err := m.run(ctx, "install", c, input); err != nil {
				return err
			}
		}
		a.progress.phase(95, 100, "checking the new site")
		return m.checkInstalled(ctx, p.Release.Version)
	})
}

// unpackRelease downloads and checks the release, and unpacks it into a directory of the generation.
func (m *making) unpackRelease(ctx context.Context, r plan.Release, below ...string) (err error) {
	staging, err := m.volume.Staging()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, staging.Close()) }()
	downloading := m.progress.phase(0, 40, "downloading release "+r.Version)
	request := release.Request{URL: r.URL, SHA256: r.SHA256, SHA1: r.SHA1, Progress: downloading.report}
	if _, err := release.Download(ctx, request, staging, releaseArchive); err != nil {
		return err
	}
	f, err := staging.Open(releaseArchive)
	if err != nil {
		return fmt.Errorf("opening the downloaded release: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	dest, err := m.volume.OpenDir(m.site.Generation, below...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dest.Close()) }()
	unpacking := m.progress.phase(40, 70, "unpacking release "+r.Version)
	if _, err := release.Unpack(ctx, f, dest, release.Options{StripComponents: r.StripComponents, Progress: unpacking.report}); err != nil {
		return fmt.Errorf("release %s from %s: %w", r.Version, r.URL, err)
	}
	return staging.Remove(releaseArchive)
}

// arrange takes out what the recipe removes, and makes the data directories.
func (m *making) arrange() error {
	if err := m.openDocumentRoot(); err != nil {
		return err
	}
	for _, name := range m.site.Recipe.Files.Remove {
		if err := m.documentRoot.RemoveAll(string(name)); err != nil {
			return fmt.Errorf("removing %s of the release: %w", name, err)
		}
	}
	return m.makeData()
}

func (m *making) makeData() error {
	data, err := m.volume.OpenDir(m.site.Generation, generation.Data)
	if err != nil {
		return err
	}
	for _, name := range m.site.Recipe.Layout.Data {
		if err := data.MkdirAll(string(name), 0o750); err != nil {
			return errors.Join(fmt.Errorf("making data directory %s: %w", name, err), data.Close())
		}
	}
	return data.Close()
}

// configure renders every configuration file of a fresh release.
func (m *making) configure(values *recipe.Values) error {
	for _, file := range m.site.Recipe.Configuration {
		if _, err := m.documentRoot.Stat(string(file.Path)); err == nil && file.Once {
			continue
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("configuration %s: %w", file.Path, err)
		}
		if err := m.render(file, values); err != nil {
			return err
		}
	}
	return nil
}

// checkInstalled compares what is there with what was asked for, whatever the installer said.
func (m *making) checkInstalled(ctx context.Context, want string) error {
	if err := m.detect(ctx); err != nil {
		return err
	}
	if got := m.result.Version; got != "" && version.Compare(got, want) != 0 {
		return invalid("the archive of release %s of application %s holds version %s: correct the release's url or version in the Application",
			want, m.site.Application, got)
	}
	if m.result.Version == "" {
		m.result.Version = want
	}
	return nil
}
