package compat

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/view"
	"github.com/sitewright/sitewright/controllers/location"
	"github.com/sitewright/sitewright/internal/names"
)

// gallery knows, for one request, what the objects that it shows refer to. It asks for each thing once.
type gallery struct {
	s         *Server
	owners    memo[string]
	paths     memo[string]
	hosts     memo[string]
	places    memo[types.NamespacedName]
	schedules memo[types.NamespacedName]
	counted   []string                     // namespaces whose backups are counted at once, where many sites are shown
	counts    map[types.NamespacedName]int // nil: not counted yet
}

func newGallery(s *Server) *gallery { return &gallery{s: s} }

// memo remembers what was found out about a key. Neighbours in a list mostly ask for the same.
type memo[K comparable] struct {
	known map[K]string
	key   K
	last  *string
}

func (m *memo[K]) once(key K, find func() string) string {
	if m.last != nil && m.key == key {
		return *m.last
	}
	value, ok := m.known[key]
	if !ok {
		if m.known == nil {
			m.known = map[K]string{}
		}
		value = find()
		m.known[key] = value
	}
	m.key, m.last = key, &value
	return value
}

func (g *gallery) owner(ctx context.Context, namespace string) string {
	return g.owners.once(namespace, func() string { return g.s.access.PanelUser(ctx, namespace) })
}

// get finds an object in memory; it is not to be changed.
func (g *gallery) get(ctx context.Context, key types.NamespacedName, o client.Object) bool {
	return g.s.cache.Get(ctx, key, o, client.UnsafeDisableDeepCopy) == nil
}

func (g *gallery) adminPath(ctx context.Context, application string) string {
	return g.paths.once(application, func() string {
		var app api.Application
		g.get(ctx, types.NamespacedName{Name: application}, &app)
		return app.Spec.AdminPath
	})
}

// host is the database server of a site.
func (g *gallery) host(ctx context.Context, d *api.DatabaseStatus, target *api.DatabaseTarget) string {
	switch {
	case target != nil && target.Existing != nil:
		return target.Existing.Host
	case d == nil || d.Server == "":
		return ""
	}
	return g.hosts.once(d.Server, func() string {
		var server api.DatabaseServer
		g.get(ctx, types.NamespacedName{Name: d.Server}, &server)
		return server.Spec.Host
	})
}

// place is the URI of a BackupLocation, without its login; of a volume, which no URI can tell, the name.
func (g *gallery) place(ctx context.Context, namespace, name string) string {
	if name == "" {
		return ""
	}
	key := types.NamespacedName{Namespace: namespace, Name: name}
	return g.places.once(key, func() string {
		var l api.BackupLocation
		if !g.get(ctx, key, &l) {
			return name
		}
		if uri := location.ToURI(l.Spec, nil); uri != "" {
			return uri
		}
		return name
	})
}

func (g *gallery) schedule(ctx context.Context, namespace, name string) string {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	return g.schedules.once(key, func() string {
		var schedule api.BackupSchedule
		if !g.get(ctx, key, &schedule) {
			return ""
		}
		return ID(schedule.UID)
	})
}

// backups is how many backups there are of an Install. Where many are shown, those of all are counted at once.
func (g *gallery) backups(ctx context.Context, key types.NamespacedName) int {
	if g.counted == nil {
		var list api.BackupList
		if err := g.s.cache.List(ctx, &list, client.InNamespace(key.Namespace), client.MatchingFields{installIndex: key.Name}, client.UnsafeDisableDeepCopy); err != nil {
			return 0 // Memory fails only for what it does not hold.
		}
		n := 0
		for i := range list.Items {
			if list.Items[i].Status.Snapshot != nil {
				n++
			}
		}
		return n
	}
	if g.counts == nil {
		g.counts = map[types.NamespacedName]int{}
		all, _ := within[*api.Backup](g.s, backups, g.counted)
		for _, b := range all {
			if b.Status.Snapshot != nil {
				g.counts[types.NamespacedName{Namespace: b.Namespace, Name: installOf(b)}]++
			}
		}
	}
	if len(g.counts) == 0 {
		return 0
	}
	return g.counts[key]
}

