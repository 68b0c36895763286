package install

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/databaseserver"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// borrow lets the site's database user read the rows of another site's database on the same server, before the agent begins that copies
// them: they need not leave the server then. It may not lock or change anything there. giveBack ends it.
func (s *site) borrow(ctx context.Context, from *site) error {
	if !s.neighbour(from) {
		return nil
	}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: names.BootstrapJob("clone", s.in.Name)}, &batchv1.Job{})
	if !apierrors.IsNotFound(err) { // it has begun
		return err
	}
	admin, err := databaseserver.Connect(ctx, s.Client, s.server)
	if err != nil {
		return err
	}
	defer admin.Close()
	if err := admin.GrantRows(ctx, names.DatabaseUser(s.identity()), from.serving()); err != nil {
		return fmt.Errorf("on DatabaseServer %s: %w", s.server.Name, err)
	}
	return nil
}

// giveBack takes back what borrow gave.
func (s *site) giveBack(ctx context.Context, from *site) error {
	if !s.neighbour(from) {
		return nil
	}
	admin, err := databaseserver.Connect(ctx, s.Client, s.server)
	if err != nil {
		return err
	}
	defer admin.Close()
	if err := admin.RevokeRows(ctx, names.DatabaseUser(s.identity()), from.serving()); err != nil {
		return fmt.Errorf("on DatabaseServer %s: %w", s.server.Name, err)
	}
	return nil
}

// leaveBehind takes back what borrow gave from a user that outlives its Install.
func (s *site) leaveBehind(ctx context.Context, from *site) (*step.Wait, error) {
	if s.in.Spec.DeletionPolicy != api.DeletionOrphan || s.status.Database == nil || s.existing() != nil || from.existing() != nil {
		return nil, nil
	}
	var err error
	for _, of := range []*site{s, from} {
		if of.server, _, err = of.findServer(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.giveBack(ctx, from); err != nil {
		return s.giveUp(ctx, cannotRemove("right to read Install "+from.in.Name, err))
	}
	return nil, nil
}

// neighbour says whether both sites have databases of their own on one server.
func (s *site) neighbour(other *site) bool {
	return s.server != nil && other.server != nil && s.server.Name == other.server.Name && s.existing() == nil && other.existing() == nil
}

// serving is the name of the database of the generation that serves.
func (s *site) serving() string { return names.Database(s.identity(), s.in.Status.Generation) }

// beside is another Install, as far as it takes to read from it.
func (s *site) beside(in *api.Install) *site {
	return &site{Reconciler: s.Reconciler, in: in, status: in.Status, app: s.app, now: s.now}
}
