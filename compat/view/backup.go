package view

import (
	"net/url"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// Backup is a backup of an installed application.
type Backup struct {
	ID string `json:"id"`
	// PID is the id of the Install that was backed up; empty when that is gone.
	PID       string `json:"pid"`
	Installer string `json:"installer"`
	Owner     string `json:"owner"`
	// Filename is what an archive of it would be called.
	Filename  string   `json:"backup-filename"`
	Note      string   `json:"backup-note"`
	Location  string   `json:"bkloc"`
	Path      string   `json:"path"`
	File      string   `json:"file"`
	Version   string   `json:"version"`
	Time      int64    `json:"time"`
	Expires   int64    `json:"time-expires"`
	Size      int64    `json:"size"`
	ListFiles []string `json:"list-files"`
	URL       string   `json:"url"`
	URLDomain string   `json:"url-domain"`
	Title     string   `json:"title"`
	Email     string   `json:"cf-email"`
	DBHost    string   `json:"db-host"`
	DBName    string   `json:"db-name"`
	DBUser    string   `json:"db-user"`
	DBPass    string   `json:"db-pass"`
	DBPrefix  string   `json:"db-prefix"`
}

// OfBackup shows a Backup, with what its Install says where that is still there.
func OfBackup(b *api.Backup, in *api.Install, around *Around) Backup {
	s := &b.Status
	v := Backup{
		ID: around.ID, Installer: s.Application, Owner: around.Owner, Note: b.Spec.Note, Location: around.Location, Path: siteRoot, File: siteRoot,
		Version: s.Version, Time: b.CreationTimestamp.Unix(), ListFiles: []string{}, URL: s.URL, URLDomain: domain(s.URL), Title: s.Title,
	}
	if s.Snapshot != nil {
		v.Size = s.Snapshot.Bytes + s.Snapshot.DatabaseBytes
		v.Time = unix(s.Snapshot.Time, v.Time)
	}
	v.Expires = unix(s.ExpirationTime, 0)
	if d := s.Database; d != nil {
		v.DBHost, v.DBName, v.DBUser, v.DBPrefix = around.DatabaseHost, d.Name, d.User, d.Prefix
	}
	if in != nil {
		v.Email = Email(in)
	}
	v.Filename = filename(v.Installer, v.URL, v.Time)
	return v
}

func unix(t *metav1.Time, otherwise int64) int64 {
	if t == nil {
		return otherwise
	}
	return t.Unix()
}

// filename looks like wordpress_example-com_My-blog_2021-01-01_12-00-00.tar.gz.
func filename(installer, site string, at int64) string {
	parts := []string{installer}
	if u, err := url.Parse(site); err == nil {
		parts = append(parts, strings.ReplaceAll(u.Hostname(), ".", "-"))
		if path := strings.Trim(u.Path, "/"); path != "" {
			parts = append(parts, strings.ReplaceAll(path, "/", "-"))
		}
	}
	return strings.Join(append(parts, time.Unix(at, 0).UTC().Format("2006-01-02_15-04-05")), "_") + ".tar.gz"
}

// MatchesBackup tells whether a Backup is among those that a search is for.
func MatchesBackup(b *api.Backup, id, owner, query string) bool {
	return matches(query, b.Status.Title, b.Status.URL, id, b.Status.Application, owner)
}

func condition(conditions []metav1.Condition, kind string) *metav1.Condition {
	for i := range conditions {
		if conditions[i].Type == kind {
			return &conditions[i]
		}
	}
	return nil
}

func holds(conditions []metav1.Condition, kind string) bool {
	c := condition(conditions, kind)
	return c != nil && c.Status == metav1.ConditionTrue
}
