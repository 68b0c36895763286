package compat

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/view"
	"github.com/sitewright/sitewright/compat/wire"
	"github.com/sitewright/sitewright/internal/names"
)

// edit changes an Install.
func (s *Server) edit(ctx context.Context, c *call) (answer, error) {
	in, err := find[*api.Install](ctx, s, installs, c.text("id"))
	if err != nil {
		return answer{}, err
	}
	a := answer{object: objectName(in)}
	if c.flag("delete-backups") {
		if err := s.forgetBackups(ctx, in); err != nil {
			return a, err
		}
	}
	if c.flag("delete") {
		return a, s.forget(ctx, in)
	}
	was := newGallery(s).show(ctx, in)
	before := in.DeepCopy()
	t := &site{namespace: in.Namespace, name: in.Name, secret: names.Bounded(63, in.Name, strings.ToLower(rand.Text()[:8])), passwords: map[string]string{}}
	if err := s.settings(ctx, c, &was, t, &in.Spec); err != nil {
		return a, err
	}
	settings := !equality.Semantic.DeepEqual(before.Spec, in.Spec)
	c.policies(&in.Spec)
	if err := s.backups(ctx, c, in.Namespace, &in.Spec); err != nil {
		return a, err
	}
	undo, err := s.keep(ctx, t)
	if err != nil {
		return a, err
	}
	if err := s.tenant.Patch(ctx, in, client.MergeFrom(before)); err != nil {
		undo(ctx)
		return a, err
	}
	s.own(ctx, t, in)
	if settings {
		if err := s.applied(ctx, before, in, undo); err != nil {
			return a, err
		}
	}
	a.data = newGallery(s).show(ctx, in)
	return a, nil
}

// settings are what a request says of the site itself; what it does not say, or as it is, stays.
func (s *Server) settings(ctx context.Context, c *call, was *view.Install, t *site, spec *api.InstallSpec) error {
	changed := func(name, old string) string {
		value := c.text(name)
		if value == old || strings.TrimSuffix(value, "/") == strings.TrimSuffix(old, "/") {
			return ""
		}
		return value
	}
	apps, err := s.applications(ctx, []string{spec.Application})
	if err != nil {
		return err
	}
	if c.has("url") && changed("url", was.URL) != "" {
		u, err := siteURL(c.text("url"))
		if err != nil {
			return err
		}
		if strings.TrimSuffix(u.String(), "/") != strings.TrimSuffix(was.URL, "/") {
			spec.URL = api.SiteURL(u.String())
		}
	}
	if l := changed("language", was.Language); l != "" {
		if spec.Language, err = language(&apps[0], l); err != nil {
			return err
		}
	}
	if title := changed("sitetitle", was.Title); title != "" {
		spec.Title = title
	}
	for name, value := range c.fields(&apps[0]) {
		if spec.Fields[name] == value {
			continue
		}
		spec.Fields = maps.Clone(spec.Fields)
		if spec.Fields == nil {
			spec.Fields = map[string]api.FieldValue{}
		}
		spec.Fields[name] = value
	}
	admin := api.AdminSpec{}
	if spec.Admin != nil {
		admin = *spec.Admin
	}
	if login := changed("login", was.Login); login != "" {
		admin.Login = login
	}
	if email := changed("email", was.Email); email != "" {
		admin.Email = email
	}
	if password := c.text("passwd"); password != "" && password != was.Password {
		t.passwords[adminKey] = password
		admin.PasswordSecretRef = &api.SecretKeyReference{Name: t.secret, Key: adminKey}
	}
	if admin != (api.AdminSpec{}) {
		spec.Admin = &admin
	}
	return c.changeDatabase(was, t, spec)
}

// changeDatabase is what a request says of the database. One that the operator made stays as it is.
func (c *call) changeDatabase(was *view.Install, t *site, spec *api.InstallSpec) error {
	changed := map[string]string{}
	for name, old := range map[string]string{"db_host": was.DBHost, "db_user": was.DBUser, "db_pass": was.DBPass, "db_name": was.DBName, "db_prefix": was.DBPrefix} {
		if value := c.text(name); value != "" && value != old {
			changed[name] = value
		}
	}
	for _, name := range []string{"db_name", "db_prefix", "db_host", "db_user", "db_pass"} {
		_, is := changed[name]
		if is && (name == "db_name" || name == "db_prefix" || spec.Database == nil || spec.Database.Existing == nil) {
			return wire.Invalid(name, name+" of this site cannot be changed")
		}
	}
	if len(changed) == 0 {
		return nil
	}
	spec.Database = spec.Database.DeepCopy()
	existing := spec.Database.Existing
	if host := changed["db_host"]; host != "" {
		existing.ConnectHost = ""
		if err := setHost(existing, host); err != nil {
			return err
		}
	}
	if user := changed["db_user"]; user != "" {
		existing.User = user
	}
	if password := changed["db_pass"]; password != "" {
		t.passwords[databaseKey] = password
		existing.PasswordSecretRef = api.SecretKeyReference{Name: t.secret, Key: databaseKey}
	}
	return nil
}

