package agent

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/stream"
)

// export writes a snapshot as an archive beside the repository. A put is whole or not at all, so a task that was killed
// leaves no part of it.
func (a *agent) export(ctx context.Context, p *plan.Export) (result plan.Result, err error) {
	a.progress.phase(0, 2, "opening the repository")
	format, err := archive.FormatOf(p.Archive)
	if err != nil {
		return plan.Result{}, invalid("%v", err)
	}
	l, err := a.openLocation(ctx, &p.Location)
	if err != nil {
		return plan.Result{}, err
	}
	defer func() { err = errors.Join(err, l.about(l.close(ctx))) }()
	m, err := l.manifest(ctx, p.Snapshot)
	if err != nil {
		return plan.Result{}, err
	}
	writing := a.progress.phase(2, 100, "writing the archive")
	var done archive.Exported
	r := stream.Of(func(w io.Writer) (err error) {
		done, err = archive.Export(ctx, l.Repository, p.Snapshot, w, archive.ExportOptions{Format: format, Progress: writing.report})
		return err
	})
	if err := errors.Join(l.store.Put(ctx, p.Archive, r, -1), r.Close()); err != nil {
		return plan.Result{}, l.about(err)
	}
	result = resultOf(&m)
	result.Snapshot, result.Files, result.Bytes, result.DatabaseBytes = p.Snapshot, done.Files, done.Bytes, done.DatabaseBytes
	if len(done.Outward) > 0 {
		result.Warnings = append(result.Warnings, "links lead out of the site, and an import would refuse them: "+strings.Join(done.Outward, ", "))
	}
	return result, nil
}
