package snapshots

import (
	"path"
	"strings"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/repository"
)

// Names of the directories in a snapshot: the release with its document root, and data outside it. Both are always there.
const (
	WWW  = archive.FilesDir + "/" + generation.WWW
	Data = archive.FilesDir + "/" + generation.Data
)

// Directories are a site's files as a snapshot takes them: without caches, and without the file that would keep a restored
// site in maintenance.
func Directories(www, data string, r *api.Recipe) []repository.Dir {
	d := repository.Dir{Name: WWW, Path: www}
	for _, name := range LeftOut(r) {
		d.Exclude = append(d.Exclude, "/"+literal(name))
	}
	return []repository.Dir{d, {Name: Data, Path: data}}
}

// LeftOut lists, below www, what neither a snapshot nor a clone takes along.
func LeftOut(r *api.Recipe) []string {
	var names []string
	for _, c := range r.Files.Caches {
		names = append(names, path.Join(r.Layout.DocumentRoot, string(c)))
	}
	if r.Maintenance != nil && r.Maintenance.File != "" {
		names = append(names, path.Join(r.Layout.DocumentRoot, string(r.Maintenance.File)))
	}
	return names
}

// literal takes the meaning from what path.Match would take for a pattern.
func literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}
