package view

import (
	"strconv"
	"strings"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// Install is an installed application.
type Install struct {
	ID        string `json:"id"`
	Installer string `json:"installer"`
	Version   string `json:"version"`
	// VersionLatest is what it can be upgraded to; the version that it has where there is nothing.
	VersionLatest string `json:"version-latest"`
	Language      string `json:"language"`
	Time          int64  `json:"time"`
	Agent         string `json:"agent"`
	Owner         string `json:"owner"`
	// Path and File are where the site is in its own file system.
	Path        string   `json:"path"`
	File        string   `json:"file"`
	PathCreated bool     `json:"path-created"`
	URL         string   `json:"url"`
	URLDomain   string   `json:"url-domain"`
	DBHost      string   `json:"db-host"`
	DBType      string   `json:"db-type"`
	DBName      string   `json:"db-name"`
	DBUser      string   `json:"db-user"`
	DBPass      string   `json:"db-pass"`
	DBPrefix    string   `json:"db-prefix"`
	Title       string   `json:"title"`
	ListFiles   []string `json:"list-files"`
	ListTables  []string `json:"list-tables"`
	AutoUp      string   `json:"autoup"`
	AutoUpBack  string   `json:"autoup_backup"`
	AutoBackup  string   `json:"autobk"`
	Daily       *int32   `json:"autobk_daily"`
	Weekly      *int32   `json:"autobk_weekly"`
	Monthly     *int32   `json:"autobk_monthly"`
	Location    string   `json:"bkloc"`
	// Notification are the events that are told of; null means the operator's default.
	Notification *string `json:"notification"`
	Login        string  `json:"cf-login"`
	Password     string  `json:"cf-passwd"`
	Email        string  `json:"cf-email"`
	SiteTitle    string  `json:"cf-sitetitle"`
	SiteTagline  string  `json:"cf-sitetagline"`
	LimitLogins  string  `json:"cf-limitloginattempts"`
	LinkAdmin    string  `json:"link-admin"`
	CacheTables  int64   `json:"cache-tables"`
	CacheFiles   int64   `json:"cache-files"`
	CacheTime    int64   `json:"cache-time"`
	CacheBackups int     `json:"cache-numbackups"`
	// Status and StatusMessage say how it is: serving, installing, failed or deleting.
	Status        string `json:"status"`
	StatusMessage string `json:"status-message"`
	// Plugins and Themes are there only where they were asked for.
	Plugins []Addon `json:"plugins,omitempty"`
	Themes  []Addon `json:"themes,omitempty"`
}

// Addon is a plugin or theme.
type Addon struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Latest  string `json:"version-latest"`
	Active  bool   `json:"active"`
}

// Around is what an Install does not say of itself.
type Around struct {
	// ID of the Install, Owner the panel user, AdminPath the application's, DatabaseHost the server's.
	ID, Owner, AdminPath, DatabaseHost string
	// Location and Schedule are the ids of what backs it up.
	Location, Schedule string
	// Backups is how many there are.
	Backups int
}

// siteRoot is where a site's files are in its pods.
const siteRoot = "/site/www"

// OfInstall shows an Install.
func OfInstall(in *api.Install, around *Around) Install {
	s := &in.Status
	v := Install{
		ID: around.ID, Installer: in.Spec.Application, Version: s.Version, VersionLatest: s.LatestVersion, Language: language(in),
		Time: in.CreationTimestamp.Unix(), Agent: "sitewright", Owner: around.Owner, Path: siteRoot, File: siteRoot, PathCreated: true,
		URL: siteURL(in), Title: in.Spec.Title, ListFiles: []string{}, ListTables: []string{},
		Location: around.Location, Login: adminLogin(in), Email: Email(in), SiteTitle: in.Spec.Title, SiteTagline: string(in.Spec.Fields["sitetagline"]), LimitLogins: "no",
		CacheBackups: around.Backups,
	}
	v.URLDomain = domain(v.URL)
	v.LinkAdmin = strings.TrimSuffix(v.URL, "/") + "/" + strings.TrimPrefix(around.AdminPath, "/")
	if d := s.Database; d != nil {
		v.DBType, v.DBHost, v.DBName, v.DBUser, v.DBPrefix = "mysql", around.DatabaseHost, d.Name, d.User, d.Prefix
	}
	if s.Size != nil {
		v.CacheFiles, v.CacheTables = s.Size.Bytes, s.Size.DatabaseBytes
	}
	v.CacheTime = v.Time
	if s.Inspection != nil {
		v.CacheTime = s.Inspection.Time.Unix()
	}
	v.policies(in, around)
	v.Status, v.StatusMessage = state(in)
	return v
}

