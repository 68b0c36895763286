package install

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// editRetry is when settings are tried again that could not be brought to the application.
const editRetry = time.Hour

// edit brings what has changed of the spec's settings, and of the Secrets, to the application, whose own settings stay as they are otherwise. Nothing is
// copied for that: the application changes them as it would by its own pages. The Install holds itself meanwhile.
func (s *site) edit(ctx context.Context) (*step.Wait, error) {
	if s.status.Generation == 0 {
		return nil, nil
	}
	e, wait, err := s.edits(ctx)
	if wait != nil || err != nil {
		s.wait(wait)
		return nil, err
	}
	op, told := s.in.Status.Operation, s.status.Settings
	mine := op != nil && op.UID == string(s.in.UID)
	switch {
	case len(e.fields) == 0:
		return nil, errors.Join(s.stamp(ctx, e), s.edited(ctx))
	case mine && !op.Configures:
		return nil, nil // Going back comes first.
	case told.Failed == e.revision && s.now.Before(told.Time.Add(editRetry)):
		s.failed(e)
		return nil, s.edited(ctx)
	}
	if why := s.cannotEdit(e); why != "" {
		s.refuse(api.ReasonInvalidSpec, "%s", why)
		return nil, s.edited(ctx)
	}
	if !mine {
		if wait, err := operation.Take(ctx, s.Client, s.in, operation.Task{Kind: "Install", Object: s.in, Configures: true}, s.now); wait != nil || err != nil {
			s.wait(wait)
			return nil, err
		}
	}
	return nil, s.configure(ctx, e)
}

// cannotEdit says why the application cannot be told at all.
func (s *site) cannotEdit(e *edits) string {
	for name := range e.plan.Fields {
		i := slices.IndexFunc(s.app.Spec.Fields, func(f api.ApplicationField) bool { return f.Name == name })
		if i < 0 || !s.app.Spec.Fields[i].Settable {
			return fmt.Sprintf("spec.fields.%s cannot be changed once a site of %s exists: set it back", name, s.app.Spec.DisplayName)
		}
	}
	if e.plan.Application && s.app.Spec.Recipe.Commands.Configure == nil {
		return fmt.Sprintf("%s: the recipe of %s cannot change that; change it in the application itself, and set the spec back", strings.Join(e.fields, ", "), s.app.Spec.DisplayName)
	}
	return ""
}

func (s *site) configureJob() string { return names.Job("configure", s.in.Name) }

// configure runs the Job that tells the application, and takes note of how it went.
func (s *site) configure(ctx context.Context, e *edits) error {
	m := &job.Mounts{}
	p := e.plan
	p.Site = s.present(m)
	if p.Database && s.status.PreviousGeneration != 0 {
		p.Previous = s.before(p.Site)
	}
	p.Site.Title = e.plan.Site.Title
	m.Generation(names.Workload(s.in.Name), s.status.Generation)
	if e.password.Name != "" {
		p.Admin.PasswordFile = m.Secret(e.password.Name, e.password.Key)
	}
	state, wait, err := s.Jobs.Run(ctx, job.Spec{
		Name: s.configureJob(), Namespace: s.in.Namespace, Install: s.in.Name, Owner: *s.ownerReference(), Mounts: m, Beside: Beside(s.in),
		Plan: plan.Plan{Configure: &p}, Runtime: s.Platform.Runtimes[s.status.Runtime], Revision: e.revision,
	})
	if wait != nil {
		wait.Message = fmt.Sprintf("bringing %s to the application: %s", strings.Join(e.fields, ", "), wait.Message)
		s.wait(wait)
	}
	if wait != nil || err != nil {
		return err
	}
	settings := s.status.Settings
	settings.Time, settings.Failed, settings.Message = new(metav1.NewTime(s.now.Truncate(time.Second))), "", ""
	if f := state.Result.Failure; f != nil {
		settings.Failed, settings.Message = e.revision, step.Bounded(f.Message, mostSwitchMessage)
		s.failed(e)
		return nil
	}
	if err := s.keep(ctx, e); err != nil {
		return err
	}
	maps.Copy(settings.Told, e.told)
	return nil
}

