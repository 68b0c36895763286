package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/agent"
	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// stdio is what stands for standard input or output in the place of a file.
const stdio = "-"

// exported is the answer of export.
type exported struct {
	Snapshot      string `json:"snapshot"`
	Site          string `json:"site"`
	Format        string `json:"format"`
	Files         int64  `json:"files"`
	Bytes         int64  `json:"bytes"`
	DatabaseBytes int64  `json:"databaseBytes"`
}

func newExportCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "export LOCATION SNAPSHOT FILE",
		Short: "Write a snapshot as a portable archive",
		Long: `Write a snapshot as one archive that needs no password and no program of ours: manifest.json, database.sql, which the stock
mariadb client loads, and files/www and files/data as they were. The same snapshot always makes the same archive.

In: a LOCATION, a SNAPSHOT (an id as list prints it, or NAMESPACE/NAME for the newest of a site), and the FILE to write, which must not
exist, or - for standard output. Its name ends in .tar.zst or .tar.gz; --format says which it is for standard output.
Out: JSON that says how many files and bytes are in it; on standard error when the archive is on standard output.

The file appears under its name when it is whole. It is not encrypted: keep it as you keep the site.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data export --repository-password-file repo.pw /backups acme/blog blog.tar.zst
  sitewright data export --repository-password-file repo.pw --format tar.gz /backups acme/blog - | ssh other.example 'tar -xzf -'`,
		Args: exactly("LOCATION", "SNAPSHOT", "FILE"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error {
			f, err := formatOf(format, args[2])
			if err != nil {
				return err
			}
			return t.inRepository(ctx, args[0], func(ctx context.Context, r *repository.Repository) error {
				return t.export(ctx, r, args[1], args[2], f)
			})
		}),
	}
	locationFlags(command)
	command.Flags().StringVar(&format, "format", "", "tar.zst or tar.gz (default: what FILE's name ends in; tar.zst on standard output)")
	return command
}

func formatOf(format, file string) (archive.Format, error) {
	switch {
	case format == "" && file == stdio:
		return archive.TarZstd, nil
	case format == "":
		f, err := archive.FormatOf(file)
		if err != nil {
			return "", invalid("%w: name it so, or give --format", err)
		}
		return f, nil
	case format == string(archive.TarZstd), format == string(archive.TarGzip):
		return archive.Format(format), nil
	}
	return "", invalid("--format must be %s or %s", archive.TarZstd, archive.TarGzip)
}

func (t *task) export(ctx context.Context, r *repository.Repository, name, file string, format archive.Format) error {
	s, err := t.snapshot(ctx, r, name)
	if err != nil {
		return err
	}
	out, result := t.OutOrStdout(), t.OutOrStdout()
	if file == stdio {
		result = t.ErrOrStderr()
	}
	var done archive.Exported
	write := func(w io.Writer) (err error) {
		done, err = archive.Export(ctx, r, s.ID, w, archive.ExportOptions{Format: format,
			Progress: func(n, total int64) { t.progress.report("exported", n, total) }})
		return err
	}
	if file == stdio {
		err = write(out)
	} else {
		err = writeWhole(file, write)
	}
	if err != nil {
		return err
	}
	if len(done.Outward) > 0 {
		t.warn("links lead out of the site, and an import would refuse them: %q", done.Outward)
	}
	return answer(result, exported{s.ID, siteOf(s), string(format), done.Files, done.Bytes, done.DatabaseBytes})
}

// writeWhole makes a file that appears under its name when all of it is on disk.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, invalid("%s is there already: remove it or name another file", name))
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".incomplete-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// importing are the flags of import.
type importing struct {
	naming
	applications                     []string
	url, path, prefix, dump, runtime string
}

