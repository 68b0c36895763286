package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/plan"
)

// releaseDir is where a release is unpacked before it takes its place: on the same file system, and gone before the generation is sealed.
const releaseDir = ".sitewright-release"

// replace puts the release into the place of the one that was copied. A directory of the release replaces the one that is there with all that it
// holds; what the recipe says is the site's own stays, and so does what stands beside the release's own files and directories.
func (u *upgrading) replace(ctx context.Context, r plan.Release) (err error) {
	www, err := u.volume.OpenDir(u.site.Generation, generation.WWW)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, www.Close()) }()
	if err := generation.RemoveAll(www, releaseDir); err != nil {
		return fmt.Errorf("clearing the way for release %s: %w", r.Version, err)
	}
	if err := www.Mkdir(releaseDir, 0o750); err != nil {
		return fmt.Errorf("making a directory for release %s: %w", r.Version, err)
	}
	if err := u.unpackRelease(ctx, r, generation.WWW, releaseDir); err != nil {
		return err
	}
	root := u.site.Recipe.Layout.DocumentRoot
	for _, name := range u.site.Recipe.Files.Remove {
		if err := generation.RemoveAll(www, path.Join(releaseDir, root, string(name))); err != nil {
			return fmt.Errorf("removing %s of the release: %w", name, err)
		}
	}
	p := &replacing{www: www}
	for _, name := range u.site.Recipe.Files.User {
		p.users = append(p.users, path.Join(root, string(name)))
	}
	if err := p.directory(ctx, "."); err != nil {
		return fmt.Errorf("putting release %s into its place: %w", r.Version, err)
	}
	return generation.RemoveAll(www, releaseDir)
}

// replacing puts a release that was unpacked below www into its place there.
type replacing struct {
	www *os.Root
	// users are the paths that are the site's own.
	users []string
}

func (p *replacing) directory(ctx context.Context, dir string) error {
	entries, err := fs.ReadDir(p.www.FS(), path.Join(releaseDir, dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := errors.Join(ctx.Err(), p.entry(ctx, path.Join(dir, e.Name()), e.IsDir())); err != nil {
			return err
		}
	}
	return nil
}

// entry puts one of the release's files or directories into its place.
func (p *replacing) entry(ctx context.Context, name string, isDir bool) error {
	there, err := p.www.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case slices.Contains(p.users, name):
		return nil
	case isDir && there.IsDir() && p.holdsUsers(name):
		return p.directory(ctx, name)
	default:
		if err := generation.RemoveAll(p.www, name); err != nil {
			return err
		}
	}
	return p.www.Rename(path.Join(releaseDir, name), name)
}

// holdsUsers says whether something that is the site's own lies below a directory.
func (p *replacing) holdsUsers(dir string) bool {
	return slices.ContainsFunc(p.users, func(u string) bool { return strings.HasPrefix(u, dir+"/") })
}