// applied waits until the site has its new settings. Where it cannot have them, they are taken back: the client is told that nothing has changed.
func (s *Server) applied(ctx context.Context, before, in *api.Install, undo func(context.Context)) error {
	var last *api.Install
	ended, err := await(ctx, s, in, func(now *api.Install, gone bool) bool {
		last = now
		return gone || now.Status.ObservedGeneration >= in.Generation &&
			(meta.IsStatusConditionTrue(now.Status.Conditions, api.ConditionStalled) || meta.IsStatusConditionTrue(now.Status.Conditions, api.ConditionReady))
	})
	if err != nil || !ended { // The program ends, or an hour is over: the operator goes on.
		return err
	}
	if s.deleted.has(in.UID) {
		return wire.Failed("failed_edit", "It was deleted before it ended")
	}
	why := obstacle(last)
	if why == nil {
		s.dropPasswords(ctx, before, last)
		*in = *last
		return nil
	}
	back := last.DeepCopy()
	back.Spec.URL, back.Spec.Title, back.Spec.Language, back.Spec.Fields = before.Spec.URL, before.Spec.Title, before.Spec.Language, before.Spec.Fields
	back.Spec.Admin, back.Spec.Database = before.Spec.Admin, before.Spec.Database
	ctx = context.WithoutCancel(ctx)
	if err := s.tenant.Patch(ctx, back, client.MergeFrom(last)); err != nil {
		return fmt.Errorf("taking back what could not be changed of %s: %w", in.Name, err)
	}
	undo(ctx)
	s.dropMove(ctx, in)
	return wire.Failed("failed_edit", why.Message)
}

// obstacle is what keeps an Install from being as its spec says; nil where nothing does, but what this version does not do at all.
func obstacle(in *api.Install) *wire.Error {
	c := meta.FindStatusCondition(in.Status.Conditions, api.ConditionStalled)
	if c == nil || c.Reason == api.ReasonNotImplemented {
		return nil
	}
	return wire.Failed("failed_edit", c.Message)
}

// dropMove removes the Upgrade that could not take a site to a URL, which would not be tried again otherwise.
func (s *Server) dropMove(ctx context.Context, in *api.Install) {
	var list api.UpgradeList
	err := s.tenant.List(ctx, &list, client.InNamespace(in.Namespace))
	for i := range list.Items {
		u := &list.Items[i]
		if u.Spec.URL == in.Spec.URL && u.Spec.InstallRef.Name == in.Name && meta.IsStatusConditionTrue(u.Status.Conditions, api.ConditionStalled) {
			err = client.IgnoreNotFound(s.tenant.Delete(ctx, u, sameObject(u)))
		}
	}
	if err != nil {
		s.log.ErrorContext(ctx, "an Upgrade that failed is left over", "install", objectName(in), "error", err)
	}
}

// dropPasswords removes the Secrets of earlier requests that nothing names any more.
func (s *Server) dropPasswords(ctx context.Context, before, now *api.Install) {
	used := secretsOf(now)
	for name := range secretsOf(before) {
		secret := &corev1.Secret{}
		err := s.tenant.Get(ctx, client.ObjectKey{Namespace: now.Namespace, Name: name}, secret)
		if err == nil && !used[name] && secret.Labels[managedBy] == "sitewright" && secret.Labels[api.LabelInstall] == now.Name {
			err = s.tenant.Delete(ctx, secret, sameObject(secret))
		}
		if client.IgnoreNotFound(err) != nil {
			s.log.ErrorContext(ctx, "a Secret is left over", "secret", now.Namespace+"/"+name, "error", err)
		}
	}
}

// secretsOf are the names of the Secrets that a spec names.
func secretsOf(in *api.Install) map[string]bool {
	list := map[string]bool{}
	if a := in.Spec.Admin; a != nil && a.PasswordSecretRef != nil {
		list[a.PasswordSecretRef.Name] = true
	}
	if d := in.Spec.Database; d != nil && d.Existing != nil {
		list[d.Existing.PasswordSecretRef.Name] = true
	}
	return list
}

// forgetBackups deletes the Backups of an Install and leaves their snapshots.
func (s *Server) forgetBackups(ctx context.Context, in *api.Install) error {
	var list api.BackupList
	if err := s.tenant.List(ctx, &list, client.InNamespace(in.Namespace)); err != nil {
		return err
	}
	for i := range list.Items {
		b := &list.Items[i]
		if installOf(b) != in.Name {
			continue
		}
		before := b.DeepCopy()
		b.Spec.DeletionPolicy = api.DeletionOrphan
		if err := s.tenant.Patch(ctx, b, client.MergeFrom(before)); err != nil {
			return err
		}
		if err := client.IgnoreNotFound(s.tenant.Delete(ctx, b, sameObject(b))); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes an Install and leaves the site: its files, its tables and its passwords.
func (s *Server) forget(ctx context.Context, in *api.Install) error {
	before := in.DeepCopy()
	in.Spec.DeletionPolicy = api.DeletionOrphan
	if err := s.tenant.Patch(ctx, in, client.MergeFrom(before)); err != nil {
		return err
	}
	if err := client.IgnoreNotFound(s.tenant.Delete(ctx, in, sameObject(in))); err != nil {
		return err
	}
	_, err := await(ctx, s, in, func(_ *api.Install, gone bool) bool { return gone })
	return err
}
