package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// edits are the settings that the application was not told yet.
type edits struct {
	// fields of the spec that they stand in, for messages.
	fields []string
	// plan is what is to be told: Site has but the title.
	plan plan.Configure
	// told are the digests of what will have been told.
	told map[string]string
	// login is the administrator's Secret, nil where there is none; password is where the new one is, empty where it stays, and value the one to have.
	login    *corev1.Secret
	password api.SecretKeyReference
	value    string
	// database is the Secret with another password of the site's own database user; nil where it stays.
	database *corev1.Secret
	// made are the Secrets that were made for the Install, secrets all whose content is told, and revision stands for all of this.
	made, secrets []*corev1.Secret
	revision      string
}

// digest stands for a setting.
func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])[:16]
}

// digests are those of an application's settings, by name; what is empty is nobody's wish.
func digests(title, language string, fields map[string]string) map[string]string {
	list := map[string]string{}
	if title != "" {
		list["title"] = digest(title)
	}
	if language != "" {
		list["language"] = digest(language)
	}
	for name, value := range fields {
		list["fields."+name] = digest(value)
	}
	return list
}

// edits compares what the spec says with what the application was told.
func (s *site) edits(ctx context.Context) (*edits, *step.Wait, error) {
	spec, fields := s.in.Spec, map[string]string{}
	for name, value := range spec.Fields {
		fields[name] = string(value)
	}
	want := digests(spec.Title, spec.Language, fields)
	if s.status.Settings == nil {
		s.status.Settings = &api.SettingsStatus{Told: maps.Clone(want)}
		if b := spec.Bootstrap; b != nil && (b.Backup != nil || b.Clone != nil) {
			// A copy has the title and the language of its source until the spec changes.
			s.status.Settings.Told = digests(spec.Title, spec.Language, nil)
		}
	}
	told := s.status.Settings.Told
	if told == nil {
		told = map[string]string{}
		s.status.Settings.Told = told
	}
	e := &edits{told: map[string]string{}, plan: plan.Configure{Fields: map[string]string{}}}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if told[name] == want[name] {
			continue
		}
		e.fields, e.told[name] = append(e.fields, "spec."+name), want[name]
		switch field, isField := strings.CutPrefix(name, "fields."); {
		case isField:
			e.plan.Fields[field] = fields[field]
		case name == "title":
			e.plan.Site.Title = spec.Title
		case name == "language":
			e.plan.Language = spec.Language
		}
	}
	if wait, err := s.loginEdits(ctx, e); wait != nil || err != nil {
		return nil, wait, err
	}
	e.plan.Application = len(e.fields) > 0
	if wait, err := s.databaseEdits(ctx, e); wait != nil || err != nil {
		return nil, wait, err
	}
	return e, nil, e.sum(s.app)
}

// loginEdits compares the administrator's login with the Secret that says what the application has.
func (s *site) loginEdits(ctx context.Context, e *edits) (*step.Wait, error) {
	secret, err := s.ownSecret(ctx, names.AdminSecret(s.in.Name))
	if err != nil || (secret == nil && s.in.Spec.Admin == nil) {
		return nil, err
	}
	has := map[string][]byte{}
	if secret != nil {
		e.login, has, e.secrets, e.made = secret, secret.Data, append(e.secrets, secret), append(e.made, secret)
	}
	admin := s.in.Spec.Admin
	if admin == nil {
		admin = &api.AdminSpec{}
	}
	changed := func(field string) {
		e.fields = append(e.fields, field)
		e.plan.PreviousLogin = string(has[keyUsername])
	}
	if admin.Login != "" && admin.Login != string(has[keyUsername]) {
		e.plan.Admin.Login = admin.Login
		changed("spec.admin.login")
	}
	if admin.Email != "" && admin.Email != string(has[keyEmail]) {
		e.plan.Admin.Email = admin.Email
		changed("spec.admin.email")
	}
	lost := s.status.Settings.LoginLost && secret != nil
	if lost {
		e.plan.Admin.Login, e.plan.Admin.Email = string(has[keyUsername]), string(has[keyEmail])
		changed("the administrator's login")
	}
	e.value = string(has[keyPassword])
	source, field := api.SecretKeyReference{Name: names.AdminSecret(s.in.Name), Key: keyPassword}, "the password in Secret "+names.AdminSecret(s.in.Name)
	if ref := admin.PasswordSecretRef; ref != nil {
		source, field = *ref, "spec.admin.passwordSecretRef"
		named, wait, err := s.userSecret(ctx, *ref, field)
		if wait != nil || err != nil {
			return wait, err
		}
		e.secrets, e.value = append(e.secrets, named), valueOf(named, ref.Key)
	}
	switch {
	case len(e.value) > 0 && applied(e.value) != hasApplied(secret):
		e.password = source
		changed(field)
	case len(e.value) > 0 && lost:
		e.password = source
	}
	return nil, nil
}

// hasApplied is what stands for the password that the application has. A Secret that does not say so yet holds that one.
func hasApplied(secret *corev1.Secret) string {
	if secret == nil {
		return ""
	}
	if a := secret.Annotations[api.AnnotationApplied]; a != "" {
		return a
	}
	return applied(valueOf(secret, keyPassword))
}

// databaseEdits compares the login of the site's database user with the one in the site's configuration.
func (s *site) databaseEdits(ctx context.Context, e *edits) (*step.Wait, error) {
	if !s.usesDatabase() {
		return nil, nil
	}
	x := s.existing()
	if x == nil {
		secret, err := s.ownSecret(ctx, names.DatabaseSecret(s.in.Name))
		if err != nil || secret == nil {
			return nil, err
		}
		e.made = append(e.made, secret)
		if applied(valueOf(secret, keyPassword)) != hasApplied(secret) {
			e.database, e.plan.Database, e.secrets = secret, true, append(e.secrets, secret)
			e.fields = append(e.fields, "the password in Secret "+secret.Name)
		}
		return nil, nil
	}
	secret, err := s.readSecret(ctx, x.PasswordSecretRef.Name)
	if err != nil {
		return nil, err
	}
	if secret == nil {
		return step.Dependency(fmt.Sprintf("spec.database.existing.passwordSecretRef: Secret %s does not exist in namespace %s", x.PasswordSecretRef.Name, s.in.Namespace)), nil
	}
	is := digest(fmt.Sprint(x.Host, x.Port, x.ConnectHost, x.User, x.PasswordSecretRef, secret.UID, secret.ResourceVersion))
	const name = "database"
	switch s.status.Settings.Told[name] {
	case is:
	case "":
		s.status.Settings.Told[name] = is // What the site was made with.
	default:
		e.plan.Database, e.told[name] = true, is
		e.fields = append(e.fields, "spec.database.existing")
	}
	return nil, nil
}

// sum makes the revision: the same for the same wish.
func (e *edits) sum(app *api.Application) error {
	what := []any{e.plan, e.told, e.password, app.UID, app.Generation, e.fields}
	for _, secret := range e.secrets {
		what = append(what, secret.UID, secret.ResourceVersion)
	}
	b, err := json.Marshal(what)
	e.revision = digest(string(b))
	return err
}
