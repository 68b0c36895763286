package snapshots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/rewrite"
	"github.com/sitewright/sitewright/internal/stream"
)

// ErrNoDump means that a snapshot holds no database.
var ErrNoDump = errors.New("it holds no database dump")

// Streams are the parts of a dump as a snapshot stores them. about words the errors of the database.
func Streams(dump *mysql.Dump, about func(error) error) (streams []repository.Stream) {
	for _, part := range dump.Parts() {
		streams = append(streams, repository.Stream{Name: path.Join(archive.DatabaseDir, part.Name), Open: OpenPart(dump, part, about)})
	}
	return streams
}

// OpenPart reads one part of a dump while it is written.
func OpenPart(dump *mysql.Dump, part mysql.Part, about func(error) error) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		return stream.Of(func(w io.Writer) error { return about(dump.WritePart(ctx, part, w)) }), nil
	}
}

// Tables are the tables of which a dump holds rows.
func Tables(dump *mysql.Dump) (tables []string) {
	for _, part := range dump.Parts() {
		if part.Table != "" {
			tables = append(tables, part.Table)
		}
	}
	return tables
}

// Parts are the parts of the dump in a snapshot, to be loaded, and how many bytes they are. about words the errors of the
// repository.
func Parts(ctx context.Context, r *repository.Repository, id string, about func(error) error) (parts []mysql.Source, bytes int64, err error) {
	entries, err := r.ListStreams(ctx, id, archive.DatabaseDir)
	if err != nil && !errors.Is(err, repository.ErrNotFound) {
		return nil, 0, about(err)
	}
	if len(entries) == 0 {
		// Whether the snapshot itself is not there is for whoever read its manifest to know.
		return nil, 0, about(fmt.Errorf("snapshot %s: %w", id, ErrNoDump))
	}
	for _, e := range entries {
		bytes += e.Size
		parts = append(parts, mysql.Source{Name: e.Name, Size: e.Size, Open: func(ctx context.Context) (io.ReadCloser, error) {
			part, err := r.OpenStream(ctx, id, path.Join(archive.DatabaseDir, e.Name))
			return part, about(err)
		}})
	}
	return parts, bytes, nil
}

// Rewritten are the parts of a dump, rewritten while they are read. count is told what was changed in each, from several
// goroutines.
func Rewritten(parts []mysql.Source, r *rewrite.Rewriter, count func(rewrite.Report)) []mysql.Source {
	rewritten := make([]mysql.Source, len(parts))
	for i, part := range parts {
		rewritten[i] = part
		rewritten[i].Open = func(ctx context.Context) (io.ReadCloser, error) {
			stored, err := part.Open(ctx)
			if err != nil {
				return nil, err
			}
			return stream.Of(func(w io.Writer) error {
				report, err := r.SQL(ctx, stored, w)
				count(report)
				return errors.Join(err, stored.Close())
			}), nil
		}
	}
	return rewritten
}

// CommonPrefix is what the names of all tables begin with, up to an underscore.
func CommonPrefix(tables []string) string {
	prefix := ""
	for i, t := range tables {
		if i == 0 {
			prefix = t
		}
		for !strings.HasPrefix(t, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix[:strings.LastIndexByte(prefix, '_')+1]
}
