package agent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/version"
)

// found is what a document root and a database say about themselves.
type found struct {
	version string
	// files is the schema that the files expect, database the one that the database has; empty when the recipe tells
	// neither.
	files, database string
}

// Versions are what a site's document root and database say about themselves, by its application's recipe. The database is
// not asked when config is nil. Broken files are errors, half an upgrade is none.
func Versions(ctx context.Context, application string, r *api.Recipe, documentRoot *os.Root, config *mysql.Config, prefix string) (
	files, schema string, err error) {
	site := &plan.Site{Name: documentRoot.Name(), Application: application, Recipe: *r}
	var d *database
	if config != nil {
		d = &database{Database: &plan.Database{Host: config.Host, Port: config.Port, Name: config.Database, User: config.User, Prefix: prefix},
			config: *config}
	}
	f, err := find(ctx, site, documentRoot, d)
	return f.version, f.database, err
}

// halfUpgraded says that the two schemas differ.
func (f found) halfUpgraded() bool { return version.Compare(f.files, f.database) != 0 }

// find detects the versions of a site.
func find(ctx context.Context, site *plan.Site, documentRoot *os.Root, d *database) (f found, err error) {
	r := &site.Recipe
	if r.Version != nil {
		if f.version, err = recipe.Version(documentRoot, *r.Version); err != nil {
			return found{}, fmt.Errorf("version of site %s: %w", site.Name, err)
		}
	}
	if r.SchemaVersion == nil || d == nil {
		return f, nil
	}
	if f.files, err = recipe.Version(documentRoot, r.SchemaVersion.Files); err != nil {
		return found{}, fmt.Errorf("schema version of site %s: %w", site.Name, err)
	}
	query, err := recipe.Query(r.SchemaVersion.Database, d.Prefix)
	if err != nil {
		return found{}, invalid("recipe of application %s: schemaVersion.database: %v", site.Application, err)
	}
	f.database, err = d.value(ctx, query)
	return f, d.about(err)
}

// value runs a query that yields a single value; none at all is the empty text.
func (d *database) value(ctx context.Context, query string) (text string, err error) {
	db, err := mysql.Open(ctx, d.config)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var value sql.NullString
	err = db.QueryRowContext(ctx, query).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("asking for the schema version: %w", mysql.Classify(err))
	}
	return value.String, nil
}

// detect fills in the versions of the generation that is being made. Two schemas that differ are a failure.
func (m *making) detect(ctx context.Context) error {
	f, err := find(ctx, m.site, m.documentRoot, m.database)
	if err != nil {
		return err
	}
	m.result.Version, m.result.SchemaVersion = clip(f.version), clip(f.database)
	if f.halfUpgraded() {
		return invalid("site %s is half upgraded: its files expect schema %q and its database has %q; run the application's own upgrade first",
			m.site.Name, f.files, f.database)
	}
	return nil
}

// halfUpgradedCopy begins the warning of a copy whose two schemas differ.
const halfUpgradedCopy = "the site was half upgraded when it was copied"

// detectCopy is detect for what was copied: a site that was half upgraded before is so still, with a warning.
func (m *making) detectCopy(ctx context.Context) error {
	f, err := find(ctx, m.site, m.documentRoot, m.database)
	if err != nil {
		return err
	}
	m.result.Version, m.result.SchemaVersion = clip(f.version), clip(f.database)
	if f.halfUpgraded() {
		m.warn(halfUpgradedCopy+": its files expect schema %q and its database has %q; run its upgrade", f.files, f.database)
	}
	return nil
}
