package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/sitewright/sitewright/internal/generation"
)

// accessFile is Apache's per-directory configuration. It speaks of the URL's path alone, without the host by which the
// site's other texts are found.
const accessFile = ".htaccess"

var (
	rewriteBase = regexp.MustCompile(`(?mi)^([ \t]*RewriteBase[ \t]+)(/\S*)`)
	rewriteRule = regexp.MustCompile(`(?mi)^([ \t]*RewriteRule[ \t]+\S+[ \t]+)(/[^/\s]\S*)`)
)

// rewriteBases moves RewriteBase, and the absolute targets of RewriteRule, to the new URL's path.
func (m *move) rewriteBases(ctx context.Context) (err error) {
	from, to := pathOf(m.from.url), pathOf(m.to.url)
	if from == to {
		return nil
	}
	www, err := m.volume.OpenDir(m.site.Generation, generation.WWW)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, www.Close()) }()
	return fs.WalkDir(www.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if path.Base(name) != accessFile || !e.Type().IsRegular() {
			return nil
		}
		content, err := readSmall(www, name)
		if err != nil || len(content) == maxConfiguration {
			return err
		}
		moved := moveBase(string(content), from, to)
		if moved == string(content) {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		m.result.Rewritten++
		if err := writeFile(www, name, []byte(moved), info.Mode()); err != nil {
			return fmt.Errorf("rewriting %s: %w", name, err)
		}
		return nil
	})
}

// moveBase replaces the path from, empty for the host's root, by to at the beginning of bases and absolute targets.
func moveBase(content, from, to string) string {
	for _, directive := range []*regexp.Regexp{rewriteBase, rewriteRule} {
		content = directive.ReplaceAllStringFunc(content, func(line string) string {
			parts := directive.FindStringSubmatch(line)
			rest, found := strings.CutPrefix(parts[2], from)
			if !found || rest != "" && !strings.HasPrefix(rest, "/") {
				return line
			}
			if moved := to + rest; moved != "" {
				return parts[1] + moved
			}
			return parts[1] + "/"
		})
	}
	return content
}

func pathOf(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}