// stamp brings what the Install's Secrets say of the site up to date: the URL, and that the password is the one in use.
func (s *site) stamp(ctx context.Context, e *edits) error {
	var errs []error
	for _, secret := range e.made {
		content := map[string][]byte{}
		if secret == e.login && string(secret.Data[keyURL]) != s.status.URL {
			content[keyURL] = []byte(s.status.URL)
		}
		if len(content) > 0 || secret.Annotations[api.AnnotationApplied] == "" {
			errs = append(errs, s.patchSecret(ctx, secret, content))
		}
	}
	return errors.Join(errs...)
}

// failed says that settings could not be brought to the application.
func (s *site) failed(e *edits) {
	told := s.status.Settings
	s.later(told.Time.Add(editRetry))
	s.refuse(api.ReasonFailed, "%s could not be brought to the application, which is tried again when the spec changes, or in an hour: %s", strings.Join(e.fields, ", "), told.Message)
}

// before is the previous generation, beside the one that serves.
func (s *site) before(serving plan.Site) *plan.Site {
	serving.Generation, serving.URL = s.status.PreviousGeneration, s.urlOf(s.status.PreviousGeneration)
	if serving.Database != nil {
		d := *serving.Database
		d.Name = names.Database(s.identity(), s.status.PreviousGeneration)
		serving.Database = &d
	}
	return &serving
}

// edited gives the site free, once what was told is written down.
func (s *site) edited(ctx context.Context) error {
	op := s.in.Status.Operation
	if op == nil || op.UID != string(s.in.UID) || !op.Configures {
		return nil
	}
	gone, err := s.Jobs.Remove(ctx, s.in, s.configureJob())
	if err != nil {
		return err
	}
	if !gone {
		s.later(s.now.Add(endingPoll))
		return nil
	}
	return operation.Release(ctx, s.Client, s.in, op.UID)
}

// installed takes note of what a fresh site was made with: the spec may have changed since that was begun.
func (s *site) installed(ctx context.Context) error {
	begun, err := s.Jobs.Begun(ctx, s.in, names.BootstrapJob("install", s.in.Name))
	if err != nil || begun == nil || begun.Install == nil {
		return err
	}
	s.status.Settings = &api.SettingsStatus{Told: digests(begun.Install.Site.Title, begun.Install.Language, begun.Install.Fields)}
	return nil
}

// keep writes down in the Secrets what the application and the database server have now.
func (s *site) keep(ctx context.Context, e *edits) error {
	if e.database != nil {
		if err := s.patchSecret(ctx, e.database, map[string][]byte{keyPassword: e.database.Data[keyPassword]}); err != nil {
			return err
		}
	}
	login := map[string][]byte{keyURL: []byte(s.status.URL)}
	if e.plan.Admin.Login != "" {
		login[keyUsername] = []byte(e.plan.Admin.Login)
	}
	if e.plan.Admin.Email != "" {
		login[keyEmail] = []byte(e.plan.Admin.Email)
	}
	if e.password.Name != "" {
		login[keyPassword] = []byte(e.value)
	}
	if len(login) == 1 {
		return nil
	}
	s.status.Settings.LoginTime, s.status.Settings.LoginLost = s.status.Settings.Time, false
	if e.login == nil {
		content := map[string]string{}
		for key, value := range login {
			content[key] = string(value)
		}
		_, _, err := s.ensureLogin(ctx, func() (map[string]string, *step.Wait, error) { return content, nil, nil })
		return err
	}
	s.status.Admin = &api.AdminStatus{Login: string(e.login.Data[keyUsername]), SecretRef: &api.LocalReference{Name: e.login.Name}}
	if e.plan.Admin.Login != "" {
		s.status.Admin.Login = e.plan.Admin.Login
	}
	return s.patchSecret(ctx, e.login, login)
}

// patchSecret changes keys of a Secret that was made for the Install, and says that its password is applied.
func (s *site) patchSecret(ctx context.Context, secret *corev1.Secret, content map[string][]byte) error {
	before := secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	maps.Copy(secret.Data, content)
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	if _, ok := content[keyPassword]; ok || secret.Annotations[api.AnnotationApplied] == "" {
		secret.Annotations[api.AnnotationApplied] = applied(valueOf(secret, keyPassword))
	}
	if err := s.Patch(ctx, secret, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("writing Secret %s: %w", secret.Name, err)
	}
	return nil
}
