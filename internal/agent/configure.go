package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/recipe"
)

// maxConfiguration bounds the size of a configuration file that is read.
const maxConfiguration = 1 << 20

// values are what the site's configuration files are made of, but for secrets and fields.
func (m *making) values() (*recipe.Values, error) {
	v := &recipe.Values{
		Title:        m.site.Title,
		DocumentRoot: path.Join(m.SiteRoot, generation.WWW, m.site.Recipe.Layout.DocumentRoot),
		DataDir:      path.Join(m.SiteRoot, generation.Data),
		TmpDir:       path.Join(m.SiteRoot, generation.Tmp),
		Secrets:      map[string]string{}, Fields: map[string]string{},
	}
	if err := v.SetURL(m.site.URL); err != nil {
		return nil, invalid("site %s: %v", m.site.Name, err)
	}
	if d := m.database; d != nil {
		v.Database = recipe.Database{Host: d.Host, Port: d.Port, Name: d.Name, User: d.User, Password: d.password, Prefix: d.Prefix}
	}
	return v, nil
}

// secretsFor adds what the file generates and values do not have yet.
func (m *making) secretsFor(file api.ConfigurationFile, values *recipe.Values) error {
	var missing []string
	for _, name := range file.Generate {
		if values.Secrets[name] == "" {
			missing = append(missing, name)
		}
	}
	made, err := recipe.Secrets(m.Random, missing)
	maps.Copy(values.Secrets, made)
	m.agent.secrets = slices.AppendSeq(m.agent.secrets, maps.Values(made))
	return err
}

// render writes a configuration file from its template.
func (m *making) render(file api.ConfigurationFile, values *recipe.Values) error {
	if err := m.secretsFor(file, values); err != nil {
		return err
	}
	content, err := recipe.Render(file, values)
	if err != nil {
		return invalid("recipe of application %s: %v", m.site.Application, err)
	}
	return m.writeConfiguration(file, content)
}

func (m *making) writeConfiguration(file api.ConfigurationFile, content []byte) error {
	mode, err := recipe.Mode(file)
	if err != nil {
		return invalid("recipe of application %s: %v", m.site.Application, err)
	}
	if err := writeFile(m.documentRoot, string(file.Path), content, mode); err != nil {
		return fmt.Errorf("writing configuration %s: %w", file.Path, err)
	}
	return nil
}

// readConfiguration returns nil when the file is not there, or is no file below the document root.
func (m *making) readConfiguration(file api.ConfigurationFile) ([]byte, error) {
	f, err := m.documentRoot.OpenFile(string(file.Path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if _, statErr := m.documentRoot.Stat(string(file.Path)); statErr != nil {
			return nil, nil // Missing, or a link that leads out or nowhere: both are replaced.
		}
		return nil, fmt.Errorf("reading configuration %s: %w", file.Path, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxConfiguration+1))
	if err != nil {
		return nil, fmt.Errorf("reading configuration %s: %w", file.Path, err)
	}
	if len(content) > maxConfiguration {
		return nil, invalid("configuration %s of site %s is larger than 1 MiB", file.Path, m.site.Name)
	}
	return content, nil
}

// reconfigure ties configuration files that came along to the site's own database and URL, and, for a new site, gives
// them secrets of their own. What a user wrote elsewhere in them stays. A file in which a value cannot be found is made
// anew from its template, with a warning.
func (m *making) reconfigure(newSite bool) error {
	values, err := m.values()
	if err != nil {
		return err
	}
	for _, file := range m.site.Recipe.Configuration {
		if err := m.reconfigureFile(file, values, newSite); err != nil {
			return err
		}
	}
	return nil
}

func (m *making) reconfigureFile(file api.ConfigurationFile, values *recipe.Values, newSite bool) error {
	content, err := m.readConfiguration(file)
	if err != nil {
		return err
	}
	if content == nil {
		if !file.Once {
			m.warn("configuration %s was missing and was made from the recipe's template", file.Path)
		}
		return m.render(file, values)
	}
	old, err := recipe.Read(content, file)
	if err != nil {
		return invalid("recipe of application %s: %v", m.site.Application, err)
	}
	keep(values, old, newSite)
	if err := m.secretsFor(file, values); err != nil {
		return err
	}
	updated, missed, err := recipe.Update(content, file, m.replacements(file, values, newSite))
	if err != nil {
		return invalid("recipe of application %s: %v", m.site.Application, err)
	}
	lost := slices.ContainsFunc(missed, func(name string) bool { return !strings.HasPrefix(name, "Secrets.") })
	if len(missed) > 0 && !lost {
		m.warn("configuration %s has no place for %s, which stays unset", file.Path, strings.Join(missed, ", "))
	}
	if file.Once || !lost && len(file.Read) > 0 {
		return m.writeConfiguration(file, updated)
	}
	if lost {
		m.warn("configuration %s was made anew from the recipe's template: %s could not be found in it", file.Path, strings.Join(missed, ", "))
	}
	return m.render(file, values)
}

// replacements are the values that change: all but fields, and secrets only for a new site.
func (m *making) replacements(file api.ConfigurationFile, values *recipe.Values, newSite bool) map[string]string {
	changed := map[string]string{}
	for name := range file.Read {
		if strings.HasPrefix(name, "Fields.") || strings.HasPrefix(name, "Secrets.") && !newSite {
			continue
		}
		if strings.HasPrefix(name, "Database.") && m.database == nil {
			continue
		}
		if value, ok := values.Lookup(name); ok {
			changed[name] = value
		}
	}
	return changed
}

// keep takes over from an old file what a template made anew would need.
func keep(values *recipe.Values, old map[string]string, newSite bool) {
	for name, value := range old {
		if key, ok := strings.CutPrefix(name, "Fields."); ok {
			values.Fields[key] = value
		}
		if key, ok := strings.CutPrefix(name, "Secrets."); ok && !newSite {
			values.Secrets[key] = value
		}
	}
}

// writeFile writes a file beside its place and renames it there, so that neither a link in its place is followed nor an
// owner's missing permission to write hinders.
func writeFile(root *os.Root, name string, content []byte, mode fs.FileMode) error {
	name = filepath.ToSlash(name)
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	temp := path.Join(path.Dir(name), ".sitewright-"+path.Base(name))
	if err := root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm())
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(mode.Perm()) // Whatever the umask.
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	return root.Rename(temp, name)
}
