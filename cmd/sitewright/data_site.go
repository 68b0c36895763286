package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// byHand is the UID of sites whose snapshots are made by hand. No object has it.
const byHand = "by-hand"

// naming are the flags that say whose snapshot is made.
type naming struct {
	site, backup, note string
}

func (n *naming) flags(command *cobra.Command) {
	f := command.Flags()
	f.StringVar(&n.site, "site", "", "file the snapshot under this site, `NAMESPACE/NAME`; required")
	f.StringVar(&n.note, "note", "", "a `text` that is kept with the snapshot")
}

// source is the site. complete fills in the name of the backup.
func (n *naming) source(now time.Time) (*repository.Source, error) {
	if n.site == "" {
		return nil, invalid("--site is missing: say NAMESPACE/NAME under which the snapshot is to be filed, such as acme/blog")
	}
	source, err := parseSite(n.site)
	if err != nil {
		return nil, err
	}
	if n.backup == "" {
		n.backup = source.Name[:min(len(source.Name), 48)] + now.UTC().Format("-20060102150405")
	}
	if !siteName.MatchString(n.backup) {
		return nil, invalid("--backup must be lower case letters, digits and '-', at most 63 of them")
	}
	source.UID = byHand
	return source, nil
}

// newUID makes the UID of a Backup that is no object.
func newUID() string { return byHand + "-" + strings.ToLower(rand.Text()) }

// maxApplication bounds an application's manifest.
const maxApplication = 4 << 20

// readApplication reads the manifest of an Application: of the catalogue, or as kubectl prints one.
func readApplication(name string) (a *v1alpha1.Application, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := io.ReadAll(io.LimitReader(f, maxApplication))
	if err != nil {
		return nil, err
	}
	a = new(v1alpha1.Application)
	if err := yaml.Unmarshal(b, a); err != nil {
		return nil, invalid("%s is no manifest of an Application: %w", name, err)
	}
	if a.Kind != "Application" || a.Name == "" {
		return nil, invalid("%s is no manifest of one Application: name a file such as those in config/applications", name)
	}
	var fields []string
	for _, field := range a.Spec.Fields {
		fields = append(fields, field.Name)
	}
	if err := recipe.Validate(&a.Spec.Recipe, fields); err != nil {
		return nil, invalid("%s has a recipe that cannot be used: %w", name, err)
	}
	return a, nil
}

// describing are the flags of what a manifest says of a site.
type describing struct {
	application, applicationFile, version, url, title, path, runtime string
}

func (d *describing) flags(command *cobra.Command) {
	f := command.Flags()
	f.StringVar(&d.application, "application", "", "the application's `name` in the catalogue, when there is no --application-file")
	f.StringVar(&d.applicationFile, "application-file", "",
		"`file` with the Application's manifest: caches are left out, and versions found, as it says")
	f.StringVar(&d.version, "version", "", "the application's `version` (default: found with --application-file)")
	f.StringVar(&d.url, "url", "", "the site's `URL`; required")
	f.StringVar(&d.title, "title", "", "the site's title")
	f.StringVar(&d.path, "path", "", "absolute `path` of --files where the site runs, when it is not the one here")
	f.StringVar(&d.runtime, "runtime", "", "what the site's code runs on, such as php-8.4")
}

// manifest is what the flags say. The application is nil when no file tells its recipe.
func (d *describing) manifest(source *repository.Source, files string) (m *snapshots.Manifest, a *v1alpha1.Application, err error) {
	name := d.application
	if d.applicationFile != "" {
		if a, err = readApplication(d.applicationFile); err != nil {
			return nil, nil, err
		}
		if name != "" && name != a.Name {
			return nil, nil, invalid("--application is %q, and --application-file has %q: leave one of them out", name, a.Name)
		}
		name = a.Name
	}
	if !siteName.MatchString(name) {
		return nil, nil, invalid("--application or --application-file is missing: say which application of the catalogue the site is")
	}
	if d.url == "" {
		return nil, nil, invalid("--url is missing: say at which URL the site is, such as https://blog.example")
	}
	if _, rest, _ := strings.Cut(d.url, "//"); strings.Contains(rest, "@") {
		return nil, nil, invalid("--url: a site's URL has no login; leave out what stands before the '@'")
	}
	at, err := filepath.Abs(files)
	if err != nil {
		return nil, nil, err
	}
	m = &snapshots.Manifest{FormatVersion: snapshots.FormatVersion, Namespace: source.Namespace, Name: source.Name, UID: source.UID,
		Application: name, Version: d.version, Runtime: d.runtime, URL: d.url, Title: d.title, Path: cmp.Or(d.path, at)}
	if err := m.Check(); err != nil {
		return nil, nil, invalid("the site cannot be described as asked: %w", err)
	}
	return m, a, nil
}

// prefix is what the names of a site's tables begin with: as asked for, or what all have in common.
func (t *task) prefix(asked string, tables []string) (string, error) {
	prefix := cmp.Or(asked, snapshots.CommonPrefix(tables))
	if prefix == "" {
		t.warn("the tables' names have no beginning in common: the site is taken for one without a table prefix")
	}
	if err := recipe.CheckPrefix(prefix); err != nil {
		return "", invalid("the tables' prefix %.100q cannot be used: %w", prefix, err)
	}
	return prefix, nil
}

// database is the login of a flag that may be left out: nil then.
func (t *task) database(ctx context.Context, dsn string) (config *mysql.Config, prefix string, err error) {
	if dsn == "" {
		return nil, "", nil
	}
	c, prefix, err := t.login(dsn, databasePassword)
	if err != nil {
		return nil, "", err
	}
	// What is wrong with it is better known before much was read.
	_, _, err = mysql.TableStats(ctx, c, prefix)
	return &c, prefix, err
}
