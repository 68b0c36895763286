package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/snapshots"
)

// made is the answer of create.
type made struct {
	Repository string `json:"repository"`
}

func newCreateCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "create LOCATION",
		Short: "Make a repository for snapshots",
		Long: `Make an empty repository in a location: what snapshot and import fill, and what a BackupLocation of a cluster can share.

In: a LOCATION in which there is no repository. Its directory or bucket must exist.
Out: JSON that says by which id the repository is told from others.

Without the password nobody reads the repository again, its owner included: keep it where the repository is not.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data create --repository-password-file repo.pw /backups
  sitewright data create --repository-password-file repo.pw --location-password-file s3.pw s3://AKIA123@backups.eu-central-1/sites`,
		Args: exactly("LOCATION"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error {
			return t.atLocation(ctx, args[0], func(ctx context.Context, o repository.Options) error {
				err := repository.Create(ctx, o)
				if errors.Is(err, repository.ErrExists) {
					return fmt.Errorf("%w: use it as it is, or name another LOCATION", err)
				}
				if err != nil {
					return err
				}
				return opened(ctx, o, func(_ context.Context, r *repository.Repository) error {
					return answer(t.OutOrStdout(), made{r.UniqueID()})
				})
			})
		}),
	}
	locationFlags(command)
	return command
}

// listed is a line of list.
type listed struct {
	Snapshot      string    `json:"snapshot"`
	Site          string    `json:"site"`
	Time          time.Time `json:"time"`
	Backup        string    `json:"backup,omitempty"`
	Note          string    `json:"note,omitempty"`
	Files         int64     `json:"files"`
	Bytes         int64     `json:"bytes"`
	DatabaseBytes int64     `json:"databaseBytes"`
}

func newListCommand() *cobra.Command {
	var site string
	command := &cobra.Command{
		Use:   "list LOCATION",
		Short: "List the snapshots in a repository",
		Long: `List the snapshots in a repository, the oldest first: those of clusters, of these commands and of the stock kopia program.

In: a LOCATION.
Out: a line of JSON for each snapshot: its id, whose it is (namespace/name), when it began, the name of its Backup, and how
many files, bytes and bytes of SQL it holds.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data list --repository-password-file repo.pw /backups
  sitewright data list --repository-password-file repo.pw --site acme/blog /backups`,
		Args: exactly("LOCATION"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error {
			var source *repository.Source
			if site != "" {
				var err error
				if source, err = parseSite(site); err != nil {
					return err
				}
			}
			return t.inRepository(ctx, args[0], func(ctx context.Context, r *repository.Repository) error {
				list, err := r.List(ctx, source)
				for _, s := range list {
					err = errors.Join(err, answer(t.OutOrStdout(), listed{s.ID, siteOf(s), s.Time, s.Tags[snapshots.TagBackupName], s.Description,
						s.Files, s.Bytes - s.DatabaseBytes, s.DatabaseBytes}))
				}
				return err
			})
		}),
	}
	locationFlags(command)
	command.Flags().StringVar(&site, "site", "", "list only those of this site, `NAMESPACE/NAME`")
	return command
}

func siteOf(s repository.Snapshot) string { return s.Source.Namespace + "/" + s.Source.Name }

// atLeast wants the named arguments, the last of them once or more. They are not repeated in the error: one may be a password.
func atLeast(names ...string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return exactly(names...)(command, args)
		}
		return nil
	}
}

// deleted is the answer of delete.
type deleted struct {
	Deleted []string `json:"deleted"`
}

func newDeleteCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "delete LOCATION SNAPSHOT...",
		Short: "Delete snapshots from a repository",
		Long: `Delete snapshots from a repository. The room they took comes back with "maintain --full", a day or two later.

In: a LOCATION and the ids of snapshots, as list prints them. When one of them is not there, none is deleted.
Out: JSON that lists what was deleted.

A Backup object of a cluster is not deleted with its snapshot: delete the Backup instead, where there is one.

` + locationHelp + `

Environment:
` + locationEnvironment,
		Example: `  sitewright data delete --repository-password-file repo.pw /backups 4f0c8a6ee1a15d2f8f0a4c6b9f2f3c77`,
		Args:    atLeast("LOCATION", "SNAPSHOT"),
		RunE: verb(func(ctx context.Context, t *task, args []string) error {
			return t.inRepository(ctx, args[0], func(ctx context.Context, r *repository.Repository) error {
				ids := slices.Compact(slices.Sorted(slices.Values(args[1:])))
				for _, id := range ids {
					if _, err := r.Get(ctx, id); err != nil {
						return err
					}
				}
				for _, id := range ids {
					if err := r.Delete(ctx, id); err != nil {
						return err
					}
				}
				return answer(t.OutOrStdout(), deleted{ids})
			})
		}),
	}
	locationFlags(command)
	return command
}
