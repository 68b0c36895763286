package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
)

// serving is the generation that serves, as commands see it. The caller closes it.
func (a *agent) serving(ctx context.Context, site *plan.Site) (*making, error) {
	volume, err := a.openVolume(ctx, site.Volume)
	if err != nil {
		return nil, err
	}
	m := &making{agent: a, site: site, volume: volume}
	if m.database, err = a.database(site.Database); err == nil {
		err = m.openDocumentRoot()
	}
	if err != nil {
		return nil, errors.Join(err, volume.Close())
	}
	return m, nil
}

func (m *making) close() error { return errors.Join(m.documentRoot.Close(), m.volume.Close()) }

// configureSite brings settings to the application that serves. It may be run any number of times.
func (a *agent) configureSite(ctx context.Context, p *plan.Configure) (result plan.Result, err error) {
	m, err := a.serving(ctx, &p.Site)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	if p.Database {
		a.progress.phase(0, 30, "configuring the database")
		if err := m.connect(ctx, p.Previous); err != nil {
			return plan.Result{}, err
		}
	}
	if p.Application {
		a.progress.phase(30, 100, "configuring the application")
		err = m.tell(ctx, p)
	}
	return m.result, err
}

// tell runs the recipe's command.
func (m *making) tell(ctx context.Context, p *plan.Configure) error {
	c := m.site.Recipe.Commands.Configure
	if c == nil {
		return invalid("the recipe of application %s has no configure command", m.site.Application)
	}
	password := ""
	var err error
	if p.Admin.PasswordFile != "" {
		if password, err = m.secret("administrator's password", p.Admin.PasswordFile); err != nil {
			return err
		}
	}
	values, err := m.values()
	if err != nil {
		return err
	}
	values.Language, values.Fields = p.Language, p.Fields
	in := m.input("configure", values, p.Admin, password, "")
	in.URL, in.Admin.PreviousLogin = "", p.PreviousLogin
	_, err = m.run(ctx, "configure", c, in)
	return err
}

// connect writes the database's login into the configuration files of the generation that serves and of the previous one, and sees to it that it works:
// the two change at nearly the same time.
func (m *making) connect(ctx context.Context, previous *plan.Site) error {
	if m.database == nil {
		return nil
	}
	if err := m.authenticate(ctx); err != nil {
		return err
	}
	if err := m.reconfigure(false); err != nil || previous == nil {
		return err
	}
	before := &making{agent: m.agent, site: previous, volume: m.volume}
	var err error
	if before.database, err = m.agent.database(previous.Database); err != nil {
		return err
	}
	if err := before.openDocumentRoot(); err != nil {
		return err
	}
	return errors.Join(before.reconfigure(false), before.documentRoot.Close())
}

// authenticate has the site's own user given the password that it is to have; the one that it has stands in the configuration. A user that somebody else
// made is not touched.
func (m *making) authenticate(ctx context.Context) error {
	d := m.database
	db, err := mysql.Open(ctx, d.config)
	if err == nil {
		return db.Close()
	}
	if !errors.Is(err, mysql.ErrDenied) || d.Shared {
		return m.aboutDatabase(err)
	}
	for _, file := range m.site.Recipe.Configuration {
		content, readErr := m.readConfiguration(file)
		if readErr != nil {
			return readErr
		}
		has, readErr := recipe.Read(content, file)
		if readErr != nil {
			return invalid("recipe of application %s: %v", m.site.Application, readErr)
		}
		password := has["Database.Password"]
		if password == "" {
			continue
		}
		m.agent.secrets = append(m.agent.secrets, password)
		config := d.config
		config.Password = password
		if changeErr := mysql.ChangePassword(ctx, config, d.password); changeErr != nil {
			return m.aboutDatabase(fmt.Errorf("neither the new password nor the one in %s is right: %w", file.Path, changeErr))
		}
		return nil
	}
	return m.aboutDatabase(err)
}
