package agent

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/sitewright/sitewright/internal/archive"
)

// findDump finds the dump: the one that the plan names, or the only one beside the release or at the top of it, or
// the one of several that is called as the database is.
func (f *foreign) findDump() (*archive.Node, error) {
	if f.plan.Dump != "" {
		n := f.tree.Top.Lookup(f.plan.Dump)
		if n == nil || !n.IsDump() {
			return nil, noArchive("it holds no dump %q", f.plan.Dump)
		}
		return n, nil
	}
	var outside, all []*archive.Node
	for n := range f.tree.Top.All() {
		if !n.IsDump() {
			continue
		}
		_, below := n.Below(f.www)
		dir := path.Dir("/" + n.Name)
		if !below {
			outside = append(outside, n)
		}
		if !below || dir == path.Clean("/"+f.www.Name) || dir == path.Clean("/"+f.root.Name) {
			all = append(all, n)
		}
	}
	named := slices.DeleteFunc(slices.Clone(all), func(n *archive.Node) bool {
		base, _, _ := strings.Cut(path.Base(n.Name), ".")
		return base != f.values["Database.Name"]
	})
	for _, found := range [][]*archive.Node{all, named, outside} {
		if len(found) == 1 {
			return found[0], nil
		}
	}
	if len(all) == 0 {
		return nil, noArchive("it holds no dump of the database: put a file that ends in .sql or .sql.gz beside the site's files")
	}
	return nil, noArchive("it holds %d dumps, such as %q and %q: take out all but the site's", len(all), all[0].Name, all[1].Name)
}

// takeDump looks the dump through and stores it as a part that can be loaded.
func (f *foreign) takeDump(ctx context.Context) (parts []archive.Part, err error) {
	if err := f.scanDump(ctx); err != nil {
		return nil, err
	}
	const name = "000-dump.sql"
	if f.facts.complete && f.dump.Plain() {
		return []archive.Part{f.dump.PartOf(name)}, nil
	}
	if !f.facts.complete {
		f.warn("the dump %s does not say at its end that it is complete: see that nothing is missing", f.dump.Name)
	}
	r, err := f.tree.OpenDump(ctx, f.dump)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	whole := io.Reader(r)
	if !f.facts.complete {
		whole = io.MultiReader(r, strings.NewReader(dumpEnd))
	}
	part, err := f.tree.StorePart(ctx, name, whole)
	return []archive.Part{part}, err
}
