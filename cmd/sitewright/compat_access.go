package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/compat/access"
)

// defaultKeysNamespace is where the chart keeps the Secrets of API keys.
const defaultKeysNamespace = "sitewright-keys"

// newCompatKeyCommand manages API keys.
func newCompatKeyCommand() *cobra.Command {
	var namespace string
	c := &cobra.Command{Use: "key", Short: "Manage the API keys of the Automation API"}
	c.PersistentFlags().StringVar(&namespace, "keys-namespace", defaultKeysNamespace, "namespace of the Secrets that know API keys")
	create := &cobra.Command{
		Use:   "create USER",
		Short: "Make an API key for a panel user, and print it this once",
		Long: `Make an API key for a panel user, and print it this once: the cluster keeps a hash of it only.

The user is one that "sitewright compat user create" made. Clients send the key as X-API-KEY, as key=, as a bearer token or as the password of
HTTP Basic authentication with the user's name.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withAccounts(c.Context(), namespace, func(ctx context.Context, a *access.Accounts) error {
				key, err := a.CreateKey(ctx, args[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.OutOrStdout(), key)
				return err
			})
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "List the API keys by their ids", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withAccounts(c.Context(), namespace, func(ctx context.Context, a *access.Accounts) error {
				keys, err := a.Keys(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 3, ' ', 0)
				fmt.Fprintln(w, "ID\tUSER\tCREATED")
				for _, k := range keys {
					fmt.Fprintf(w, "%s\t%s\t%s\n", k.ID, k.User, k.Created.UTC().Format("2006-01-02 15:04"))
				}
				return w.Flush()
			})
		},
	}
	remove := &cobra.Command{
		Use: "delete ID", Short: "Take an API key back; ten seconds later it is of no use", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withAccounts(c.Context(), namespace, func(ctx context.Context, a *access.Accounts) error { return a.DeleteKey(ctx, args[0]) })
		},
	}
	c.AddCommand(create, list, remove)
	return c
}

// newCompatUserCommand makes panel users.
func newCompatUserCommand() *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "Manage the users of the Automation API"}
	var u access.User
	create := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a panel user: a namespace and an account that may manage the sites in it",
		Long: `Make a panel user: a namespace with the label sitewright.dev/user, and in it the service account that requests of the user act as, with the
ClusterRole sitewright-tenant of the chart. It may be run again, and then adds what is missing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			u.Name = args[0]
			return withAccounts(c.Context(), "", func(ctx context.Context, a *access.Accounts) error {
				if err := a.CreateUser(ctx, u); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.OutOrStdout(), "user %s may manage sites; an API key for it: sitewright compat key create %s\n", u.Name, u.Name)
				return err
			})
		},
	}
	f := create.Flags()
	f.StringVar(&u.Namespace, "namespace", "", "namespace of the user's sites; empty: one of the user's name")
	f.StringVar(&u.Owner, "owner", "", "panel user who is this one's reseller, and may manage the sites too")
	f.BoolVar(&u.Administrator, "administrator", false, "let the user manage the sites of every namespace")
	c.AddCommand(create)
	return c
}

func withAccounts(ctx context.Context, keysNamespace string, do func(context.Context, *access.Accounts) error) error {
	config, scheme, err := compatConfig()
	if err != nil {
		return err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	err = do(ctx, access.NewAccounts(c, keysNamespace))
	if errors.Is(err, context.Canceled) {
		return errors.New("it was interrupted: run it again")
	}
	return err
}
