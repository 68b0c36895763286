package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/rewrite"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// restoring are the flags of restore.
type restoring struct {
	target
	files, data, database string
	url, path, definer    string
	workers               int
}

// restored is the answer of restore.
type restored struct {
	Snapshot       string `json:"snapshot"`
	Site           string `json:"site"`
	Application    string `json:"application"`
	Version        string `json:"version,omitempty"`
	URL            string `json:"url"`
	Prefix         string `json:"prefix,omitempty"`
	Files          int64  `json:"files"`
	Bytes          int64  `json:"bytes"`
	DatabaseBytes  int64  `json:"databaseBytes"`
	Tables         int    `json:"tables"`
	DefinersMapped int    `json:"definersMapped"`
	Rewritten      int64  `json:"rewritten"`
	Malformed      int64  `json:"malformed"`
}

func newRestoreCommand() *cobra.Command {
	var f restoring
	command := &cobra.Command{
		Use:   "restore LOCATION SNAPSHOT",
		Short: "Restore a site's files into a directory and its tables into a database",
		Long: `Restore a snapshot: files into a directory, tables into a database, or either alone. It needs no cluster, and does not matter
whether the snapshot was made by one or by hand.

In: a LOCATION, and a SNAPSHOT: an id as list prints it, or NAMESPACE/NAME for the newest of a site. --files and --data are
directories that do not exist or are empty; --database is mysql://user@host:port/name.
Out: JSON that says what the site was and what was restored.

Directories are filled beside their place, as .NAME.incomplete, and moved there when everything is restored, tables included: after a
failure, an interrupt or a kill they are not there. The next run takes over what a killed one left.

With --to, the site's address is rewritten in the tables, in every spelling that "data rewrite" knows; --to-path is where its files
will be. Files are restored as they were: the application's configuration file names the database of the site that was backed up, and
is yours to edit. As root, files get the owners they had, by number.

` + targetHelp + `

` + locationHelp + `

Environment:
` + locationEnvironment + `
  SITEWRIGHT_DATABASE_PASSWORD    the database password, when there is no --password-file`,
		Example: `  sitewright data restore --repository-password-file repo.pw --files /var/www/blog /backups acme/blog
  sitewright data restore --repository-password-file repo.pw --password-file blog.pw --files /var/www/blog \
    --database mysql://blog@db.example/blog --to https://new.example /backups 4f0c8a6ee1a15d2f8f0a4c6b9f2f3c77`,
		Args: exactly("LOCATION", "SNAPSHOT"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error { return f.run(ctx, t, args[0], args[1]) }),
	}
	locationFlags(command)
	f.flags(command)
	command.Flags().StringVar(&f.files, "files", "", "restore the site's files into this `directory`")
	command.Flags().StringVar(&f.data, "data", "", "restore the site's data outside --files into this `directory`")
	command.Flags().StringVar(&f.database, "database", "", "load the site's tables into this database, `mysql://user@host:port/name`")
	command.Flags().String(databasePassword.flag, "", databasePassword.usage())
	command.Flags().StringVar(&f.url, "to", "", "the site's new `URL`, when it moves")
	command.Flags().StringVar(&f.path, "to-path", "", "the `directory` where the site's files will be, when that is written in its tables")
	command.Flags().StringVar(&f.definer, "definer", "", "`user@host` in the place of definers that do not exist here (default: the user that loads)")
	command.Flags().IntVar(&f.workers, "workers", 2, "how many tables are loaded at the same time")
	return command
}

func (f *restoring) run(ctx context.Context, t *task, location, name string) error {
	if f.files == "" && f.data == "" && f.database == "" {
		return invalid("nothing is to be restored: give --files, --data, --database or several of them")
	}
	if f.database == "" && (f.url != "" || f.path != "" || f.clear || f.replace) {
		return invalid("--to, --to-path, --clear and --replace are about tables: give --database too")
	}
	if err := errors.Join(checkWorkers(f.workers), checkApart(f.files, f.data)); err != nil {
		return err
	}
	config, prefix, err := t.database(ctx, f.database)
	if err != nil {
		return err
	}
	return t.inRepository(ctx, location, func(ctx context.Context, r *repository.Repository) error {
		s, err := t.snapshot(ctx, r, name)
		if err != nil {
			return err
		}
		m, err := snapshots.Read(ctx, r, s.ID)
		if err != nil {
			return err
		}
		if s.Pending {
			t.warn("snapshot %s was never verified", s.ID)
		}
		x := &restoration{task: t, flags: f, repository: r, manifest: &m, config: config, prefix: prefix,
			result: restored{Snapshot: s.ID, Site: siteOf(s), Application: m.Application, Version: m.Version, URL: m.URL}}
		if m.Database != nil {
			x.result.Prefix = m.Database.Prefix
		}
		return x.run(ctx)
	})
}

