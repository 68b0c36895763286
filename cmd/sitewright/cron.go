package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"
)

// newCronCommand does a site's periodic work beside it.
func newCronCommand() *cobra.Command {
	var schedule, dir string
	var timeout time.Duration
	command := &cobra.Command{
		Use:   "cron --schedule SCHEDULE -- PROGRAM [ARGUMENT…]",
		Short: "Run a program at the times of a cron schedule, in UTC, never twice at once",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, program []string) error {
			times, err := cron.ParseStandard(schedule)
			if err != nil {
				return fmt.Errorf("--schedule: %w", err)
			}
			// It runs in the image of the web server, whose signal to stop is the one for a graceful end.
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGWINCH)
			defer stop()
			for {
				now := time.Now().UTC()
				if !wait(ctx, times.Next(now).Sub(now)) {
					return nil
				}
				if err := runOnce(ctx, timeout, dir, program); err != nil {
					fmt.Fprintln(os.Stderr, "sitewright cron:", err)
				}
			}
		},
	}
	command.Flags().StringVar(&schedule, "schedule", "", "five fields of cron, such as */5 * * * *")
	command.Flags().StringVar(&dir, "dir", "", "directory to run the program in")
	command.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "longest time for one run")
	_ = command.MarkFlagRequired("schedule") // Fails only for a flag that is not there.
	return command
}

// wait says whether the time passed before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func runOnce(ctx context.Context, timeout time.Duration, dir string, program []string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c := exec.CommandContext(ctx, program[0], program[1:]...)
	c.Dir, c.Stdout, c.Stderr = dir, os.Stdout, os.Stderr
	if err := c.Run(); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", program[0], err)
	}
	return nil
}
