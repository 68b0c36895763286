package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/mysql"
)

// target are the flags of what writes to a database: what may become of what is in it.
type target struct {
	clear, replace bool
}

func (g *target) flags(command *cobra.Command) {
	command.Flags().BoolVar(&g.clear, "clear", false, "first drop what is in the database; with a prefix, what has that")
	command.Flags().BoolVar(&g.replace, "replace", false, "load over what is in the database: objects of the same names are replaced, others stay")
}

const targetHelp = `A database that holds tables is refused, unless --clear or --replace says what is to become of them. After a failure the
database may hold a part: run the verb again with --clear.`

// prepare sees that nothing is overwritten that nobody meant.
func (g *target) prepare(ctx context.Context, config mysql.Config, prefix string) error {
	switch {
	case g.clear && g.replace:
		return invalid("--clear and --replace exclude each other: give one of them")
	case g.clear:
		return mysql.Clear(ctx, config, prefix)
	case g.replace:
		return nil
	}
	tables, _, err := mysql.TableStats(ctx, config, prefix)
	if err != nil {
		return err
	}
	if tables > 0 {
		return invalid("database %s holds %d tables: give --clear to drop them, or --replace to load over them", config, tables)
	}
	return nil
}

// loading are the flags of load.
type loading struct {
	target
	dir, definer   string
	workers        int
	singleDatabase bool
}

// loaded is the answer of load and restore.
type loaded struct {
	Statements     int   `json:"statements"`
	Tables         int   `json:"tables"`
	Bytes          int64 `json:"bytes"`
	DefinersMapped int   `json:"definersMapped"`
	// Complete is false when a script lacks the line with which dumps end.
	Complete bool `json:"complete"`
}

func loadedOf(s mysql.LoadStats) loaded {
	return loaded{s.Statements, s.Tables, s.Bytes, s.DefinersMapped, s.Complete}
}

func newLoadCommand() *cobra.Command {
	var f loading
	command := &cobra.Command{
		Use:   "load DATABASE",
		Short: "Run an SQL dump in a database, and nothing but a dump",
		Long: `Run an SQL dump in a database. The script is not trusted: what a dump does not need, such as GRANT or another database's
tables, is refused, with exit code 3.

In: a DATABASE, mysql://user@host:port/name, and a script of this program, mariadb-dump or mysqldump on standard input; with
--dir a directory that "data dump --dir" made, whose parts are loaded at the same time.
Out: JSON that says how many statements and tables it was, how many definers that do not exist here were replaced, and whether the
script ended as dumps end; a warning says so when it did not.

` + targetHelp + `

Environment:
  SITEWRIGHT_DATABASE_PASSWORD  the password, when there is no --password-file`,
		Example: `  sitewright data load --password-file blog.pw mysql://blog@db.example/blog < blog.sql
  sitewright data load --password-file blog.pw --clear --dir blog.dump --workers 4 'mysql://blog@db.example/blog?prefix=wp_'`,
		Args: exactly("DATABASE"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error { return f.run(ctx, t, args[0]) }),
	}
	f.flags(command)
	command.Flags().String(databasePassword.flag, "", databasePassword.usage())
	command.Flags().StringVar(&f.dir, "dir", "", "load the parts in this `directory` instead of standard input")
	command.Flags().IntVar(&f.workers, "workers", 2, "how many parts are loaded at the same time, with --dir")
	command.Flags().StringVar(&f.definer, "definer", "", "`user@host` in the place of definers that do not exist here (default: the user that loads)")
	command.Flags().BoolVar(&f.singleDatabase, "single-database", false, "pass over CREATE DATABASE and USE of one and the same name, as mysqldump --databases writes them")
	return command
}

func (f *loading) run(ctx context.Context, t *task, dsn string) error {
	config, prefix, err := t.login(dsn, databasePassword)
	if err != nil {
		return err
	}
	if err := checkWorkers(f.workers); err != nil {
		return err
	}
	sources, total, err := f.sources()
	if err != nil {
		return err
	}
	script := bufio.NewReader(t.InOrStdin())
	if f.dir == "" {
		// A dump that failed before this in a pipeline must not cost what the database holds.
		if _, err := script.Peek(1); err != nil {
			return invalid("standard input holds no script: %w", err)
		}
	}
	if err := f.prepare(ctx, config, prefix); err != nil {
		return err
	}
	options := mysql.LoadOptions{Definer: f.definer, SingleDatabase: f.singleDatabase, Workers: f.workers,
		Progress: func(n int64) { t.progress.report("loaded", n, total) }}
	var stats mysql.LoadStats
	if f.dir != "" {
		stats, err = mysql.LoadParts(ctx, config, sources, options)
	} else {
		stats, err = mysql.Load(ctx, config, script, options)
	}
	if err != nil {
		return err
	}
	if !stats.Complete {
		t.warn("the script does not end with \"-- Dump completed\", as dumps do: it may have been cut off")
	}
	return answer(t.OutOrStdout(), loadedOf(stats))
}

