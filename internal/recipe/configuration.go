package recipe

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"text/template"

	api "github.com/sitewright/sitewright/api/recipe"
)

// maxRendered bounds what a template makes.
const maxRendered = 1 << 20

// ErrTooLarge means that a template makes more than a file of configuration should hold.
var ErrTooLarge = errors.New("the template makes more than 1 MiB")

// Render renders a configuration file's template. A name that values do not have is an error.
func Render(file api.ConfigurationFile, values *Values) ([]byte, error) {
	b, err := render(file.Template, values)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", file.Path, err)
	}
	return b, nil
}

func render(source string, data any) ([]byte, error) {
	t, err := template.New("template").Option("missingkey=error").Funcs(template.FuncMap{
		"php": quotePHP, "json": quoteJSON, "ini": quoteINI, "shell": quoteShell,
	}).Parse(source)
	if err != nil {
		return nil, err
	}
	var w boundedBuffer
	if err := t.Execute(&w, data); err != nil {
		return nil, err
	}
	return w.b.Bytes(), nil
}

type boundedBuffer struct{ b bytes.Buffer }

func (w *boundedBuffer) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > maxRendered {
		return 0, ErrTooLarge
	}
	return w.b.Write(p)
}

// Mode is the file's permission.
func Mode(file api.ConfigurationFile) (fs.FileMode, error) {
	if file.Mode == "" {
		return 0o640, nil
	}
	m, err := strconv.ParseUint(file.Mode, 8, 32)
	if err != nil || m > 0o777 {
		return 0, fmt.Errorf("configuration %s: mode %q is no permission in octal", file.Path, file.Mode)
	}
	return fs.FileMode(m), nil
}

// Update puts new values, by their names in file.Read, in the places where content has the old ones, every place that
// the pattern finds; all else stays as the user left it. It returns the names in values whose pattern found nothing,
// sorted. Values that file.Read does not name are passed over.
func Update(content []byte, file api.ConfigurationFile, values map[string]string) (updated []byte, missed []string, err error) {
	type edit struct {
		start, end int
		text       string
	}
	var edits []edit
	for _, name := range slices.Sorted(maps.Keys(values)) {
		pattern, ok := file.Read[name]
		if !ok {
			continue
		}
		re, err := compile(pattern)
		if err != nil {
			return nil, nil, fmt.Errorf("configuration %s: read %s: %w", file.Path, name, err)
		}
		text, err := inside(file.Syntax, values[name])
		if err != nil {
			return nil, nil, fmt.Errorf("configuration %s: %s: %w", file.Path, name, err)
		}
		found := false
		for _, m := range re.FindAllSubmatchIndex(content, -1) {
			if m[2] >= 0 {
				found = true
				edits = append(edits, edit{m[2], m[3], text})
			}
		}
		if !found {
			missed = append(missed, name)
		}
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	at := 0
	for _, e := range edits {
		if e.start < at {
			return nil, nil, fmt.Errorf("configuration %s: two patterns of read find the same place", file.Path)
		}
		updated = append(append(updated, content[at:e.start]...), e.text...)
		at = e.end
	}
	return append(updated, content[at:]...), missed, nil
}

// Read returns the values that file.Read finds in content, by name. What is not found is left out.
func Read(content []byte, file api.ConfigurationFile) (map[string]string, error) {
	values := map[string]string{}
	for name, pattern := range file.Read {
		re, err := compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("configuration %s: read %s: %w", file.Path, name, err)
		}
		m := re.FindSubmatchIndex(content)
		if m == nil || m[2] < 0 {
			continue
		}
		value, err := outside(file.Syntax, string(content[m[2]:m[3]]))
		if err != nil {
			return nil, fmt.Errorf("configuration %s: read %s: %w", file.Path, name, err)
		}
		values[name] = value
	}
	return values, nil
}

func compile(pattern api.Pattern) (*regexp.Regexp, error) {
	re, err := regexp.Compile(string(pattern))
	if err != nil {
		return nil, err
	}
	if re.NumSubexp() < 1 {
		return nil, fmt.Errorf("pattern %q captures nothing: put parentheses around the value", pattern)
	}
	return re, nil
}
