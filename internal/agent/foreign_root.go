package agent

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
)

// detect finds the document root: the directory nearest to the top in which a candidate's recipe finds its version.
func (f *foreign) detect(ctx context.Context) error {
	type match struct {
		root      *archive.Node
		version   string
		candidate *plan.Candidate
	}
	var best []match
	depth := func(n *archive.Node) int {
		if n.Name == "" {
			return 0
		}
		return 1 + strings.Count(n.Name, "/")
	}
	for k := range f.plan.Candidates {
		c := &f.plan.Candidates[k]
		for _, root := range f.rootsOf(c) {
			if len(best) > 0 && depth(root) > depth(best[0].root) {
				continue
			}
			v, err := f.versionIn(ctx, root, c)
			if errors.Is(err, recipe.ErrNoVersion) {
				continue
			}
			if err != nil {
				return err
			}
			if len(best) > 0 && depth(root) < depth(best[0].root) {
				best = nil
			}
			best = append(best, match{root, v, c})
		}
	}
	switch {
	case len(best) == 0:
		return noArchive("it was not exported by Sitewright, and no application of the catalogue recognizes its files in any of its directories")
	case len(best) > 1:
		return noArchive("it holds more than one site: %s in %q and %s in %q; take out all but one", best[0].candidate.Application,
			best[0].root.Name, best[1].candidate.Application, best[1].root.Name)
	}
	f.root, f.version, f.application, f.recipe = best[0].root, best[0].version, best[0].candidate.Application, &best[0].candidate.Recipe
	return f.findRelease()
}

// rootsOf are the directories that hold the file which tells a candidate's version, or else its first configuration file.
func (f *foreign) rootsOf(c *plan.Candidate) (roots []*archive.Node) {
	file := ""
	switch {
	case c.Recipe.Version != nil:
		file = string(c.Recipe.Version.File)
	case len(c.Recipe.Configuration) > 0:
		file = string(c.Recipe.Configuration[0].Path)
	default:
		return nil
	}
	if f.tree.Top.Lookup(file).IsFile() {
		roots = append(roots, f.tree.Top)
	}
	for n := range f.tree.Top.All() {
		if n.IsDir() && n.Lookup(file).IsFile() {
			roots = append(roots, n)
		}
	}
	return roots
}

func (f *foreign) versionIn(ctx context.Context, root *archive.Node, c *plan.Candidate) (version string, err error) {
	if c.Recipe.Version == nil {
		return "", nil
	}
	r, err := f.tree.Open(ctx, root.Lookup(string(c.Recipe.Version.File)))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return recipe.VersionIn(r, *c.Recipe.Version)
}

// findRelease finds the directory above the document root that a release unpacks to.
func (f *foreign) findRelease() error {
	want := f.recipe.Layout.DocumentRoot
	above := strings.TrimSuffix(f.root.Name, want)
	if want != "" && (above == f.root.Name || above != "" && !strings.HasSuffix(above, "/")) {
		return noArchive("the document root of %s is in %q, and has to be in a directory %q", f.application, f.root.Name, want)
	}
	f.www = f.tree.Top.Lookup(cmp.Or(strings.Trim(above, "/"), "."))
	return nil
}
