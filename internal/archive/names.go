package archive

import (
	"path"
	"strings"
	"unicode/utf8"
)

const (
	// maxName bounds a name with its directories, and maxComponent each part of it, as Linux does.
	maxName      = 4096
	maxComponent = 255
)

// clean checks the name of an entry and takes what means nothing out of it. The archive's top is the empty name.
func clean(name string, raw bool) (string, error) {
	switch {
	case len(name) > maxName:
		return "", refuse(name, "has a name of %d bytes; %d is the most", len(name), maxName)
	case strings.Contains(name, "\x00"):
		return "", refuse(name, "has a zero byte in its name")
	case !raw && (!utf8.ValidString(name) || strings.Contains(name, `\`)):
		return "", refuse(name, "has a name that is not UTF-8 or holds a backslash")
	case strings.HasPrefix(name, "/"):
		return "", refuse(name, "is an absolute path")
	}
	var parts []string
	for p := range strings.SplitSeq(name, "/") {
		switch {
		case p == "" || p == ".":
		case p == "..":
			return "", refuse(name, "climbs out of its directory")
		case len(p) > maxComponent:
			return "", refuse(name, "has a part of %d bytes in its name; %d is the most", len(p), maxComponent)
		default:
			parts = append(parts, p)
		}
	}
	return path.Join(parts...), nil
}

// CheckLink refuses a symbolic link that leads out of the tree which its name is relative to. A target is any number of
// ".." and then names: with ".." behind a name, another link could turn a harmless look into a way out.
func CheckLink(name, target string) error {
	if target == "" || len(target) > maxName || strings.Contains(target, "\x00") {
		return refuse(name, "is a symbolic link to %q, which is no path", shorten(target))
	}
	if strings.HasPrefix(target, "/") {
		return refuse(name, "is a symbolic link to the absolute path %q", shorten(target))
	}
	climbs, down := 0, false
	for p := range strings.SplitSeq(target, "/") {
		if p == ".." && down {
			return refuse(name, "is a symbolic link to %q, which climbs after a name", shorten(target))
		}
		if p == ".." {
			climbs++
		} else if p != "" && p != "." {
			down = true
		}
	}
	if climbs > strings.Count(name, "/") {
		return refuse(name, "is a symbolic link that leads out, to %q", shorten(target))
	}
	return nil
}