func (v *Install) policies(in *api.Install, around *Around) {
	v.AutoUp, v.AutoUpBack = "0", "1"
	if u := in.Spec.Updates; u != nil {
		switch u.Policy {
		case api.UpdateMinor:
			v.AutoUp = "1"
		case api.UpdateAny:
			v.AutoUp = "2"
		}
		if u.Backup != nil && !*u.Backup {
			v.AutoUpBack = "0"
		}
	}
	if b := in.Spec.Backups; b != nil {
		v.Daily, v.Weekly, v.Monthly = b.Daily, b.Weekly, b.Monthly
		switch {
		case b.ScheduleRef != nil:
			v.AutoBackup = around.Schedule
		case b.Daily != nil || b.Weekly != nil || b.Monthly != nil:
			v.AutoBackup = "custom"
		}
	}
	if n := in.Spec.Notifications; n != nil {
		events := make([]string, len(n.Events))
		for i, e := range n.Events {
			events[i] = string(e)
		}
		v.Notification = new(strings.Join(events, ","))
	}
}

// Addons shows plugins or themes.
func Addons(found []api.ComponentStatus) []Addon {
	addons := make([]Addon, len(found))
	for i, c := range found {
		addons[i] = Addon{ID: c.Name, Version: c.Version, Latest: c.Latest, Active: c.Active}
	}
	return addons
}

// siteURL is where a site answers; before it does, where it will.
func siteURL(in *api.Install) string {
	if in.Status.URL != "" {
		return in.Status.URL
	}
	return string(in.Spec.URL)
}

// domain is the host in a site's URL, which the schema has checked: parsing it anew for every site of a long list would take longer than all the rest.
func domain(site string) string {
	_, place, _ := strings.Cut(site, "://")
	if end := strings.IndexAny(place, ":/"); end >= 0 {
		return place[:end]
	}
	return place
}

func language(in *api.Install) string {
	if in.Spec.Language == "" {
		return "en"
	}
	return in.Spec.Language
}

func adminLogin(in *api.Install) string {
	if in.Status.Admin != nil {
		return in.Status.Admin.Login
	}
	if in.Spec.Admin != nil {
		return in.Spec.Admin.Login
	}
	return ""
}

// Email is the address of a site's administrator.
func Email(in *api.Install) string {
	if in.Spec.Admin != nil && in.Spec.Admin.Email != "" {
		return in.Spec.Admin.Email
	}
	return "admin@" + domain(string(in.Spec.URL))
}

// state says how a site is.
func state(in *api.Install) (state, message string) {
	ready := condition(in.Status.Conditions, api.ConditionReady)
	if ready != nil {
		message = ready.Message
	}
	stalled := holds(in.Status.Conditions, api.ConditionStalled)
	switch {
	case in.DeletionTimestamp != nil:
		return "deleting", message
	case in.Status.Generation > 0:
		return "serving", message
	case stalled:
		return "failed", message
	}
	return "installing", message
}

// Matches tells whether an Install is among those that a search is for: its title, URL, id, installer or owner holds the text.
func Matches(in *api.Install, id, owner, query string) bool {
	return matches(query, in.Spec.Title, siteURL(in), id, in.Spec.Application, owner)
}

// matches compares without regard to upper and lower case; the query is in lower case already.
func matches(query string, columns ...string) bool {
	for _, c := range columns {
		if strings.Contains(strings.ToLower(c), query) {
			return true
		}
	}
	return false
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