// restoration is one run of restore.
type restoration struct {
	*task
	flags      *restoring
	repository *repository.Repository
	manifest   *snapshots.Manifest
	config     *mysql.Config // nil when no tables are restored
	prefix     string
	placed     []*placing
	mu         sync.Mutex // guards the result and the report while tables are loaded
	report     rewrite.Report
	result     restored
}

// run restores everything, and only then puts the directories in their places.
func (x *restoration) run(ctx context.Context) (err error) {
	defer func() {
		for _, p := range x.placed {
			err = errors.Join(err, p.end())
		}
	}()
	parts, total, err := x.parts(ctx)
	if err != nil {
		return err
	}
	for _, d := range []struct{ from, to string }{{snapshots.WWW, x.flags.files}, {snapshots.Data, x.flags.data}} {
		if d.to == "" {
			continue
		}
		if err := x.directory(ctx, d.from, d.to); err != nil {
			return err
		}
	}
	if x.config != nil {
		if err := x.load(ctx, parts, total); err != nil {
			return err
		}
	}
	for _, p := range x.placed {
		if err := p.commit(); err != nil {
			return err
		}
	}
	if x.result.Rewritten+x.result.Malformed > 0 {
		x.progress.moved(x.report)
	}
	if x.result.Malformed > 0 {
		x.warn("%d values look serialized, are not well formed, and were left as they are", x.result.Malformed)
	}
	return answer(x.OutOrStdout(), x.result)
}

// directory restores one directory beside its place.
func (x *restoration) directory(ctx context.Context, from, to string) error {
	p, err := place(to)
	if err != nil {
		return err
	}
	x.placed = append(x.placed, p)
	var done repository.Progress
	report := x.bytes("restored")
	err = x.repository.Restore(ctx, x.result.Snapshot, from, p.temp, repository.RestoreOptions{Sync: true,
		Progress: func(now repository.Progress) { done = now; report(now) }})
	x.result.Files += done.Files
	x.result.Bytes += done.Bytes
	return err
}

// parts are the tables to load, seen to be there before anything of the database is dropped.
func (x *restoration) parts(ctx context.Context) (parts []mysql.Source, total int64, err error) {
	if x.config == nil {
		return nil, 0, nil
	}
	parts, total, err = snapshots.Parts(ctx, x.repository, x.result.Snapshot, func(err error) error { return err })
	if errors.Is(err, snapshots.ErrNoDump) {
		err = fmt.Errorf("%w: leave out --database", err)
	}
	m := moving{toURL: x.flags.url, toPath: x.flags.path}
	if m.toURL != "" {
		m.fromURL = x.manifest.URL
	}
	if m.toPath != "" {
		m.fromPath = x.manifest.Path
	}
	r, moveErr := m.rewriter()
	if err = errors.Join(err, moveErr); err != nil {
		return nil, 0, err
	}
	if r != nil {
		parts = snapshots.Rewritten(parts, r, x.count)
	}
	if m.toURL != "" {
		x.result.URL = m.toURL
	}
	return parts, total, nil
}

// count adds up what was rewritten.
func (x *restoration) count(report rewrite.Report) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.result.Rewritten += report.Values
	x.result.Malformed += report.Malformed
	x.report.Add(report)
}

func (x *restoration) load(ctx context.Context, parts []mysql.Source, total int64) error {
	if err := x.flags.prepare(ctx, *x.config, x.prefix); err != nil {
		return err
	}
	stats, err := mysql.LoadParts(ctx, *x.config, parts, mysql.LoadOptions{Definer: x.flags.definer, Workers: x.flags.workers,
		SingleDatabase: x.manifest.Imported, Progress: func(n int64) { x.progress.report("loaded", n, total) }})
	x.result.Tables, x.result.DefinersMapped, x.result.DatabaseBytes = stats.Tables, stats.DefinersMapped, stats.Bytes
	return err
}
