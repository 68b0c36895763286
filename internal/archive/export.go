package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/sitewright/sitewright/internal/repository"
)

// Format is how an archive is packed.
type Format string

// The formats that are written.
const (
	TarZstd Format = "tar.zst"
	TarGzip Format = "tar.gz"
)

// FormatOf tells the format by a file's name.
func FormatOf(name string) (Format, error) {
	switch lower := strings.ToLower(name); {
	case strings.HasSuffix(lower, ".tar.zst"), strings.HasSuffix(lower, ".tzst"):
		return TarZstd, nil
	case strings.HasSuffix(lower, ".tar.gz"), strings.HasSuffix(lower, ".tgz"):
		return TarGzip, nil
	}
	return "", fmt.Errorf("the name of the archive %q ends neither in .tar.zst nor in .tar.gz", name)
}

// ExportOptions tune Export.
type ExportOptions struct {
	Format Format
	// Progress, unless nil, is told how many bytes of how many were read from the repository.
	Progress func(done, total int64)
}

// Exported is what was written.
type Exported struct {
	// Files and Bytes are the site's files and links, DatabaseBytes the dump.
	Files, Bytes, DatabaseBytes int64
	// Outward are the first few symbolic links that lead out of the site: an import would refuse them.
	Outward []string
}

// maxOutward bounds what is told of links.
const maxOutward = 10

// Export writes a snapshot as an archive: the manifest, the dump as one script, and files/www and files/data as they are.
// It is a stream: nothing is kept on disk, and memory does not grow with the site. The same snapshot always makes the
// same bytes. After an error w holds a part.
func Export(ctx context.Context, r *repository.Repository, id string, w io.Writer, o ExportOptions) (result Exported, err error) {
	z, err := compress(w, o.Format)
	if err != nil {
		return Exported{}, err
	}
	snapshot, err := r.Get(ctx, id)
	if err != nil {
		return Exported{}, errors.Join(err, z.Close())
	}
	x := &exporter{repository: r, id: id, snapshot: snapshot, tar: tar.NewWriter(z), options: o}
	err = x.write(ctx)
	if err == nil {
		err = x.tar.Close()
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return Exported{}, fmt.Errorf("export snapshot %s: %w", id, err)
	}
	return x.result, nil
}

func compress(w io.Writer, f Format) (io.WriteCloser, error) {
	switch f {
	case TarZstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	case TarGzip:
		return gzip.NewWriter(w), nil
	}
	return nil, fmt.Errorf("archives are written as %s and %s, not as %q", TarZstd, TarGzip, f)
}

// exporter is one run of Export.
type exporter struct {
	repository *repository.Repository
	id         string
	snapshot   repository.Snapshot
	tar        *tar.Writer
	options    ExportOptions
	result     Exported
	done       int64
}

func (x *exporter) write(ctx context.Context) error {
	if err := x.manifest(ctx); err != nil {
		return err
	}
	if err := x.dump(ctx); err != nil {
		return err
	}
	if err := x.header(FilesDir, &tar.Header{Typeflag: tar.TypeDir, Mode: 0o755, ModTime: x.snapshot.Time}); err != nil {
		return err
	}
	return x.repository.Walk(ctx, x.id, FilesDir, func(i repository.Item) error { return x.item(ctx, i) })
}

func (x *exporter) manifest(ctx context.Context) (err error) {
	r, err := x.repository.OpenStream(ctx, x.id, ManifestName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	b, err := io.ReadAll(io.LimitReader(r, MaxManifest))
	if err != nil {
		return err
	}
	return x.small(ManifestName, b)
}

// dump writes all parts one after the other, as one script.
func (x *exporter) dump(ctx context.Context) error {
	parts, err := x.repository.ListStreams(ctx, x.id, DatabaseDir)
	if errors.Is(err, repository.ErrNotFound) {
		return nil // A site without a database.
	}
	if err != nil {
		return err
	}
	var i index
	for _, p := range parts {
		i.Parts = append(i.Parts, indexPart{p.Name, p.Size})
		x.result.DatabaseBytes += p.Size
	}
	b, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	if err := x.small(indexName, b); err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Mode: 0o600, Size: x.result.DatabaseBytes, ModTime: x.snapshot.Time}
	if err := x.header(DumpName, h); err != nil {
		return err
	}
	for _, p := range parts {
		name := path.Join(DatabaseDir, p.Name)
		open := func(ctx context.Context) (io.ReadCloser, error) { return x.repository.OpenStream(ctx, x.id, name) }
		if err := x.copy(ctx, name, open); err != nil {
			return err
		}
	}
	return nil
}

// item writes a file, directory or link of the site.
func (x *exporter) item(ctx context.Context, i repository.Item) error {
	h := &tar.Header{Mode: int64(i.Mode.Perm()), ModTime: i.ModTime, Uid: int(i.UID), Gid: int(i.GID), Size: i.Size}
	if i.Mode&fs.ModeSetgid != 0 {
		h.Mode |= 0o2000
	}
	if i.Mode&fs.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	switch i.Mode.Type() {
	case fs.ModeDir:
		h.Typeflag = tar.TypeDir
	case fs.ModeSymlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, i.Link
		if CheckLink(i.Name, i.Link) != nil && len(x.result.Outward) < maxOutward {
			x.result.Outward = append(x.result.Outward, i.Name)
		}
	default:
		h.Typeflag = tar.TypeReg
	}
	if err := x.header(path.Join(FilesDir, i.Name), h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeDir {
		x.result.Files++
	}
	if i.Open == nil {
		return nil
	}
	x.result.Bytes += i.Size
	return x.copy(ctx, i.Name, i.Open)
}

// header begins an entry. PAX keeps what older forms of tar do not: nanoseconds, long names, large sizes.
func (x *exporter) header(name string, h *tar.Header) error {
	h.Name, h.Format = name, tar.FormatPAX
	if h.Typeflag == tar.TypeDir {
		h.Name += "/"
	}
	if err := x.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

func (x *exporter) small(name string, content []byte) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(content)), ModTime: x.snapshot.Time.Truncate(time.Second)}
	if err := x.header(name, h); err != nil {
		return err
	}
	if _, err := io.Copy(x.tar, bytes.NewReader(content)); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

func (x *exporter) copy(ctx context.Context, name string, open func(context.Context) (io.ReadCloser, error)) (err error) {
	r, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if _, err := io.Copy(x.tar, &told{ctx, r, x}); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

// told reports how far the export is, and ends it with its context.
type told struct {
	ctx context.Context
	r   io.Reader
	x   *exporter
}

func (t *told) Read(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := t.r.Read(p)
	t.x.done += int64(n)
	if report := t.x.options.Progress; report != nil {
		report(t.x.done, max(t.x.snapshot.Bytes, t.x.done))
	}
	return n, err
}
