package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/agent"
	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// snapshotting are the flags of snapshot.
type snapshotting struct {
	naming
	describing
	files, data, database string
	exclude               []string
}

// taken is the answer of snapshot and import.
type taken struct {
	Snapshot      string `json:"snapshot"`
	Site          string `json:"site"`
	Backup        string `json:"backup"`
	Application   string `json:"application"`
	Version       string `json:"version,omitempty"`
	URL           string `json:"url"`
	Files         int64  `json:"files"`
	Bytes         int64  `json:"bytes"`
	DatabaseBytes int64  `json:"databaseBytes"`
	Tables        int    `json:"tables"`
	UploadedBytes int64  `json:"uploadedBytes"`
	PauseMillis   int64  `json:"pauseMillis"`
}

func takenOf(s repository.Snapshot, m *snapshots.Manifest) taken {
	r := taken{Snapshot: s.ID, Site: siteOf(s), Backup: m.Backup, Application: m.Application, Version: m.Version, URL: m.URL, Files: s.Files,
		Bytes: s.Bytes - s.DatabaseBytes - m.Size, DatabaseBytes: s.DatabaseBytes, UploadedBytes: s.UploadedBytes}
	if m.Database != nil {
		r.Tables = len(m.Database.Tables)
	}
	return r
}

func newSnapshotCommand() *cobra.Command {
	var f snapshotting
	command := &cobra.Command{
		Use:   "snapshot LOCATION --site NAMESPACE/NAME --application NAME --url URL --files DIRECTORY",
		Short: "Back up a site's files and database",
		Long: `Back up a site's files and database into a repository, as they were at one instant, while the site goes on working. Files are
read twice, the second time only what changed meanwhile; the database is read in one consistent snapshot beside the second.

In: a LOCATION with a repository; --files, the directory to which the application's release was unpacked; --data, what it keeps
outside of that; --database, mysql://user@host:port/name, with ?prefix=wp_ when only names beginning with wp_ are the site's.
Out: JSON with the snapshot's id, what is in it, how much of that was new to the repository, and how long writers had to wait.

The snapshot is of the form that clusters make: an Install is restored from it, and a BackupLocation with "adopt: true" makes a
Backup of it. It comes in sight when everything that was written was read back. Symbolic links are kept as links; sockets,
pipes and devices are left out, and counted in a warning.

` + locationHelp + `

Environment:
` + locationEnvironment + `
  SITEWRIGHT_DATABASE_PASSWORD    the database password, when there is no --password-file`,
		Example: `  sitewright data snapshot --repository-password-file repo.pw --password-file blog.pw \
    --site acme/blog --application-file application.yaml --url https://blog.example \
    --files /var/www/blog --database mysql://blog@db.example/blog /backups`,
		Args: exactly("LOCATION"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error { return f.run(ctx, t, args[0]) }),
	}
	locationFlags(command)
	f.naming.flags(command)
	f.describing.flags(command)
	f.sources(command)
	return command
}

func (f *snapshotting) sources(command *cobra.Command) {
	command.Flags().StringVar(&f.backup, "backup", "",
		"the snapshot's `name`, which its Backup has in a cluster that adopts it (default: the site's name and the time)")
	command.Flags().StringVar(&f.files, "files", "", "the `directory` of the site's files; required")
	command.Flags().StringVar(&f.data, "data", "", "the `directory` of the site's data outside --files")
	command.Flags().StringVar(&f.database, "database", "", "the site's database, `mysql://user@host:port/name`")
	command.Flags().String(databasePassword.flag, "", databasePassword.usage())
	command.Flags().StringArrayVar(&f.exclude, "exclude", nil,
		"leave out what matches this `pattern` below --files: cache/* is relative to it, *.log at any depth; may be repeated")
}

func (f *snapshotting) run(ctx context.Context, t *task, location string) error {
	now := time.Now()
	source, err := f.source(now)
	if err != nil {
		return err
	}
	if f.files == "" {
		return invalid("--files is missing: name the directory of the site's files")
	}
	m, application, err := f.manifest(source, f.files)
	if err != nil {
		return err
	}
	m.Time, m.Backup, m.BackupUID = now.UTC(), f.backup, newUID()
	if err := f.checkPatterns(); err != nil {
		return err
	}
	config, prefix, err := t.database(ctx, f.database)
	if err != nil {
		return err
	}
	s := &saving{task: t, flags: f, manifest: m, source: source, config: config, prefix: prefix}
	if application != nil {
		s.application, s.recipe = application.Name, application.Spec.Recipe
	}
	return t.inRepository(ctx, location, s.run)
}

