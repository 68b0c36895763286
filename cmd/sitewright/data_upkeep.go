package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/repository"
)

// verified is a line of verify.
type verified struct {
	Snapshot string `json:"snapshot"`
	Site     string `json:"site"`
	OK       bool   `json:"ok"`
	Objects  int    `json:"objects"`
	Blobs    int    `json:"blobs"`
	Full     bool   `json:"full"`
	Damage   string `json:"damage,omitempty"`
}

func newVerifyCommand() *cobra.Command {
	var full bool
	command := &cobra.Command{
		Use:   "verify LOCATION [SNAPSHOT...]",
		Short: "See that snapshots are whole",
		Long: `See that snapshots are whole: that every blob which holds a part of them is there, with at least the size it must have. With
--full everything is read from the location, decrypted and compared with the hashes under which it was stored.

In: a LOCATION, and which snapshots: ids as list prints them, or NAMESPACE/NAME for the newest of a site. Without any, all.
Out: a line of JSON for each snapshot: whether it is whole, of how many files, links and directories and in how many blobs.
All are looked at, also when one is damaged; then the exit code is 3.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data verify --repository-password-file repo.pw /backups
  sitewright data verify --repository-password-file repo.pw --full /backups acme/blog`,
		Args: atLeast("LOCATION"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error {
			return t.inRepository(ctx, args[0], func(ctx context.Context, r *repository.Repository) error {
				list, err := t.chosen(ctx, r, args[1:])
				if err != nil {
					return err
				}
				return t.verify(ctx, r, list, full)
			})
		}),
	}
	locationFlags(command)
	command.Flags().BoolVar(&full, "full", false, "read everything, instead of seeing that it is there")
	return command
}

// chosen are the snapshots that arguments name, all without any.
func (t *task) chosen(ctx context.Context, r *repository.Repository, names []string) (list []repository.Snapshot, err error) {
	if len(names) == 0 {
		return r.List(ctx, nil)
	}
	for _, name := range names {
		s, err := t.snapshot(ctx, r, name)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (t *task) verify(ctx context.Context, r *repository.Repository, list []repository.Snapshot, full bool) error {
	var first error
	damaged := 0
	for _, s := range list {
		result, err := r.Verify(ctx, s.ID, repository.VerifyOptions{Full: full, Progress: t.bytes("verified")})
		line := verified{Snapshot: s.ID, Site: siteOf(s), OK: err == nil, Objects: result.Objects, Blobs: result.SeenBlobs, Full: full}
		if err != nil {
			if !errors.Is(err, repository.ErrCorrupt) {
				return err
			}
			if line.Damage = err.Error(); damaged == 0 {
				first = err
			}
			damaged++
		}
		if err := answer(t.OutOrStdout(), line); err != nil {
			return err
		}
	}
	if damaged > 0 {
		return fmt.Errorf("%d of %d snapshots are damaged: %w", damaged, len(list), first)
	}
	return nil
}

// bytes reports progress in the repository's words.
func (t *task) bytes(what string) func(repository.Progress) {
	return func(p repository.Progress) { t.progress.report(what, p.Bytes, p.TotalBytes) }
}

func newMaintainCommand() *cobra.Command {
	var full bool
	command := &cobra.Command{
		Use:   "maintain LOCATION",
		Short: "Compact a repository, and give back the room of what was deleted",
		Long: `Compact the indexes of a repository. With --full also drop what no snapshot needs any more, a day or two after it was
deleted: others may be reusing it right now. May run while others back up and restore.

In: a LOCATION. A cluster whose BackupLocation uses it maintains it by itself.
Out: JSON, as of "sitewright data stats", of the repository afterwards.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data maintain --repository-password-file repo.pw --full /backups`,
		Args:    exactly("LOCATION"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error {
			return t.inRepository(ctx, args[0], func(ctx context.Context, r *repository.Repository) error {
				m, err := r.Maintenance(ctx)
				if err != nil {
					return err
				}
				if m.Owner != "" {
					t.warn("%s maintains this repository too", m.Owner)
				}
				if err := r.Maintain(ctx, full); err != nil {
					return err
				}
				return t.stats(ctx, r)
			})
		}),
	}
	locationFlags(command)
	command.Flags().BoolVar(&full, "full", false, "also drop what no snapshot needs any more")
	return command
}

// statistics is the answer of stats and maintain.
type statistics struct {
	Repository   string     `json:"repository"`
	Snapshots    int        `json:"snapshots"`
	LogicalBytes int64      `json:"logicalBytes"`
	UniqueBytes  int64      `json:"uniqueBytes"`
	StoredBytes  int64      `json:"storedBytes"`
	Blobs        int        `json:"blobs"`
	MaintainedBy string     `json:"maintainedBy,omitempty"`
	LastQuick    *time.Time `json:"lastQuick,omitempty"`
	LastFull     *time.Time `json:"lastFull,omitempty"`
}

func newStatsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "stats LOCATION",
		Short: "Measure a repository",
		Long: `Measure a repository.

In: a LOCATION.
Out: JSON: the repository's id; how many snapshots are in it; logicalBytes, what they would take as plain copies; uniqueBytes, what
is left of that after deduplication; storedBytes and blobs, what the location holds, compressed; which cluster maintains the
repository, and when it was maintained last.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data stats --repository-password-file repo.pw /backups`,
		Args:    exactly("LOCATION"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error {
			return t.inRepository(ctx, args[0], t.stats)
		}),
	}
	locationFlags(command)
	return command
}

func (t *task) stats(ctx context.Context, r *repository.Repository) error {
	s, err := r.Stats(ctx)
	if err != nil {
		return err
	}
	m, err := r.Maintenance(ctx)
	if err != nil {
		return err
	}
	result := statistics{Repository: r.UniqueID(), Snapshots: s.Snapshots, LogicalBytes: s.LogicalBytes, UniqueBytes: s.UniqueBytes,
		StoredBytes: s.StoredBytes, Blobs: s.Blobs, MaintainedBy: m.Owner}
	if !m.LastQuick.IsZero() {
		result.LastQuick = &m.LastQuick
	}
	if !m.LastFull.IsZero() {
		result.LastFull = &m.LastFull
	}
	return answer(t.OutOrStdout(), result)
}
