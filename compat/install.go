package compat

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/view"
	"github.com/sitewright/sitewright/compat/wire"
)

// install makes an Install.
func (s *Server) install(ctx context.Context, c *call) (answer, error) {
	name := c.text("application")
	apps, err := s.applications(ctx, []string{name})
	if err != nil {
		return answer{}, err
	}
	namespace, err := s.space(ctx, installs, c.text("user"))
	if err != nil {
		return answer{}, err
	}
	t, err := s.site(ctx, c, namespace)
	if err != nil {
		return answer{}, err
	}
	in, err := c.newInstall(&apps[0], t)
	if err != nil {
		return answer{}, err
	}
	if c.dryRun() != 1 {
		if err := s.backups(ctx, c, namespace, &in.Spec); err != nil {
			return answer{}, err
		}
	}
	if err := s.place(ctx, c, t, in); err != nil || c.dryRun() > 0 {
		return answer{object: objectName(in)}, err
	}
	s.own(ctx, t, in)
	return follow(ctx, s, c, work[*api.Install]{object: in, done: s.shown})
}

// shown shows the Install that was made.
func (s *Server) shown(ctx context.Context, in *api.Install) (any, error) {
	return newGallery(s).show(ctx, in), nil
}

// newInstall is the Install that a request asks for.
func (c *call) newInstall(app *api.Application, t *site) (*api.Install, error) {
	in := &api.Install{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: t.name, Labels: map[string]string{managedBy: "sitewright-compat"}},
		Spec: api.InstallSpec{
			Application: app.Name, Version: c.text("version"), URL: t.url, Address: t.address, Database: t.database,
			Title: c.text("sitetitle"), Language: c.text("language"), Content: c.text("content"),
		},
	}
	if v := in.Spec.Version; v != "" && !slices.ContainsFunc(app.Spec.Releases, func(r api.Release) bool { return r.Version == v }) {
		return nil, wire.Invalid("version", app.Spec.DisplayName+" has no version "+v+" in the catalogue: ask browser for those that there are")
	}
	var err error
	if in.Spec.Language, err = language(app, in.Spec.Language); err != nil {
		return nil, err
	}
	admin := &api.AdminSpec{Login: c.text("login"), Email: c.text("email")}
	if password := c.text("passwd"); password != "" {
		t.passwords[adminKey] = password
		admin.PasswordSecretRef = &api.SecretKeyReference{Name: t.secret, Key: adminKey}
	}
	if *admin != (api.AdminSpec{}) {
		in.Spec.Admin = admin
	}
	in.Spec.Fields = c.fields(app)
	c.policies(&in.Spec)
	return in, nil
}

// language is the application's name for a language: clients write pt-BR, pt_br and PT_BR.
func language(app *api.Application, text string) (string, error) {
	if text == "" || len(app.Spec.Languages) == 0 {
		return text, nil
	}
	one := func(l string) string { return strings.ToLower(strings.ReplaceAll(l, "-", "_")) }
	i := slices.IndexFunc(app.Spec.Languages, func(l string) bool { return one(l) == one(text) })
	if i < 0 {
		return "", wire.Invalid("language", app.Spec.DisplayName+" is not to be had in that language: ask browser for those that there are")
	}
	return app.Spec.Languages[i], nil
}

// fields are the application's own fields that a request sets, whether by their names or in a table.
func (c *call) fields(app *api.Application) map[string]api.FieldValue {
	fields := map[string]api.FieldValue{}
	table := c.given.Table("fields")
	for _, f := range app.Spec.Fields {
		value, ok := c.given.Get(f.Name)
		if other, in := table[f.Name]; in {
			value, ok = other, true
		}
		if ok && !c.has(f.Name) {
			fields[f.Name] = api.FieldValue(value)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return fields
}

// policies are what a request says of updates and notifications; what it does not say stays.
func (c *call) policies(spec *api.InstallSpec) {
	policy, backup := c.text("autoup"), c.text("autoup_backup")
	if policy != "" || backup != "" {
		if spec.Updates == nil {
			spec.Updates = &api.UpdatesSpec{}
		}
		if policy != "" {
			spec.Updates.Policy = map[string]api.UpdatePolicy{"0": api.UpdateOff, "1": api.UpdateMinor, "2": api.UpdateAny}[policy]
		}
		if backup != "" {
			spec.Updates.Backup = new(backup == "1")
		}
	}
	if events, ok := c.list("notification"); ok {
		if slices.Contains(events, "all") {
			events = notifications
		}
		if spec.Notifications == nil {
			spec.Notifications = &api.NotificationsSpec{}
		}
		spec.Notifications.Events = make([]api.NotificationEvent, len(events))
		for i, e := range events {
			spec.Notifications.Events[i] = api.NotificationEvent(e)
		}
	}
}

// notifications are the events that can be told of.
var notifications = []string{
	"install", "install_error", "clone", "clone_error", "backup", "backup_error", "restore", "restore_error", "update_available", "update", "update_error",
	"plugin_update_available", "plugin_update", "plugin_update_error",
}

// place makes what makes a site, with the Secret that has its passwords: an Install, whose name is the claim on the URL, or a task. Of many requests for one URL one
// succeeds. A site that failed before it ever served makes room.
func (s *Server) place(ctx context.Context, c *call, t *site, o client.Object) error {
	if err := s.free(ctx, c, t); err != nil {
		return err
	}
	if c.dryRun() > 0 {
		return s.make(ctx, c, o)
	}
	undo, err := s.keep(ctx, t)
	if err != nil {
		return err
	}
	err = s.make(ctx, c, o)
	if err != nil {
		undo(ctx)
	}
	if apierrors.IsAlreadyExists(err) {
		return taken(string(t.url))
	}
	return err
}

func taken(url string) error {
	return wire.Invalid("url", "There is an installed application at "+url+" already")
}

// free tells whether a site may be made, and removes what is left of one that failed before it ever served.
func (s *Server) free(ctx context.Context, c *call, t *site) error {
	before := &api.Install{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: t.name}}
	err := s.tenant.Get(ctx, client.ObjectKeyFromObject(before), before)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if before.Status.Generation > 0 || !view.OfInstalling(before).Failed() {
		return taken(string(t.url))
	}
	if c.dryRun() > 0 {
		return nil
	}
	if err := client.IgnoreNotFound(s.tenant.Delete(ctx, before, sameObject(before))); err != nil {
		return err
	}
	gone, err := await(ctx, s, before, func(_ *api.Install, gone bool) bool { return gone })
	if err == nil && !gone {
		err = wire.Failed("failed_install", "An earlier attempt at "+string(t.url)+" is being removed: try again")
	}
	return err
}

// uninstall deletes an Install.
func (s *Server) uninstall(ctx context.Context, c *call) (answer, error) {
	in, err := find[*api.Install](ctx, s, installs, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	return remove(ctx, s, c, in)
}
