package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/generation"
)

// setupWait is how long setup waits for another task to let go of the volume.
const setupWait = 2 * time.Minute

func newAgentSetupCommand() *cobra.Command {
	var planFile, copyTo string
	command := &cobra.Command{
		Use:   "setup",
		Short: "Prepare a pod: copy this program into its runtime's image, make the directories it mounts",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if copyTo == "" && planFile == "" {
				return errors.New("setup: give --copy-to, --plan, or both")
			}
			if copyTo != "" {
				if err := copySelf(copyTo); err != nil {
					return err
				}
			}
			if planFile != "" {
				return makeDirectories(command.Context(), planFile)
			}
			return nil
		},
	}
	command.Flags().StringVar(&copyTo, "copy-to", "", "directory to copy this program to")
	command.Flags().StringVar(&planFile, "plan", "", "file with a plan, whose generation's directories are made where they are missing")
	return command
}

// copySelf copies the program so that it is there whole or not at all: the pod may be started a second time while the
// first copy is in use.
func copySelf(dir string) (err error) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("opening this program: %w", err)
	}
	defer self.Close()
	temp, err := os.CreateTemp(dir, ".sitewright-")
	if err != nil {
		return fmt.Errorf("copying this program: %w", err)
	}
	defer os.Remove(temp.Name()) // Gone already when all went well.
	_, err = io.Copy(temp, self)
	if err = errors.Join(err, temp.Chmod(0o755), temp.Close()); err != nil {
		return fmt.Errorf("copying this program: %w", err)
	}
	if err := os.Rename(temp.Name(), filepath.Join(dir, "sitewright")); err != nil {
		return fmt.Errorf("copying this program: %w", err)
	}
	return nil
}

// makeDirectories makes the directories of the generation that a plan makes, so that they can be mounted by subPath.
func makeDirectories(ctx context.Context, planFile string) (err error) {
	p, err := readPlan(planFile)
	if err != nil {
		return err
	}
	site := p.Target()
	if site == nil {
		return nil
	}
	v, err := generation.Open(ctx, site.Volume, setupWait)
	if err != nil {
		return err
	}
	return errors.Join(v.Make(site.Generation), v.Close())
}
