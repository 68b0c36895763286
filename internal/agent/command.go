package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
)

// input is the JSON object that a recipe's commands find on standard input.
type input struct {
	// Command is the command's name in the recipe.
	Command string `json:"command"`
	// URL without a trailing slash, and its parts as in a template. An empty URL leaves it as it is, which the parts tell.
	URL      string `json:"url"`
	Scheme   string `json:"scheme"`
	Host     string `json:"host"`
	Path     string `json:"path"`
	Title    string `json:"title"`
	Language string `json:"language"`
	Content  string `json:"content"`
	// Admin is the administrator to make.
	Admin admin `json:"admin"`
	// Database is missing when the application has none.
	Database *recipe.Database `json:"database,omitempty"`
	// Fields are the application's fields.
	Fields map[string]string `json:"fields"`
	// Version is the release that the files are of.
	Version string `json:"version"`
	// FromVersion is the release that an upgrade comes from.
	FromVersion string `json:"fromVersion,omitempty"`
	// Plugins and Themes are what to update, by name; missing means all.
	Plugins *[]string `json:"plugins,omitempty"`
	Themes  *[]string `json:"themes,omitempty"`
	// DocumentRoot, DataDir and TmpDir are absolute paths that exist while the command runs.
	DocumentRoot string `json:"documentRoot"`
	DataDir      string `json:"dataDir"`
	TmpDir       string `json:"tmpDir"`
}

type admin struct {
	Login    string `json:"login"`
	Email    string `json:"email"`
	Password string `json:"password"`
	// PreviousLogin is what the administrator to change is called so far, where it is known.
	PreviousLogin string `json:"previousLogin,omitempty"`
}

func (m *making) input(command string, v *recipe.Values, a plan.Admin, password, release string) input {
	in := input{
		Command: command, URL: v.URL, Scheme: v.Scheme, Host: v.Host, Path: v.Path,
		Title: v.Title, Language: v.Language, Content: v.Content,
		Admin: admin{Login: a.Login, Email: a.Email, Password: password}, Fields: v.Fields, Version: release,
		DocumentRoot: m.place(below(m.site)...), DataDir: m.place(generation.Data), TmpDir: m.place(generation.Tmp),
	}
	if in.Fields == nil {
		in.Fields = map[string]string{}
	}
	if m.database != nil {
		in.Database = &v.Database
	}
	return in
}

// run runs one of the recipe's commands in the document root. A command that failed while its database went away is run again some time: such a failure
// says nothing of the site.
func (m *making) run(ctx context.Context, name string, c *api.Command, in input) (json.RawMessage, error) {
	r := recipe.Run{
		Name: name, Command: *c, Dir: in.DocumentRoot, TmpDir: in.TmpDir, Input: in, Secrets: m.agent.secrets,
	}
	if m.database == nil {
		return r.Do(ctx)
	}
	watch, err := mysql.NewWatch(ctx, m.database.config)
	if err != nil {
		return nil, m.aboutDatabase(err)
	}
	answer, err := r.Do(ctx)
	gone := watch.End(ctx)
	if _, failed := errors.AsType[*recipe.CommandError](err); failed && gone != nil {
		return nil, &plan.Failure{Reason: plan.ReasonUnreachable, Message: fmt.Sprintf("%v; database %s went away meanwhile, and the task is tried again", err, m.database.Name)}
	}
	return answer, err
}
