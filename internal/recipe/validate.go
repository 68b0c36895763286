package recipe

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	api "github.com/sitewright/sitewright/api/recipe"
)

// Validate finds what a schema cannot: templates that do not render, patterns that capture nothing, statements and
// schedules that are none. fields are the names of the application's fields. Each error begins with the path of the
// recipe's field.
func Validate(r *api.Recipe, fields []string) error {
	var errs []error
	report := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	for i, file := range r.Configuration {
		validateFile(fmt.Sprintf("configuration[%d]", i), file, fields, report)
	}
	if r.Version != nil {
		_, err := compile(r.Version.Pattern)
		report("version.pattern", err)
	}
	if s := r.SchemaVersion; s != nil {
		_, err := compile(s.Files.Pattern)
		report("schemaVersion.files.pattern", err)
		_, err = Query(s.Database, "wp_")
		report("schemaVersion.database", err)
	}
	if r.Cron != nil {
		report("cron.schedule", checkSchedule(r.Cron.Schedule))
		report("cron.args[0]", checkPath(r.Cron.Args))
	}
	validateMove(&r.Move, report)
	return errors.Join(errs...)
}

func validateFile(field string, file api.ConfigurationFile, fields []string, report func(string, error)) {
	values := sample(file, fields)
	_, err := Render(file, values)
	report(field+".template", err)
	_, err = Mode(file)
	report(field+".mode", err)
	for _, name := range slices.Sorted(maps.Keys(file.Read)) {
		_, err := compile(file.Read[name])
		report(field+".read."+name, err)
		if _, known := values.Lookup(name); !known {
			report(field+".read."+name, errors.New("there is no value of this name"))
		}
	}
}

// sample makes values for a template to be tried with.
func sample(file api.ConfigurationFile, fields []string) *Values {
	v := &Values{
		Title: "Title", Language: "en", Content: "None", DocumentRoot: "/site/www", DataDir: "/site/data", TmpDir: "/site/tmp",
		Database: Database{Host: "db.example", Port: mysqlPort, Name: "site", User: "site", Password: "secret", Prefix: "wp_"},
		Secrets:  map[string]string{}, Fields: map[string]string{},
	}
	_ = v.SetURL("https://www.example.com/blog") // It has a scheme and a host.
	for _, name := range file.Generate {
		v.Secrets[name] = "secret"
	}
	for _, name := range fields {
		v.Fields[name] = "value"
	}
	return v
}

func validateMove(m *api.Move, report func(string, error)) {
	for i, row := range m.Prefix {
		source, field := row.Equals, "equals"
		if row.StartsWith != "" {
			source, field = row.StartsWith, "startsWith"
		}
		text, err := PrefixText(source, "wp_")
		if err == nil && !strings.Contains(text, "wp_") {
			err = errors.New("it does not use {{ .Old }}, so it holds no prefix")
		}
		report(fmt.Sprintf("move.prefix[%d].%s", i, field), err)
	}
	for i, statement := range m.Clear {
		_, err := Query(statement, "wp_")
		report(fmt.Sprintf("move.clear[%d]", i), err)
	}
	if m.URL != "" && m.URL != Everywhere {
		for column := range strings.SplitSeq(m.URL, ",") {
			report("move.url", checkColumn(strings.TrimSpace(column)))
		}
	}
	if m.DumpURL != "" {
		_, err := compile(m.DumpURL)
		report("move.dumpURL", err)
	}
	for i, p := range m.Path {
		if p != Configuration {
			report(fmt.Sprintf("move.path[%d]", i), checkColumn(p))
		}
	}
}

// The words that stand for a list of columns in a recipe's move.
const (
	Everywhere    = "everywhere"
	Configuration = "configuration"
)

func checkColumn(s string) error {
	table, column, found := strings.Cut(s, ".")
	if !found || table == "" || column == "" {
		return fmt.Errorf("%q is not of the form table.column", s)
	}
	return nil
}

func checkPath(args []string) error {
	if len(args) == 0 || path.IsAbs(args[0]) || slices.Contains(strings.Split(args[0], "/"), "..") {
		return errors.New("it must name a file below the document root")
	}
	return nil
}

// checkSchedule reads the five fields of cron: numbers, ranges, lists and steps.
func checkSchedule(s string) error {
	fields := strings.Fields(s)
	if len(fields) != 5 {
		return fmt.Errorf("%q has %d fields, not the five of cron", s, len(fields))
	}
	bounds := [][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}}
	for i, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			if !cronItem(item, bounds[i][0], bounds[i][1]) {
				return fmt.Errorf("%q: %q is not between %d and %d", s, item, bounds[i][0], bounds[i][1])
			}
		}
	}
	return nil
}

func cronItem(item string, low, high int) bool {
	span, step, stepped := strings.Cut(item, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1 || n > high) {
		return false
	}
	if span == "*" {
		return true
	}
	from, to, ranged := strings.Cut(span, "-")
	a, err := strconv.Atoi(from)
	if err != nil || a < low || a > high {
		return false
	}
	b, err := strconv.Atoi(to)
	return !ranged || err == nil && b >= a && b <= high
}
