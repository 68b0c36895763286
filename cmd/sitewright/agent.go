package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/agent"
	"github.com/sitewright/sitewright/internal/plan"
)

// defaultPlan is where Jobs mount a plan.
const defaultPlan = "/plan/plan.json"

func newAgentCommand() *cobra.Command {
	command := &cobra.Command{Use: "agent", Short: "Work beside a site's volume"}
	command.AddCommand(newAgentRunCommand(), newAgentSetupCommand())
	return command
}

// agentRun are the flags of agent run.
type agentRun struct {
	plan, result, state, site string
}

func newAgentRunCommand() *cobra.Command {
	var flags agentRun
	command := &cobra.Command{
		Use:   "run",
		Short: "Carry out a plan, print progress and leave the result",
		Long: "Carry out a plan, print progress as JSON lines and leave the result, JSON of at most 4 KiB.\n" +
			"Exits with 0 when the task was done, with 3 when trying again cannot help, else with 1.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return flags.run(command) },
	}
	command.Flags().StringVar(&flags.plan, "plan", defaultPlan, "file with the plan")
	command.Flags().StringVar(&flags.result, "result", "/dev/termination-log", "file for the result")
	command.Flags().StringVar(&flags.state, "state", "/state", "private directory for caches; one that is not there means one for this run")
	command.Flags().StringVar(&flags.site, "site", "/site", "where the site finds itself")
	return command
}

// memoryLimit is what the agent keeps its memory at, whatever the site's size. Without it the collector lets garbage grow to the size of what
// is in use, the largest part of which is needed once, to derive the repository's key.
const memoryLimit = 160 << 20

func (f *agentRun) run(command *cobra.Command) error {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 { // Nobody set GOMEMLIMIT.
		debug.SetMemoryLimit(memoryLimit)
	}
	p, err := readPlan(f.plan)
	if err != nil {
		result := plan.Result{Failure: &plan.Failure{Reason: plan.ReasonInvalid, Message: err.Error(), Terminal: true}}
		return errors.Join(&exitError{plan.ExitTerminal, err}, f.leave(result))
	}
	if _, err := os.Stat(f.state); err != nil {
		f.state = ""
	}
	result := agent.Run(command.Context(), p, agent.Options{Progress: command.OutOrStdout(), StateDir: f.state, SiteRoot: f.site})
	if err := f.leave(result); err != nil {
		return err
	}
	if result.Failure == nil {
		return nil
	}
	code := 1
	if result.Failure.Terminal {
		code = plan.ExitTerminal
	}
	return &exitError{code, result.Failure}
}

// leave writes the result in place: a container's termination message is a file mounted by itself.
func (f *agentRun) leave(result plan.Result) error {
	if err := os.WriteFile(f.result, result.Marshal(), 0o644); err != nil {
		return fmt.Errorf("leaving the result: %w", err)
	}
	return nil
}

func readPlan(name string) (*plan.Plan, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the plan: %w", err)
	}
	defer f.Close()
	return plan.Read(f)
}