// install is what there is to know around an Install.
func (g *gallery) install(ctx context.Context, in *api.Install) *view.Around {
	around := &view.Around{
		ID: ID(in.UID), Owner: g.owner(ctx, in.Namespace), AdminPath: g.adminPath(ctx, in.Spec.Application),
		DatabaseHost: g.host(ctx, in.Status.Database, in.Spec.Database), Backups: g.backups(ctx, client.ObjectKeyFromObject(in)),
	}
	if b := in.Spec.Backups; b != nil {
		if b.LocationRef != nil {
			around.Location = g.place(ctx, in.Namespace, b.LocationRef.Name)
		}
		if b.ScheduleRef != nil {
			around.Schedule = g.schedule(ctx, in.Namespace, b.ScheduleRef.Name)
		}
	}
	return around
}

// backup is what there is to know around a Backup, and its Install, where that is still there.
func (g *gallery) backup(ctx context.Context, b *api.Backup) (*api.Install, *view.Around) {
	around := &view.Around{ID: ID(b.UID), Owner: g.owner(ctx, b.Namespace), DatabaseHost: g.host(ctx, b.Status.Database, nil)}
	if b.Status.Snapshot != nil {
		around.Location = g.place(ctx, b.Namespace, b.Status.Snapshot.Location)
	}
	var in api.Install
	if !g.get(ctx, types.NamespacedName{Namespace: b.Namespace, Name: installOf(b)}, &in) {
		return nil, around
	}
	return &in, around
}

// show shows one Install, with its passwords where the caller may read the Secrets that hold them.
func (g *gallery) show(ctx context.Context, in *api.Install) view.Install {
	v := view.OfInstall(in, g.install(ctx, in))
	if a := in.Status.Admin; a != nil && a.SecretRef != nil {
		v.Password = g.secret(ctx, in.Namespace, api.SecretKeyReference{Name: a.SecretRef.Name, Key: "password"})
	}
	ref := api.SecretKeyReference{Name: names.DatabaseSecret(in.Name), Key: "password"}
	if d := in.Spec.Database; d != nil && d.Existing != nil {
		ref = d.Existing.PasswordSecretRef
	}
	if in.Status.Database != nil {
		v.DBPass = g.secret(ctx, in.Namespace, ref)
	}
	return v
}

// secret is a password, or nothing where the caller may not read it.
func (g *gallery) secret(ctx context.Context, namespace string, ref api.SecretKeyReference) string {
	var secret corev1.Secret
	if err := g.s.tenant.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, &secret); err != nil {
		return ""
	}
	return string(secret.Data[ref.Key])
}

// describe says of a task which site it is about.
func (g *gallery) describe(ctx context.Context, t *view.Task, o client.Object) {
	name := ""
	switch o := o.(type) {
	case *api.Install:
		name, t.URL, t.Title, t.Install = o.Name, string(o.Spec.URL), o.Spec.Title, ID(o.UID)
	case *api.Backup:
		name, t.URL, t.Title, t.Backup = installOf(o), o.Status.URL, o.Status.Title, ID(o.UID)
	case *api.Restore:
		name, t.URL = o.Status.Install, o.Status.URL
		var b api.Backup
		if g.get(ctx, types.NamespacedName{Namespace: o.Namespace, Name: o.Spec.BackupRef.Name}, &b) {
			t.Backup = ID(b.UID)
			if name == "" {
				name = installOf(&b)
			}
		}
		if o.Spec.To != nil {
			name, t.URL = o.Spec.To.Name, string(o.Spec.To.URL)
		}
	case *api.Clone:
		name, t.URL = o.Spec.To.Name, string(o.Spec.To.URL)
	case *api.Upgrade:
		name = o.Spec.InstallRef.Name
	}
	t.User = g.owner(ctx, o.GetNamespace())
	t.WSLabel = t.User
	var in api.Install
	if t.Install == "" && g.get(ctx, types.NamespacedName{Namespace: o.GetNamespace(), Name: name}, &in) {
		t.Install, t.Title = ID(in.UID), in.Spec.Title
		if t.URL == "" {
			t.URL = string(in.Spec.URL)
		}
	}
}
