package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/mysql"
)

// dumping are the flags of dump.
type dumping struct {
	dir     string
	workers int
}

// dumped is the answer of dump --dir.
type dumped struct {
	Tables      int   `json:"tables"`
	Bytes       int64 `json:"bytes"`
	PauseMillis int64 `json:"pauseMillis"`
}

func newDumpCommand() *cobra.Command {
	var f dumping
	command := &cobra.Command{
		Use:   "dump DATABASE",
		Short: "Write a database as SQL, as it was at one instant",
		Long: `Write a database as SQL, as it was at one instant, while others go on using it.

In: a DATABASE, mysql://user@host:port/name, whose user may SELECT, LOCK TABLES, SHOW VIEW and read triggers and events. With
?prefix=wp_ only tables, views, sequences, routines and events whose names begin with wp_ are in the dump.
Out: a script on standard output that this program and the stock client load. With --dir a directory of parts, which are
written at the same time and which "data load --dir" loads at the same time; then standard output says in JSON how many tables
and bytes they are.

Tables without transactions (MyISAM, Aria) stay locked until the dump ends. How long writers had to wait is reported.

Environment:
  SITEWRIGHT_DATABASE_PASSWORD  the password, when there is no --password-file`,
		Example: `  sitewright data dump --password-file blog.pw mysql://blog@db.example/blog > blog.sql
  sitewright data dump --password-file blog.pw --dir blog.dump --workers 4 'mysql://blog@db.example/blog?prefix=wp_'`,
		Args: exactly("DATABASE"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error { return f.run(ctx, t, args[0]) }),
	}
	command.Flags().String(databasePassword.flag, "", databasePassword.usage())
	command.Flags().StringVar(&f.dir, "dir", "", "write the dump's parts into this `directory`, which is made or is empty")
	command.Flags().IntVar(&f.workers, "workers", 2, "how many parts are written at the same time, with --dir")
	return command
}

func (f *dumping) run(ctx context.Context, t *task, dsn string) (err error) {
	config, prefix, err := t.login(dsn, databasePassword)
	if err != nil {
		return err
	}
	if err := checkWorkers(f.workers); err != nil {
		return err
	}
	if f.dir != "" {
		if err := makeEmpty(f.dir); err != nil {
			return err
		}
	}
	options := mysql.DumpOptions{Prefix: prefix}
	if f.dir != "" {
		options.Workers = f.workers
	}
	dump, err := mysql.NewDump(ctx, config, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dump.Close()) }()
	if f.dir != "" {
		return f.parts(ctx, t, dump)
	}
	if err := dump.Write(ctx, t.progress.writer(t.OutOrStdout(), "dumped")); err != nil {
		return err
	}
	t.PrintErrf("writers had to wait for %d ms\n", dump.Pause().Milliseconds())
	return nil
}

// maxWorkers bounds the connections to one server.
const maxWorkers = 64

func checkWorkers(n int) error {
	if n < 1 || n > maxWorkers {
		return invalid("--workers is %d: give a number from 1 to %d", n, maxWorkers)
	}
	return nil
}

// makeEmpty makes a directory, or sees that it holds nothing.
func makeEmpty(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = invalid("directory %s is not empty: empty it or name another one", dir)
	}
	return err
}

// parts writes the parts of a dump as files.
func (f *dumping) parts(ctx context.Context, t *task, dump *mysql.Dump) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	list := dump.Parts()
	queue := make(chan mysql.Part, len(list))
	var result dumped
	for _, part := range list {
		queue <- part
		if part.Table != "" {
			result.Tables++
		}
	}
	close(queue)
	var done adder
	var group sync.WaitGroup
	for range min(f.workers, len(list)) {
		group.Go(func() {
			for part := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := f.part(ctx, t, dump, part, &done); err != nil {
					cancel(err) // the first one counts
				}
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	result.Bytes, result.PauseMillis = done.n, dump.Pause().Milliseconds()
	return answer(t.OutOrStdout(), result)
}

func (f *dumping) part(ctx context.Context, t *task, dump *mysql.Dump, part mysql.Part, done *adder) error {
	file, err := os.OpenFile(filepath.Join(f.dir, part.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := done.writer(file, func(n int64) { t.progress.report("dumped", n, 0) })
	if err := errors.Join(dump.WritePart(ctx, part, w), file.Close()); err != nil {
		return fmt.Errorf("part %s: %w", part.Name, err)
	}
	return nil
}

// adder adds up what several write at the same time.
type adder struct {
	mu sync.Mutex
	n  int64
}

func (a *adder) writer(w io.Writer, report func(int64)) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		n, err := w.Write(p)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.n += int64(n)
		report(a.n)
		return n, err
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
