package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/internal/bundle"
)

// newApplyCommand makes the subcommand that the chart's Job runs after install and upgrade.
func newApplyCommand() *cobra.Command {
	var from string
	command := &cobra.Command{
		Use:   "apply --from FOLDER",
		Short: "Bring the objects of a folder's YAML files into the cluster",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			objects, err := bundle.Read(from)
			if err != nil {
				return err
			}
			config, err := ctrl.GetConfig()
			if err != nil {
				return fmt.Errorf("find the cluster: %w", err)
			}
			c, err := client.New(config, client.Options{Scheme: runtime.NewScheme()})
			if err != nil {
				return fmt.Errorf("connect to the cluster: %w", err)
			}
			return bundle.Apply(command.Context(), c, objects, time.Minute)
		},
	}
	command.Flags().StringVar(&from, "from", "", "folder with the objects' YAML files")
	_ = command.MarkFlagRequired("from") // fails only for a flag that is not there
	return command
}
