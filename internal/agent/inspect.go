package agent

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
)

// mostName and mostVersion bound, in bytes, what a site says of its plugins and themes.
const (
	mostName    = 255
	mostVersion = 64
)

// inspection is what the recipe's inspect command answers.
type inspection struct {
	Title   string      `json:"title"`
	Plugins []component `json:"plugins"`
	Themes  []component `json:"themes"`
}

type component struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Latest  string `json:"latest"`
	Active  bool   `json:"active"`
}

// inspect looks at the generation that serves while it does. It takes no lock: whatever else is done meanwhile makes another generation.
func (a *agent) inspect(ctx context.Context, p *plan.Inspect) (result plan.Result, err error) {
	volume, err := generation.OpenReader(p.Site.Volume)
	if err != nil {
		return plan.Result{}, err
	}
	m := &making{agent: a, site: &p.Site, volume: volume}
	defer func() { err = errors.Join(err, volume.Close()) }()
	if m.database, err = a.database(p.Site.Database); err != nil {
		return plan.Result{}, err
	}
	if err := m.openDocumentRoot(); err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, m.documentRoot.Close()) }()
	a.progress.phase(0, 30, "measuring the site")
	if err := m.measure(ctx); err != nil {
		return plan.Result{}, err
	}
	if err := m.detectCopy(ctx); err != nil {
		return plan.Result{}, err
	}
	a.progress.phase(30, 100, "asking the application")
	return m.result, m.ask(ctx)
}

// ask runs the recipe's inspect command, if it has one.
func (m *making) ask(ctx context.Context) error {
	c := m.site.Recipe.Commands.Inspect
	if c == nil {
		return nil
	}
	values, err := m.values()
	if err != nil {
		return err
	}
	answer, err := m.run(ctx, "inspect", c, m.input("inspect", values, plan.Admin{}, "", m.result.Version))
	if err != nil {
		return err
	}
	var said inspection
	if err := json.Unmarshal(answer, &said); err != nil {
		return invalid("the recipe of application %s: the inspect command's answer: %v", m.site.Application, err)
	}
	m.result.Title = clip(said.Title)
	m.result.Plugins, m.result.Themes = components(said.Plugins), components(said.Themes)
	return nil
}

func components(said []component) []plan.Component {
	list := make([]plan.Component, 0, len(said))
	for _, c := range said {
		if c.Name != "" {
			list = append(list, plan.Component{Name: cut(c.Name, mostName), Version: cut(c.Version, mostVersion), Latest: cut(c.Latest, mostVersion), Active: c.Active})
		}
	}
	return list
}

// cut is the beginning of a text, in bytes.
func cut(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
