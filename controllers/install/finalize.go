package install

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/databaseserver"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/names"
)

// orphan lets go of the volume and the Secrets, where the user wants to keep them: the policy may have been changed a moment ago.
func (s *site) orphan(ctx context.Context) (*step.Wait, error) {
	if !kept(s.in) {
		return nil, nil
	}
	return s.ownership(ctx)
}

// dropDatabases removes the databases of all generations, and their user.
func (s *site) dropDatabases(ctx context.Context) (*step.Wait, error) {
	if s.in.Spec.DeletionPolicy == api.DeletionOrphan || len(s.status.Generations) == 0 {
		return nil, nil
	}
	if s.existing() != nil {
		return s.clearExisting(ctx)
	}
	if s.status.Database == nil || s.status.Database.Server == "" {
		return s.dropOn(ctx, nil)
	}
	server, wait, err := s.findServer(ctx)
	if err != nil {
		return nil, err
	}
	if wait != nil {
		return s.giveUp(ctx, wait)
	}
	return s.dropOn(ctx, server)
}

// dropOn removes the site's databases from a server; without one, from the server that they would have been made on.
func (s *site) dropOn(ctx context.Context, server *api.DatabaseServer) (*step.Wait, error) {
	if server == nil {
		found, wait, err := s.findServer(ctx)
		if found == nil || wait != nil || err != nil {
			return nil, err
		}
		server = found
	}
	admin, err := databaseserver.Connect(ctx, s.Client, server)
	if err != nil {
		return s.giveUp(ctx, cannotRemove("databases", err))
	}
	defer admin.Close()
	databases, err := admin.ListDatabases(ctx, names.DatabasePrefix(s.identity()))
	if err != nil {
		return nil, fmt.Errorf("listing the site's databases: %w", err)
	}
	for _, d := range databases {
		if _, ours := names.Generation(s.identity(), d); !ours {
			continue
		}
		if err := admin.DropDatabase(ctx, d); err != nil {
			return nil, fmt.Errorf("removing the site's database: %w", err)
		}
	}
	if err := admin.DropUser(ctx, names.DatabaseUser(s.identity())); err != nil {
		return nil, fmt.Errorf("removing the site's database user: %w", err)
	}
	return nil, nil
}

// clearExisting removes the site's tables from a database that was made beforehand. Without a prefix they cannot be told from others, and stay.
func (s *site) clearExisting(ctx context.Context) (*step.Wait, error) {
	e := s.existing()
	if s.status.Generation == 0 || s.status.Database == nil || s.status.Database.Prefix == "" {
		return nil, nil
	}
	password, wait, err := s.secretValue(ctx, e.PasswordSecretRef, "spec.database.existing.passwordSecretRef")
	if wait != nil || err != nil {
		if wait != nil {
			return s.giveUp(ctx, wait)
		}
		return nil, err
	}
	host := e.ConnectHost
	if host == "" {
		host = e.Host
	}
	config := mysql.Config{Host: host, Port: int(e.Port), User: e.User, Password: password, Database: e.Name}
	if err := mysql.Clear(ctx, config, s.status.Database.Prefix); err != nil {
		return s.giveUp(ctx, cannotRemove("tables", err))
	}
	return nil, nil
}

func cannotRemove(what string, err error) *step.Wait {
	return step.Retry(fmt.Sprintf("the site's %s cannot be removed: %v; annotate the Install with %s=true to leave them behind",
		what, err, api.AnnotationForceDelete), databaseRetry)
}

// giveUp goes on without what cannot be reached, where the user said so.
func (s *site) giveUp(ctx context.Context, wait *step.Wait) (*step.Wait, error) {
	var namespace corev1.Namespace
	if err := s.Get(ctx, client.ObjectKey{Name: s.in.Namespace}, &namespace); err != nil {
		return nil, fmt.Errorf("reading namespace %s: %w", s.in.Namespace, err)
	}
	if namespace.DeletionTimestamp != nil && s.existing() != nil {
		// The user's Secret goes with the namespace, and does not come back.
		return nil, nil
	}
	if s.in.Annotations[api.AnnotationForceDelete] == "true" {
		return nil, nil
	}
	if wait.After == 0 {
		wait.After = databaseRetry
	}
	if !strings.Contains(wait.Message, api.AnnotationForceDelete) {
		wait.Message += fmt.Sprintf("; annotate the Install with %s=true to leave the site's databases behind", api.AnnotationForceDelete)
	}
	return wait, nil
}

// letGo releases the finalizer; the garbage collector takes the children.
func (s *site) letGo(ctx context.Context) (*step.Wait, error) {
	return nil, step.ReleaseFinalizer(ctx, s.Client, s.in)
}
