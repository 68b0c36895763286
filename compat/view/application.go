package view

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/version"
)

// Application is a release of an application.
type Application struct {
	AppID             string            `json:"appid"`
	ID                string            `json:"id"`
	Version           string            `json:"version"`
	Branch            string            `json:"branch"`
	Name              string            `json:"name"`
	Category          string            `json:"category"`
	Type              string            `json:"type"`
	Date              string            `json:"date"`
	License           string            `json:"license"`
	Tags              []string          `json:"tags"`
	Description       string            `json:"description"`
	AuthorDescription string            `json:"authordescription"`
	Changelog         string            `json:"changelog"`
	Upgrade           string            `json:"upgrade"`
	UpgradeFrom       string            `json:"upgrade_from,omitempty"`
	Install           string            `json:"install"`
	LinkSite          string            `json:"link_site"`
	LinkShowcase      string            `json:"link_showcase"`
	LinkDocs          string            `json:"link_docs"`
	LinkFAQ           string            `json:"link_faq"`
	LinkSupport       string            `json:"link_support"`
	LinkChangelog     string            `json:"link_changelog"`
	LinkAdmin         string            `json:"link_admin"`
	Requirements      map[string]string `json:"requirements"`
	DiskSpace         string            `json:"requirement_diskspace"`
	Database          bool              `json:"requirement_database"`
	DatabaseType      string            `json:"requirement_db_type"`
	DatabasePrefix    bool              `json:"requirement_db_prefix_support"`
	PHPMinimum        string            `json:"requirement_php_version_minimum"`
	MySQLMinimum      string            `json:"requirement_mysql_version_minimum"`
	Languages         []string          `json:"languages"`
	Fields            map[string]Field  `json:"fields"`
	Images            []Image           `json:"images"`
}

// Field is something that an install may set.
type Field struct {
	Label    string            `json:"label"`
	Text     string            `json:"text"`
	Type     string            `json:"type"`
	Value    string            `json:"value"`
	Default  string            `json:"default"`
	ReadOnly bool              `json:"readonly"`
	Gettable bool              `json:"gettable"`
	Settable bool              `json:"settable"`
	Order    int               `json:"sort_order"`
	Options  map[string]string `json:"options"`
}

// Image is a picture of an application.
type Image struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// OfRelease shows a release of an Application.
func OfRelease(app *api.Application, r *api.Release) Application {
	s := &app.Spec
	v := Application{
		AppID: app.Name, ID: app.Name, Version: r.Version, Branch: r.Branch, Name: s.DisplayName, Category: s.Category, Type: s.Type, Date: r.Date, License: s.License,
		Tags: list(r.Tags), Description: s.Description, AuthorDescription: s.AuthorDescription, Changelog: r.Changelog, Upgrade: upgrade(app, r), Install: "auto",
		LinkSite: string(s.Links.Site), LinkShowcase: string(s.Links.Showcase), LinkDocs: string(s.Links.Docs), LinkFAQ: string(s.Links.FAQ),
		LinkSupport: string(s.Links.Support), LinkChangelog: string(s.Links.Changelog), LinkAdmin: s.AdminPath,
		Requirements: map[string]string{}, Languages: list(s.Languages), Fields: fields(app), Images: []Image{},
	}
	if q := r.Requirements.DiskSpace; q != nil {
		v.DiskSpace = megabytes(q)
		v.Requirements["diskspace"] = v.DiskSpace
	}
	if php := string(r.Requirements.PHP); php != "" {
		v.Requirements["php"], v.PHPMinimum = php, version.Lowest(php)
	}
	if mysql := string(r.Requirements.MySQL); mysql != "" {
		v.Database, v.DatabaseType, v.DatabasePrefix = true, "mysql", s.TablePrefix != ""
		v.Requirements["mysql"], v.MySQLMinimum = mysql, version.Lowest(mysql)
		v.Requirements["mysql_table_prefix"] = s.TablePrefix
	}
	for _, i := range s.Images {
		v.Images = append(v.Images, Image{Type: i.Type, URL: string(i.URL)})
	}
	return v
}

func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// megabytes is a size as clients know it: "40M".
func megabytes(q *resource.Quantity) string {
	const mebi = 1 << 20
	return itoa((q.Value()+mebi-1)/mebi) + "M"
}

// upgrade says how big a step it is to a release: minor where its authors say so, or where the branch had a release before.
func upgrade(app *api.Application, r *api.Release) string {
	for _, size := range []string{"major", "minor"} {
		if slices.Contains(r.Tags, size) {
			return size
		}
	}
	for i := range app.Spec.Releases {
		if other := &app.Spec.Releases[i]; r.Branch != "" && other.Branch == r.Branch && version.Compare(other.Version, r.Version) < 0 {
			return "minor"
		}
	}
	return "major"
}

// Upgradable tells whether a release can be upgraded to from a version.
func Upgradable(r *api.Release, from string) bool {
	allowed, err := version.ParseRange(string(r.UpgradeFrom))
	return err == nil && version.Compare(from, r.Version) < 0 && allowed.Contains(from)
}

// fields are what every application lets an install set, and what this one does.
func fields(app *api.Application) map[string]Field {
	all := map[string]Field{
		"login":     {Label: "Administrator's name", Type: "text", Gettable: true, Order: 1},
		"passwd":    {Label: "Administrator's password", Type: "password", Order: 2},
		"email":     {Label: "Administrator's email address", Type: "email", Gettable: true, Order: 3},
		"sitetitle": {Label: "Site title", Type: "text", Gettable: true, Order: 4},
		"content":   {Label: "Sample content", Type: "text", Default: "yes", Value: "yes", Order: 5},
	}
	for i, f := range app.Spec.Fields {
		options := map[string]string{}
		for _, o := range f.Options {
			options[o.Value] = o.Label
		}
		all[f.Name] = Field{Label: f.Label, Text: f.Text, Type: f.Type, Value: f.Default, Default: f.Default, Gettable: true, Order: 10 + i, Options: options}
	}
	for name, f := range all {
		if f.Options == nil {
			f.Options = map[string]string{}
			all[name] = f
		}
	}
	return all
}
