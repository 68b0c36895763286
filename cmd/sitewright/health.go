package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/recipe"
)

func newHealthCommand() *cobra.Command {
	var url, scheme, host string
	var status []int32
	var not []string
	var timeout time.Duration
	command := &cobra.Command{
		Use:   "health --url URL",
		Short: "Ask a site for a page as a visitor would, and exit with 0 when it works",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), timeout)
			defer cancel()
			if err := recipe.CheckHealth(ctx, url, scheme, host, api.Health{Status: status, Not: not}); err != nil {
				return err
			}
			_, err := fmt.Fprintln(command.OutOrStdout(), "the site works")
			return err
		},
	}
	command.Flags().StringVar(&url, "url", "", "address of the page, such as http://127.0.0.1:8080/")
	command.Flags().StringVar(&host, "host", "", "host that the visitor asks for; empty means the URL's")
	command.Flags().StringVar(&scheme, "scheme", "", "scheme that the visitor uses, http or https; told to the site as an ingress controller does")
	command.Flags().Int32SliceVar(&status, "status", nil, "answers of a working site (default 200,301,302)")
	command.Flags().StringArrayVar(&not, "not", nil, "text that a working site's page never holds; may be repeated")
	command.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "longest time for an answer")
	_ = command.MarkFlagRequired("url") // Fails only for a flag that is not there.
	return command
}