// sources are the parts in the directory.
func (f *loading) sources() (sources []mysql.Source, total int64, err error) {
	if f.dir == "" {
		return nil, 0, nil
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".sql" {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, 0, err
		}
		if !info.Mode().IsRegular() {
			return nil, 0, invalid("%s in %s is no file", e.Name(), f.dir)
		}
		total += info.Size()
		sources = append(sources, mysql.Source{Name: e.Name(), Size: info.Size(),
			Open: func(context.Context) (io.ReadCloser, error) { return os.Open(filepath.Join(f.dir, e.Name())) }})
	}
	if len(sources) == 0 {
		return nil, 0, invalid("directory %s holds no parts of a dump", f.dir)
	}
	return sources, total, nil
}

// copying are the flags of copy.
type copying struct {
	target
	stream  bool
	definer string
}

// copied is the answer of copy.
type copied struct {
	Tables         int   `json:"tables"`
	DefinersMapped int   `json:"definersMapped"`
	InServer       bool  `json:"inServer"`
	PauseMillis    int64 `json:"pauseMillis"`
}

func newCopyCommand() *cobra.Command {
	var f copying
	command := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy a database to another one",
		Long: `Make a database hold what another one holds, as it was at one instant.

In: two databases, each mysql://user@host:port/name; ?prefix=wp_ at FROM limits what is copied, at TO what --clear drops.
Out: JSON that says how many tables it was, whether the rows stayed inside the server, and how long writers of FROM had to wait.

On one MariaDB, if TO's user may SELECT from FROM, rows of the largest tables never leave the server, which is faster. Writers of
FROM wait for an instant only, or, where there are tables without transactions, until those are copied.

` + targetHelp + `

Environment:
  SITEWRIGHT_FROM_PASSWORD, SITEWRIGHT_TO_PASSWORD  the passwords, when there is no file
  SITEWRIGHT_DATABASE_PASSWORD                      either of them, when it is not given otherwise`,
		Example: `  sitewright data copy --password-file blog.pw mysql://blog@db.example/blog mysql://blog@db.example/blog_2
  sitewright data copy --from-password-file a.pw --to-password-file b.pw --clear mysql://a@one.example/a mysql://b@two.example/b`,
		Args: exactly("FROM", "TO"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error { return f.run(ctx, t, args[0], args[1]) }),
	}
	f.flags(command)
	for _, s := range []secretSource{fromPassword, toPassword} {
		command.Flags().String(s.flag, "", s.usage())
	}
	command.Flags().String(databasePassword.flag, "", "file with the password of both")
	command.Flags().BoolVar(&f.stream, "stream", false, "copy over this machine, also within one server")
	command.Flags().StringVar(&f.definer, "definer", "", "`user@host` in the place of definers that do not exist there (default: TO's user)")
	return command
}

func (f *copying) run(ctx context.Context, t *task, from, to string) error {
	source, prefix, err := t.login(from, fromPassword, databasePassword)
	if err != nil {
		return fmt.Errorf("FROM: %w", err)
	}
	dest, clearing, err := t.login(to, toPassword, databasePassword)
	if err != nil {
		return fmt.Errorf("TO: %w", err)
	}
	// Nothing of TO may be dropped before it is known that FROM is another database and can be read.
	if _, _, err := mysql.TableStats(ctx, source, prefix); err != nil {
		return fmt.Errorf("FROM: %w", err)
	}
	same, err := mysql.SameDatabase(ctx, source, dest)
	if err != nil {
		return err
	}
	if same {
		return invalid("FROM and TO are the same database: name two")
	}
	if err := f.prepare(ctx, dest, clearing); err != nil {
		return fmt.Errorf("TO: %w", err)
	}
	stats, err := mysql.Copy(ctx, source, dest, mysql.CopyOptions{Prefix: prefix, Definer: f.definer, Stream: f.stream,
		Progress: func(n int64) { t.progress.report("copied", n, 0) }})
	if err != nil {
		return err
	}
	return answer(t.OutOrStdout(), copied{stats.Tables, stats.DefinersMapped, stats.Server > 0, stats.Pause.Milliseconds()})
}
