package agent

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// The common shape of what other programs make: the files of a site, in whatever directory, and a dump of its database
// beside them or among them. What the backups of hosting panels look like is not known here beyond that.

// foreign is an archive of another program.
type foreign struct {
	*importing
	tree *archive.Tree
	// root is the document root, www the directory of the release that it lies in.
	root, www   *archive.Node
	application string
	recipe      *api.Recipe
	version     string
	// values of the configuration files, by name.
	values map[string]string
	dump   *archive.Node
	facts  dumpFacts
}

func noArchive(format string, args ...any) error {
	return &archive.Refusal{Reason: fmt.Sprintf(format, args...)}
}

func (i *importing) foreign(ctx context.Context, t *archive.Tree) (*archive.Layout, error) {
	f := &foreign{importing: i, tree: t, values: map[string]string{}}
	if err := f.detect(ctx); err != nil {
		return nil, err
	}
	if err := f.configuration(ctx); err != nil {
		return nil, err
	}
	var parts []archive.Part
	var err error
	if f.recipe.Database != api.DatabaseNone {
		if f.dump, err = f.findDump(); err != nil {
			return nil, err
		}
		if parts, err = f.takeDump(ctx); err != nil {
			return nil, err
		}
	}
	if rel, inside := f.dumpBelow(); inside {
		f.www.Remove(rel) // Nobody is to fetch it from the site.
	}
	for _, name := range snapshots.LeftOut(f.recipe) {
		f.www.Remove(name)
	}
	if err := f.www.CheckLinks(""); err != nil {
		return nil, err
	}
	if len(f.recipe.Layout.Data) > 0 {
		f.warn("the application keeps data outside its document root, and the archive does not tell where: none was imported")
	}
	m, err := f.manifest()
	if err != nil {
		return nil, err
	}
	return &archive.Layout{
		Files: map[string]*archive.Node{generation.WWW: f.www, generation.Data: nil}, Dump: parts, Manifest: m,
		Owner: &archive.Owner{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())},
	}, nil
}

func (f *foreign) dumpBelow() (string, bool) {
	if f.dump == nil {
		return "", false
	}
	return f.dump.Below(f.www)
}

// configuration reads what the site's configuration files tell.
func (f *foreign) configuration(ctx context.Context) error {
	for _, file := range f.recipe.Configuration {
		n := f.root.Lookup(string(file.Path))
		if !n.IsFile() {
			continue
		}
		content, err := f.tree.Content(ctx, n, maxConfiguration)
		if err != nil {
			return err
		}
		values, err := recipe.Read(content, file)
		if err != nil {
			return invalid("recipe of application %s: %v", f.application, err)
		}
		for name, value := range values {
			if f.values[name] == "" {
				f.values[name] = value
			}
		}
	}
	return nil
}

// manifest describes the site by what was found.
func (f *foreign) manifest() ([]byte, error) {
	p := f.plan
	site := cmp.Or(p.URL, f.values["URL"], f.facts.url)
	if site == "" {
		return nil, noArchive("neither its configuration nor its dump tells the URL of the site")
	}
	m := snapshots.Manifest{
		FormatVersion: snapshots.FormatVersion, Time: f.tree.Newest().UTC(), Namespace: p.Namespace, Name: p.Name, UID: p.UID,
		Backup: p.Name, BackupUID: p.UID, Application: f.application, Version: f.version, Runtime: p.Runtime,
		URL: strings.TrimRight(site, "/"), Path: cmp.Or(p.Path, path.Join(defaultSiteRoot, generation.WWW)), Imported: true,
	}
	if f.dump != nil {
		prefix, err := f.prefix()
		if err != nil {
			return nil, err
		}
		m.Database = &snapshots.Database{Name: f.values["Database.Name"], Prefix: prefix, Tables: f.facts.tables}
	}
	if err := m.Check(); err != nil {
		return nil, noArchive("what it tells of the site cannot be used: %v", err)
	}
	return m.Encode()
}

// prefix of the site's tables: what is asked for, or configured, or common to all tables.
func (f *foreign) prefix() (string, error) {
	configured, known := f.values["Database.Prefix"]
	prefix := cmp.Or(f.plan.Prefix, configured)
	if !known && prefix == "" {
		prefix = snapshots.CommonPrefix(f.facts.tables)
	}
	if !slices.ContainsFunc(f.facts.tables, func(t string) bool { return strings.HasPrefix(t, prefix) }) {
		return "", noArchive("the dump %q has no table that begins with the site's prefix %q: it is another site's", f.dump.Name, prefix)
	}
	return prefix, nil
}