func (f *snapshotting) checkPatterns() error {
	for _, p := range f.exclude {
		if _, err := filepath.Match(p, ""); err != nil || p == "" {
			return invalid("--exclude %q is no pattern", p)
		}
	}
	return nil
}

// saving is a snapshot on its way.
type saving struct {
	*task
	flags    *snapshotting
	manifest *snapshots.Manifest
	source   *repository.Source
	// application is empty, and recipe too, when no file tells it.
	application string
	recipe      recipe.Recipe
	config      *mysql.Config // nil without a database
	prefix      string
	dump        *mysql.Dump
	pause       time.Duration
}

// look finds the versions. A site that is broken is worth a backup too.
func (s *saving) look(ctx context.Context) error {
	if s.application == "" {
		return nil
	}
	prefix := ""
	if d := s.manifest.Database; d != nil {
		prefix = d.Prefix
	}
	root, err := os.OpenRoot(filepath.Join(s.flags.files, filepath.FromSlash(s.recipe.Layout.DocumentRoot)))
	if err != nil {
		return err
	}
	version, schema, err := agent.Versions(ctx, s.application, &s.recipe, root, s.config, prefix)
	if err != nil {
		s.warn("the site may be broken: %v", err)
	}
	if s.manifest.Version == "" {
		s.manifest.Version = version
	}
	s.manifest.SchemaVersion = schema
	return errors.Join(root.Close(), ctx.Err())
}

func (s *saving) run(ctx context.Context, r *repository.Repository) (err error) {
	data := s.flags.data
	if data == "" {
		// A site without data outside has an empty directory for them, wherever it is restored.
		if data, err = emptyDir(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.Remove(data)) }()
	}
	files := repository.Tree{Dirs: snapshots.Directories(s.flags.files, data, &s.recipe)}
	files.Dirs[0].Exclude = append(files.Dirs[0].Exclude, s.flags.exclude...)
	defer func() { err = errors.Join(err, s.release()) }()
	pending, err := r.Snapshot(ctx, repository.SnapshotRequest{
		Source: *s.source, Description: s.flags.note,
		Tags:  map[string]string{snapshots.TagBackup: s.manifest.BackupUID, snapshots.TagBackupName: s.manifest.Backup},
		First: files, Pending: true,
		Final: func(ctx context.Context) (repository.Tree, error) {
			if err := s.freeze(ctx, &files); err != nil {
				return repository.Tree{}, err
			}
			if err := s.look(ctx); err != nil {
				return repository.Tree{}, err
			}
			b, err := s.manifest.Encode()
			files.Blobs = map[string][]byte{archive.ManifestName: b}
			s.manifest.Size = int64(len(b))
			return files, err
		},
		AfterRead: func() { _ = s.release() }, // Its error comes from the release that is deferred.
		Progress:  s.bytes("read"),
	})
	if err != nil {
		return err
	}
	done, err := snapshots.Confirm(ctx, r, pending, repository.VerifyOptions{Progress: s.bytes("verified")})
	if err != nil {
		return err
	}
	if done.Skipped > 0 {
		s.warn("%d sockets, pipes or devices were left out", done.Skipped)
	}
	result := takenOf(done, s.manifest)
	result.PauseMillis = s.pause.Milliseconds()
	return answer(s.OutOrStdout(), result)
}

// freeze begins the instant of the snapshot.
func (s *saving) freeze(ctx context.Context, files *repository.Tree) (err error) {
	if s.config == nil {
		return nil
	}
	if s.dump, err = mysql.NewDump(ctx, *s.config, mysql.DumpOptions{Prefix: s.prefix}); err != nil {
		return err
	}
	files.Streams = snapshots.Streams(s.dump, func(err error) error { return err })
	d := &snapshots.Database{Name: s.config.Database, Tables: snapshots.Tables(s.dump)}
	d.Prefix, err = s.task.prefix(s.prefix, d.Tables)
	s.manifest.Database = d
	return err
}

// release lets writers go on. It may be called more than once.
func (s *saving) release() error {
	if s.dump == nil {
		return nil
	}
	err := s.dump.Close()
	s.pause = s.dump.Pause()
	s.dump = nil
	return err
}

// emptyDir makes a directory as a generation has one.
func emptyDir() (string, error) {
	dir, err := os.MkdirTemp("", "sitewright-no-data-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}
