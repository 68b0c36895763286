package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sitewright/sitewright/internal/agent"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/repository"
)

const dataLong = `The steps of which backups, restores and clones are made, one at a time, on any machine that reaches the database and the
location: for support, for scripts and for tests. None of them talks to Kubernetes.

A DATABASE is mysql://user@host:port/name, with ?prefix=wp_ when only names beginning with wp_ are meant. The port is 3306
when absent.

` + locationHelp + `

A SNAPSHOT is an id, as list prints it, or NAMESPACE/NAME for the newest of a site.

Passwords and keys come from files or from the environment, never from arguments, which every user of the machine can read.

Standard output holds the result alone: what was asked for, or JSON that says what was done. Progress and warnings go to
standard error; --quiet leaves the progress out.

` + exitCodes

// exitCodes end the help of every verb.
const exitCodes = `Exit codes:
  0  done
  1  failed, and trying again may help: a server did not answer, tables changed meanwhile
  3  failed, and trying again cannot help: a wrong password, a missing database, arguments that make no sense`

// newDataCommand makes the verbs of the data path.
func newDataCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "data VERB",
		Short: "Back up, restore and move sites and databases by hand, without a cluster",
		Long:  dataLong,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Help()
			}
			return invalid("there is no such verb; see %s --help", command.CommandPath())
		},
	}
	command.PersistentFlags().Bool("quiet", false, "print no progress")
	command.SetFlagErrorFunc(flagError)
	command.AddCommand(newDumpCommand(), newLoadCommand(), newCopyCommand(), newRewriteCommand(),
		newSnapshotCommand(), newRestoreCommand(), newVerifyCommand(), newExportCommand(), newImportCommand(),
		newCreateCommand(), newListCommand(), newDeleteCommand(), newMaintainCommand(), newStatsCommand())
	for _, verb := range command.Commands() {
		verb.Long += "\n\n" + exitCodes
	}
	return command
}

// invalid is an error that only other arguments mend.
func invalid(format string, args ...any) error {
	return &exitError{plan.ExitTerminal, fmt.Errorf(format, args...)}
}

// flagError keeps what may be a password out of the message: -pSECRET is what people type who know other programs.
func flagError(command *cobra.Command, err error) error {
	if _, unknown := errors.AsType[*pflag.NotExistError](err); unknown {
		return invalid("there is no such flag; see %s --help", command.CommandPath())
	}
	return invalid("%w; see %s --help", err, command.CommandPath())
}

// exactly wants as many arguments as there are names. They are not repeated in the error: one may be a password.
func exactly(names ...string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		wanted := "no arguments"
		if len(names) > 0 {
			wanted = strings.Join(names, " ")
		}
		return invalid("wanted is %s, given were %d arguments; see %s --help", wanted, len(args), command.CommandPath())
	}
}

// task is one run of a verb.
type task struct {
	*cobra.Command
	progress *meter
	// secrets that were read, to be taken out of everything that is shown.
	secrets []string
}

// verb makes the function that cobra runs: it words the error without secrets and gives it its exit code.
func verb(run func(ctx context.Context, t *task, args []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		t := &task{Command: command}
		t.progress = newMeter(command)
		err := run(command.Context(), t, args)
		if err == nil {
			return nil
		}
		return &exitError{exitCode(err), &scrubbed{recipe.Scrub(command.Name()+": "+err.Error(), t.secrets), err}}
	}
}

func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	for _, lasting := range []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, repository.ErrNotInitialized, repository.ErrExists} {
		if errors.Is(err, lasting) {
			return plan.ExitTerminal
		}
	}
	if agent.Terminal(err) {
		return plan.ExitTerminal
	}
	return 1
}

// scrubbed is an error whose text holds no secret.
type scrubbed struct {
	text string
	err  error
}

func (e *scrubbed) Error() string { return e.text }
func (e *scrubbed) Unwrap() error { return e.err }
