package compat

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/wire"
	"github.com/sitewright/sitewright/internal/names"
)

// autoExpiry is how long a backup is kept whose expiry is "auto".
const autoExpiry = 14 * 24 * time.Hour

// taskMeta is the metadata of a task for an object: a name of its own that tells what it is for.
func taskMeta(namespace, of, verb string, now time.Time) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace, Labels: map[string]string{managedBy: "sitewright-compat"},
		GenerateName: names.Bounded(57, of, verb, now.UTC().Format("20060102")) + "-",
	}
}

// backup makes a Backup.
func (s *Server) backup(ctx context.Context, c *call) (answer, error) {
	in, err := find[*api.Install](ctx, s, installs, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	ttl, err := expiry(c.text("expiry"))
	if err != nil {
		return answer{}, err
	}
	b := &api.Backup{
		ObjectMeta: taskMeta(in.Namespace, in.Name, "backup", s.now()),
		Spec:       api.BackupSpec{InstallRef: &api.LocalReference{Name: in.Name}, TTL: ttl},
	}
	if err := s.tenant.Create(ctx, b); err != nil {
		return answer{}, err
	}
	return follow(ctx, s, c, work[*api.Backup]{object: b, done: s.shownBackup})
}

// importBackup makes a Backup of an archive.
func (s *Server) importBackup(ctx context.Context, c *call) (answer, error) {
	namespace, err := s.space(ctx, backups, c.text("user"))
	if err != nil {
		return answer{}, err
	}
	b := &api.Backup{
		ObjectMeta: taskMeta(namespace, "archive", "import", s.now()),
		Spec:       api.BackupSpec{Archive: &api.ArchiveSource{Path: strings.TrimLeft(c.text("path"), "/")}},
	}
	if err := s.tenant.Create(ctx, b); err != nil {
		return answer{}, err
	}
	return follow(ctx, s, c, work[*api.Backup]{object: b, done: s.shownBackup})
}

// shownBackup shows the Backup that was made.
func (s *Server) shownBackup(ctx context.Context, b *api.Backup) (any, error) {
	in, around := newGallery(s).backup(ctx, b)
	return showBackup(b, in, around), nil
}

func expiry(text string) (*metav1.Duration, error) {
	switch text {
	case "", "never":
		return nil, nil
	case "auto":
		return &metav1.Duration{Duration: autoExpiry}, nil
	}
	const most = 3650
	days, err := strconv.ParseUint(text, 10, 16)
	if err != nil || days == 0 || days > most {
		return nil, wire.Invalid("expiry", "expiry must be never, auto, or a number of days between 1 and 3650")
	}
	return &metav1.Duration{Duration: time.Duration(days) * 24 * time.Hour}, nil
}

// clone makes a Clone.
func (s *Server) clone(ctx context.Context, c *call) (answer, error) {
	in, err := find[*api.Install](ctx, s, installs, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	t, err := s.site(ctx, c, in.Namespace)
	if err != nil {
		return answer{}, err
	}
	o := &api.Clone{
		ObjectMeta: taskMeta(in.Namespace, in.Name, "clone", s.now()),
		Spec:       api.CloneSpec{SourceRef: api.LocalReference{Name: in.Name}, To: t.copyTarget()},
	}
	if err := s.place(ctx, c, t, o); err != nil || c.dryRun() > 0 {
		return answer{object: objectName(o)}, err
	}
	return follow(ctx, s, c, work[*api.Clone]{object: o, done: func(ctx context.Context, o *api.Clone) (any, error) {
		return s.showNamed(ctx, o.Namespace, o.Spec.To.Name)
	}})
}

// showNamed shows the Install of a name.
func (s *Server) showNamed(ctx context.Context, namespace, name string) (any, error) {
	var in api.Install
	err := s.tenant.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &in)
	if apierrors.IsNotFound(err) {
		return nil, wire.NotFound("install")
	}
	if err != nil {
		return nil, err
	}
	return newGallery(s).show(ctx, &in), nil
}

// restore makes a Restore, in place or, where the request names a URL, elsewhere.
func (s *Server) restore(ctx context.Context, c *call) (answer, error) {
	b, err := find[*api.Backup](ctx, s, backups, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	o := &api.Restore{
		ObjectMeta: taskMeta(b.Namespace, b.Name, "restore", s.now()),
		Spec:       api.RestoreSpec{BackupRef: api.LocalReference{Name: b.Name}},
	}
	if c.text("url") == "" {
		if c.text("db_name") != "" {
			return answer{}, wire.Empty("url")
		}
		if err := s.make(ctx, c, o); err != nil || c.dryRun() > 0 {
			return answer{object: objectName(o)}, err
		}
	} else {
		t, err := s.site(ctx, c, b.Namespace)
		if err != nil {
			return answer{}, err
		}
		o.Spec.To = &api.RestoreTarget{CopyTarget: t.copyTarget()}
		if c.text("db") == "manual" {
			o.Spec.To.CreateDatabase = new(false)
		}
		if err := s.place(ctx, c, t, o); err != nil || c.dryRun() > 0 {
			return answer{object: objectName(o)}, err
		}
	}
	return follow(ctx, s, c, work[*api.Restore]{object: o, done: func(ctx context.Context, o *api.Restore) (any, error) {
		return s.showNamed(ctx, o.Namespace, o.Status.Install)
	}})
}

// upgrade makes an Upgrade.
func (s *Server) upgrade(ctx context.Context, c *call) (answer, error) {
	in, err := find[*api.Install](ctx, s, installs, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	apps, err := s.applications(ctx, []string{in.Spec.Application})
	if err != nil {
		return answer{}, err
	}
	to := c.text("version")
	if to != "" && to != "current" && !slices.ContainsFunc(apps[0].Spec.Releases, func(r api.Release) bool { return r.Version == to }) {
		return answer{}, wire.Invalid("version", apps[0].Spec.DisplayName+" has no version "+to+" in the catalogue: ask browser for those that there are")
	}
	plugins, _ := c.list("plugin")
	themes, _ := c.list("theme")
	o := &api.Upgrade{
		ObjectMeta: taskMeta(in.Namespace, in.Name, "upgrade", s.now()),
		Spec: api.UpgradeSpec{
			InstallRef: api.LocalReference{Name: in.Name}, Version: to, Backup: strings.EqualFold(c.text("revert"), "yes"), Plugins: plugins, Themes: themes,
		},
	}
	if err := s.make(ctx, c, o); err != nil || c.dryRun() > 0 {
		return answer{object: objectName(o)}, err
	}
	return follow(ctx, s, c, work[*api.Upgrade]{object: o, done: func(ctx context.Context, o *api.Upgrade) (any, error) {
		return s.showNamed(ctx, o.Namespace, o.Spec.InstallRef.Name)
	}})
}

// deleteBackup deletes a Backup, and with it its snapshot.
func (s *Server) deleteBackup(ctx context.Context, c *call) (answer, error) {
	b, err := find[*api.Backup](ctx, s, backups, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	return remove(ctx, s, c, b)
}
