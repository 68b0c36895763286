package recipe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	api "github.com/sitewright/sitewright/api/recipe"
)

// maxDetect bounds what is read of a file to find a version in it.
const maxDetect = 1 << 20

// The errors of Version.
var (
	// ErrNoFile means that the file which holds the version is not there: the files are of another application, or some
	// were lost.
	ErrNoFile = errors.New("the file that tells the version is missing")
	// ErrNoVersion means that the file is there and the pattern does not match.
	ErrNoVersion = errors.New("the file tells no version")
)

// Version finds a value in a file below the document root.
func Version(documentRoot *os.Root, p api.FilePattern) (string, error) {
	re, err := compile(p.Pattern)
	if err != nil {
		return "", fmt.Errorf("version in %s: %w", p.File, err)
	}
	f, err := documentRoot.OpenFile(string(p.File), os.O_RDONLY|nonblock, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: %w", p.File, ErrNoFile)
	}
	if err != nil {
		return "", fmt.Errorf("version in %s: %w", p.File, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDetect))
	if err != nil {
		return "", fmt.Errorf("version in %s: %w", p.File, err)
	}
	return captured(re, b, p)
}

// VersionIn is Version for the content of the file, of which no more is looked at than Version reads.
func VersionIn(content io.Reader, p api.FilePattern) (string, error) {
	re, err := compile(p.Pattern)
	if err != nil {
		return "", fmt.Errorf("version in %s: %w", p.File, err)
	}
	b, err := io.ReadAll(io.LimitReader(content, maxDetect))
	if err != nil {
		return "", fmt.Errorf("version in %s: %w", p.File, err)
	}
	return captured(re, b, p)
}

func captured(re *regexp.Regexp, content []byte, p api.FilePattern) (string, error) {
	m := re.FindSubmatch(content)
	if m == nil || len(m[1]) == 0 {
		return "", fmt.Errorf("%s: %w", p.File, ErrNoVersion)
	}
	return string(m[1]), nil
}

// Captured is what a pattern's first group captures in a text, "" when it finds nothing.
func Captured(pattern api.Pattern, text []byte) (string, error) {
	re, err := compile(pattern)
	if err != nil {
		return "", err
	}
	if m := re.FindSubmatch(text); m != nil {
		return string(m[1]), nil
	}
	return "", nil
}

var safePrefix = regexp.MustCompile(`^[A-Za-z0-9_$]{0,60}$`)

// CheckPrefix refuses table prefixes that could leave an unquoted identifier.
func CheckPrefix(prefix string) error {
	if !safePrefix.MatchString(prefix) {
		return fmt.Errorf("table prefix %q may hold letters, digits and underscores only", prefix)
	}
	return nil
}

// Query renders a statement of the recipe, a template over .Prefix.
func Query(source, prefix string) (string, error) {
	if err := CheckPrefix(prefix); err != nil {
		return "", err
	}
	b, err := render(source, struct{ Prefix string }{prefix})
	return string(b), err
}

// PrefixText renders the text of a row that carries the table prefix, a template over .Old.
func PrefixText(source, old string) (string, error) {
	b, err := render(source, struct{ Old string }{old})
	return string(b), err
}