func newImportCommand() *cobra.Command {
	var f importing
	command := &cobra.Command{
		Use:   "import LOCATION FILE --site NAMESPACE/NAME",
		Short: "Make a snapshot of a portable archive, ours or another program's",
		Long: `Make a snapshot of an archive: one that export wrote, or one of the common shape "a document root and one .sql file", as hosting
panels make them. Nothing is unpacked to disk.

In: a LOCATION with a repository, and a FILE that is a .tar.gz, .tar.zst, .tar or .zip, told by its content; - is standard input, which
cannot be a .zip. For archives of other programs --application-file names the manifests of the applications that they may be of, by
which the document root, the version and the configuration are found.
Out: JSON with the snapshot's id and what is in it.

What another program's archive does not tell is given by flags: --url, --path, --prefix, --runtime, and --dump where it holds several
.sql files. They are not needed for archives of ours. An archive is not trusted: names and links that lead out, devices, and what unpacks
to a thousand times its size are refused, with exit code 3. The snapshot comes in sight when everything that was written was read back.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data import --repository-password-file repo.pw --site acme/blog /backups blog.tar.zst
  sitewright data import --repository-password-file repo.pw --site acme/shop --application-file application.yaml \
    --url https://shop.example /backups shop.tar.gz`,
		Args: exactly("LOCATION", "FILE"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error { return f.run(ctx, t, args[0], args[1]) }),
	}
	locationFlags(command)
	f.flags(command)
	fl := command.Flags()
	fl.StringArrayVar(&f.applications, "application-file", nil,
		"`file` with the manifest of an Application that another program's archive may be of; may be repeated")
	fl.StringVar(&f.url, "url", "", "the site's `URL`, where the archive does not tell it")
	fl.StringVar(&f.path, "path", "", "absolute `path` of the site's files where it came from, where that is written in its tables")
	fl.StringVar(&f.prefix, "prefix", "", "what the names of the site's tables begin with, where the archive does not tell it")
	fl.StringVar(&f.dump, "dump", "", "the `name` in the archive of the site's .sql file, where there are several")
	fl.StringVar(&f.runtime, "runtime", "", "what the site's code runs on, such as php-8.4")
	return command
}

func (f *importing) run(ctx context.Context, t *task, location, file string) (err error) {
	source, err := f.source(time.Now())
	if err != nil {
		return err
	}
	p := &plan.Import{Namespace: source.Namespace, Name: source.Name, UID: newUID(), Note: f.note, URL: f.url, Path: f.path, Prefix: f.prefix,
		Dump: strings.Trim(f.dump, "/"), Runtime: f.runtime}
	for _, name := range f.applications {
		a, err := readApplication(name)
		if err != nil {
			return err
		}
		p.Candidates = append(p.Candidates, plan.Candidate{Application: a.Name, Recipe: a.Spec.Recipe})
	}
	from, end, err := t.archive(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return t.inRepository(ctx, location, func(ctx context.Context, r *repository.Repository) error {
		pending, warnings, err := agent.ImportArchive(ctx, r, from, p, func(done, total int64) { t.progress.report("imported", done, total) })
		for _, w := range warnings {
			t.warn("%s", w)
		}
		if err != nil && errors.Is(err, archive.ErrInvalid) && len(p.Candidates) == 0 {
			err = fmt.Errorf("%w; for archives of other programs give --application-file", err)
		}
		if err != nil {
			return err
		}
		s, err := snapshots.Confirm(ctx, r, pending, repository.VerifyOptions{Progress: t.bytes("verified")})
		if err != nil {
			return err
		}
		m, err := snapshots.Read(ctx, r, s.ID)
		if err != nil {
			return err
		}
		return answer(t.OutOrStdout(), takenOf(s, &m))
	})
}

// archive opens what an import reads.
func (t *task) archive(file string) (from archive.Source, end func() error, err error) {
	if file == stdio {
		return archive.Source{Name: "on standard input", Size: -1, Open: t.openInput}, func() error { return nil }, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return archive.Source{}, nil, err
	}
	if from, err = archive.File(f); err != nil {
		return archive.Source{}, nil, errors.Join(err, f.Close())
	}
	return from, f.Close, nil
}

// openInput reads standard input until the context ends, also when nothing comes from there any more.
func (t *task) openInput(ctx context.Context, _, _ int64) (io.ReadCloser, error) {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, t.InOrStdin())
		w.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { r.CloseWithError(context.Cause(ctx)) })
	return r, nil
}
