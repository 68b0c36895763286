package compat

import (
	"context"
	"fmt"
	"slices"
	"time"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/access"
	"github.com/sitewright/sitewright/compat/wire"
)

// The indexes of objects in memory.
const (
	idIndex      = "id"      // by ID, of every kind
	installIndex = "install" // Backups by their Install: namespace/name
)

// kind is a kind of object that has ids on the wire.
type kind struct {
	resource string // as access rules name it
	missing  string // as an error names it
	object   func() client.Object
	list     func() client.ObjectList
}

// The kinds.
var (
	installs  = kind{"installs", "install", func() client.Object { return &api.Install{} }, func() client.ObjectList { return &api.InstallList{} }}
	backups   = kind{"backups", "backup", func() client.Object { return &api.Backup{} }, func() client.ObjectList { return &api.BackupList{} }}
	restores  = kind{"restores", "restore", func() client.Object { return &api.Restore{} }, func() client.ObjectList { return &api.RestoreList{} }}
	clones    = kind{"clones", "clone", func() client.Object { return &api.Clone{} }, func() client.ObjectList { return &api.CloneList{} }}
	upgrades  = kind{"upgrades", "upgrade", func() client.Object { return &api.Upgrade{} }, func() client.ObjectList { return &api.UpgradeList{} }}
	schedules = kind{"backupschedules", "schedule", func() client.Object { return &api.BackupSchedule{} }, func() client.ObjectList { return &api.BackupScheduleList{} }}
	locations = kind{"backuplocations", "location", func() client.Object { return &api.BackupLocation{} }, func() client.ObjectList { return &api.BackupLocationList{} }}

	kinds = []kind{installs, backups, restores, clones, upgrades, schedules, locations}
)

// Indexes prepares the objects in memory to be found.
func Indexes(ctx context.Context, i client.FieldIndexer) error {
	for _, k := range kinds {
		if err := i.IndexField(ctx, k.object(), idIndex, func(o client.Object) []string { return []string{ID(o.GetUID())} }); err != nil {
			return fmt.Errorf("indexing %s: %w", k.resource, err)
		}
	}
	err := i.IndexField(ctx, &api.Backup{}, installIndex, func(o client.Object) []string {
		if name := installOf(o.(*api.Backup)); name != "" {
			return []string{name}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing backups: %w", err)
	}
	return access.Indexes(ctx, i)
}

// installOf names the Install that a Backup is of.
func installOf(b *api.Backup) string {
	if b.Spec.InstallRef != nil {
		return b.Spec.InstallRef.Name
	}
	return b.Status.Install
}

// right is what a caller needs to do something to the objects of a kind.
func (k kind) right(verb, namespace string) access.Right {
	return access.Right{Verb: verb, Group: api.GroupVersion.Group, Resource: k.resource, Namespace: namespace}
}

// find is the object with an id. That one is another tenant's is told like that there is none: in the same words, and after the same time.
func find[T client.Object](ctx context.Context, s *Server, k kind, id string) (T, error) {
	var found T
	there := false
	err := s.known(ctx, func() (bool, error) {
		list := k.list()
		if err := s.cache.List(ctx, list, client.MatchingFields{idIndex: id}); err != nil {
			return false, fmt.Errorf("looking for %s: %w", k.missing, err)
		}
		all := objects(list)
		if len(all) == 0 {
			return false, nil
		}
		var err error
		found = all[0].(T)
		there, err = s.access.May(ctx, access.Of(ctx), k.right("get", found.GetNamespace()))
		return there, err
	})
	if err == nil && !there {
		err = wire.NotFound(k.missing)
	}
	return found, err
}

const (
	// lag is how long memory may take to know of an object that another replica has just made.
	lag = 300 * time.Millisecond
	// lookAgain is how often it is asked meanwhile.
	lookAgain = 30 * time.Millisecond
)

// known looks for something in memory, and looks again for a moment while it is not there: the client may have its id from another replica.
func (s *Server) known(ctx context.Context, look func() (bool, error)) error {
	limit, tick := time.NewTimer(lag), time.NewTicker(lookAgain)
	defer limit.Stop()
	defer tick.Stop()
	for {
		if found, err := look(); found || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return nil
		case <-tick.C:
		}
	}
}

// within are the objects of a kind in some namespaces; "" means all. They are shared with everyone, and not to be changed.
func within[T client.Object](s *Server, k kind, spaces []string) ([]T, error) {
	var found []T
	for _, namespace := range spaces {
		var some []any
		var err error
		if namespace == "" {
			some = s.memory[k.resource].List()
		} else {
			some, err = s.memory[k.resource].ByIndex(toolscache.NamespaceIndex, namespace)
		}
		if err != nil {
			return nil, fmt.Errorf("listing the %s of %s: %w", k.resource, namespace, err)
		}
		found = slices.Grow(found, len(some))
		for _, o := range some {
			found = append(found, o.(T))
		}
	}
	return found, nil
}

// spaces are the namespaces whose objects of a kind a list is of: those of the named user, or the caller's own; and where the caller asks for them those of the
// accounts that the caller owns: for an administrator, all.
func (s *Server) spaces(ctx context.Context, k kind, user string, owned bool) ([]string, error) {
	caller := access.Of(ctx)
	if owned && user == "" {
		all, err := s.access.May(ctx, caller, k.right("list", ""))
		if err != nil {
			return nil, err
		}
		if all {
			return []string{""}, nil
		}
	}
	base, err := s.home(ctx, user)
	if err != nil {
		return nil, err
	}
	wanted := base
	if owned {
		for _, namespace := range base {
			more, err := s.access.OfOwner(ctx, s.access.PanelUser(ctx, namespace))
			if err != nil {
				return nil, err
			}
			wanted = append(wanted, more...)
		}
	}
	slices.Sort(wanted)
	var allowed []string
	for _, namespace := range slices.Compact(wanted) {
		may, err := s.access.May(ctx, caller, k.right("list", namespace))
		if err != nil {
			return nil, err
		}
		if may {
			allowed = append(allowed, namespace)
		}
	}
	if len(allowed) == 0 && user != "" {
		return nil, wire.NotFound("user")
	}
	return allowed, nil
}

// home are the namespaces of a panel user, or where none is named the caller's own.
func (s *Server) home(ctx context.Context, user string) ([]string, error) {
	if user != "" {
		return s.access.OfUser(ctx, user)
	}
	if own := access.Of(ctx).Namespace; own != "" {
		return []string{own}, nil
	}
	return nil, wire.Empty("user")
}

// space is the one namespace in which something is made for a panel user, or for the caller.
func (s *Server) space(ctx context.Context, k kind, user string) (string, error) {
	names, err := s.home(ctx, user)
	if err != nil {
		return "", err
	}
	for _, namespace := range names {
		may, err := s.access.May(ctx, access.Of(ctx), k.right("create", namespace))
		if err != nil {
			return "", err
		}
		if may {
			return namespace, nil
		}
	}
	if user == "" {
		return "", wire.Denied("permission_denied", "You may not make "+k.resource)
	}
	return "", wire.NotFound("user")
}
