// Package agent carries out plans beside a site's volume: it makes generations, backs them up and removes them. It knows
// nothing of Kubernetes, so that the whole data path runs and is tested wherever there are a database and PHP.
//
// Every task may be killed at any moment and run again. A generation that is sealed answers from its seal; one that is
// not is made again from nothing. A snapshot that was finished is found by the UID of its Backup.
package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
)

const (
	defaultSiteRoot = "/site"
	defaultLockWait = 2 * time.Minute
	// maxSecret bounds what is read of a file that holds a password or a key.
	maxSecret = 64 << 10
)

// Options are what a plan does not say.
type Options struct {
	// Progress gets one JSON line at most every half second; nil discards them.
	Progress io.Writer
	// StateDir is a private directory for caches. It may be lost at any time. Empty means one that lives as long as the
	// task.
	StateDir string
	// SiteRoot is where a site finds itself, /site. Configuration files speak of it, and commands run in it where it is the
	// generation that is being made.
	SiteRoot string
	// LockWait bounds the wait for another agent to let go of a volume; 0 means two minutes.
	LockWait time.Duration
	// Now is the clock and Random the source of secrets; nil means the real ones.
	Now    func() time.Time
	Random io.Reader
}

// Run carries out a plan. It always answers: a failure is part of the result. When ctx ends, it stops at once, and the
// failure is not terminal.
func Run(ctx context.Context, p *plan.Plan, o Options) plan.Result {
	a := &agent{Options: o.complete()}
	a.progress = newProgress(o.Progress, a.Now)
	result, err := a.run(ctx, p)
	if err != nil {
		return plan.Result{Failure: a.failure(p.Task(), err)}
	}
	a.progress.finish("done")
	return result
}

func (o Options) complete() Options {
	if o.SiteRoot == "" {
		o.SiteRoot = defaultSiteRoot
	}
	if o.LockWait == 0 {
		o.LockWait = defaultLockWait
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return o
}

// agent is one run of a plan.
type agent struct {
	Options
	progress *progress
	// secrets that were read, to be taken out of everything that is shown.
	secrets []string
}

func (a *agent) run(ctx context.Context, p *plan.Plan) (result plan.Result, err error) {
	if a.StateDir == "" {
		if a.StateDir, err = os.MkdirTemp("", "sitewright-"); err != nil {
			return plan.Result{}, fmt.Errorf("making a directory for caches: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(a.StateDir)) }()
	}
	switch {
	case p.Install != nil:
		return a.install(ctx, p.Install)
	case p.Backup != nil:
		return a.backup(ctx, p.Backup)
	case p.Restore != nil:
		return a.restore(ctx, p.Restore)
	case p.Clone != nil:
		return a.clone(ctx, p.Clone)
	case p.Upgrade != nil:
		return a.upgrade(ctx, p.Upgrade)
	case p.Configure != nil:
		return a.configureSite(ctx, p.Configure)
	case p.Inspect != nil:
		return a.inspect(ctx, p.Inspect)
	case p.Resume != nil:
		return a.resume(ctx, p.Resume)
	case p.Prune != nil:
		return a.prune(ctx, p.Prune)
	case p.Open != nil:
		return a.open(ctx, p.Open)
	case p.Forget != nil:
		return a.forget(ctx, p.Forget)
	case p.Export != nil:
		return a.export(ctx, p.Export)
	case p.Import != nil:
		return a.importArchive(ctx, p.Import)
	case p.Maintain != nil:
		return a.maintain(ctx, p.Maintain)
	case p.Find != nil:
		return a.find(ctx, p.Find)
	case p.Adopt != nil:
		return a.adopt(ctx, p.Adopt)
	}
	return plan.Result{}, invalid("the plan names no task that this agent knows; give operator and agent the same version")
}

// secret reads a file that holds a password or a key. One newline at its end is not part of it.
func (a *agent) secret(what, file string) (string, error) {
	s, err := readSecret(what, file)
	if err == nil {
		a.secrets = append(a.secrets, s)
	}
	return s, err
}

func readSecret(what, file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", what, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", what, err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}

// database is the login to a site's database as the agent uses it, and as the site does.
type database struct {
	*plan.Database
	config   mysql.Config
	password string
}

// database reads the login; nil when the site has no database.
func (a *agent) database(d *plan.Database) (*database, error) {
	if d == nil {
		return nil, nil
	}
	if err := recipe.CheckPrefix(d.Prefix); err != nil {
		return nil, invalid("database %s: %v", d.Name, err)
	}
	password, err := a.secret("password of database "+d.Name, d.PasswordFile)
	if err != nil {
		return nil, err
	}
	host := d.ConnectHost
	if host == "" {
		host = d.Host
	}
	config := mysql.Config{Host: host, Port: d.Port, User: d.User, Password: password, Database: d.Name}
	return &database{Database: d, config: config, password: password}, nil
}

// openVolume locks a volume and takes back what a killed task left of its maintenance mode.
func (a *agent) openVolume(ctx context.Context, path string) (*generation.Volume, error) {
	v, err := generation.Open(ctx, path, a.LockWait)
	if err != nil {
		return nil, err
	}
	if err := endMaintenance(v); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// below are the components of the document root's path in a generation.
func below(site *plan.Site) []string {
	return []string{generation.WWW, filepath.FromSlash(site.Recipe.Layout.DocumentRoot)}
}
