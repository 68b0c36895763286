// Package notification tells people by mail what has become of their sites, as each Install's spec says: once, and as soon as the mail server takes it.
// Nothing waits for it.
package notification

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/notify"
)

// owner is the field owner of what is written down of mails, apart from the rest of a status.
const owner = client.FieldOwner("sitewright-notifications")

// mostNotified is the schema's bound on what is written down.
const mostNotified = 16

// Mail is how mails are made and sent.
type Mail struct {
	Server notify.Server
	Texts  *notify.Texts
	// Events are told of where an Install says nothing of notifications.
	Events []api.NotificationEvent
}

// Reconciler tells of the objects of one kind.
type Reconciler struct {
	client.Client
	// Live reads past the cache, which may not know yet what was sent.
	Live   client.Reader
	Events events.EventRecorder
	Now    func() time.Time
	Mail   Mail
	// Kind is what it tells of.
	Kind Kind
}

// +kubebuilder:rbac:groups=sitewright.dev,resources=installs/status;backups/status;restores/status;clones/status;upgrades/status,verbs=patch
// +kubebuilder:rbac:groups=sitewright.dev,resources=installs;applications;backups;restores;clones;upgrades,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile tells what is to be told of one object.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	o := r.Kind.object()
	if err := r.Get(ctx, req.NamespacedName, o); err != nil || len(r.untold(o)) == 0 {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	in, err := r.install(ctx, o)
	if in == nil || err != nil {
		return ctrl.Result{}, err
	}
	if !slices.ContainsFunc(r.untold(o), func(n news) bool { return r.wanted(in, n.event) }) {
		return ctrl.Result{}, nil
	}
	if err := r.Live.Get(ctx, req.NamespacedName, o); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	told, err := r.tell(ctx, in, o)
	return ctrl.Result{}, errors.Join(r.writeDown(ctx, o, told), err)
}

// untold are the news of an object that nobody was told.
func (r *Reconciler) untold(o client.Object) []news {
	if o.GetDeletionTimestamp() != nil {
		return nil
	}
	notified := r.Kind.notified(o)
	return slices.DeleteFunc(r.Kind.news(o, r.Now()), func(n news) bool { return slices.Contains(notified, n.key()) })
}

// wanted says whether an Install's owner wants to be told of an event.
func (r *Reconciler) wanted(in *api.Install, event api.NotificationEvent) bool {
	if n := in.Spec.Notifications; n != nil {
		return slices.Contains(n.Events, event)
	}
	return slices.Contains(r.Mail.Events, event)
}

// install is the Install that an object is about, nil where there is none.
func (r *Reconciler) install(ctx context.Context, o client.Object) (*api.Install, error) {
	name := subject(o)
	if restore, ok := o.(*api.Restore); ok {
		backup := &api.Backup{}
		if err := r.Get(ctx, client.ObjectKey{Namespace: o.GetNamespace(), Name: restore.Spec.BackupRef.Name}, backup); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		name = subject(backup)
	}
	if name == "" {
		return nil, nil
	}
	in := &api.Install{}
	err := r.Get(ctx, client.ObjectKey{Namespace: o.GetNamespace(), Name: name}, in)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return in, err
}

// tell sends the mails about an object, and returns the keys of what was told, or cannot be for good.
func (r *Reconciler) tell(ctx context.Context, in *api.Install, o client.Object) (told []string, err error) {
	for _, n := range r.untold(o) {
		if !r.wanted(in, n.event) {
			continue
		}
		to, login, err := r.receiver(ctx, in)
		if err != nil {
			return told, err
		}
		m, err := r.mail(ctx, in, o, n, login)
		if err != nil {
			return told, err
		}
		m.To = to
		if err = r.Mail.Server.Send(ctx, m); err != nil && !errors.Is(err, notify.ErrRefused) {
			return told, fmt.Errorf("telling of %s: %w", n.event, err)
		}
		if err != nil && r.Events != nil {
			r.Events.Eventf(o, nil, corev1.EventTypeWarning, "MailRefused", "Notify", "%s", step.Bounded(err.Error(), 512))
		}
		told = append(told, n.key())
	}
	return told, nil
}

// receiver is whom to write to, and the administrator's login.
func (r *Reconciler) receiver(ctx context.Context, in *api.Install) (to, login string, err error) {
	secret := &corev1.Secret{}
	err = r.Live.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: names.AdminSecret(in.Name)}, secret)
	if client.IgnoreNotFound(err) != nil {
		return "", "", fmt.Errorf("reading the administrator's address: %w", err)
	}
	to, login = string(secret.Data["email"]), string(secret.Data["username"])
	if a := in.Spec.Admin; a != nil && a.Email != "" {
		to = a.Email
	}
	if n := in.Spec.Notifications; n != nil && n.To != "" {
		to = n.To
	}
	return to, login, nil
}

// mail writes the mail about news.
func (r *Reconciler) mail(ctx context.Context, in *api.Install, o client.Object, n news, login string) (notify.Mail, error) {
	app := &api.Application{}
	if err := r.Get(ctx, client.ObjectKey{Name: in.Spec.Application}, app); client.IgnoreNotFound(err) != nil {
		return notify.Mail{}, fmt.Errorf("reading Application %s: %w", in.Spec.Application, err)
	}
	d := notify.Data{
		Namespace: in.Namespace, Install: in.Name, Title: in.Spec.Title, URL: in.Status.URL, Application: app.Spec.DisplayName, Version: in.Status.Version,
		Kind: r.Kind.name, Name: o.GetName(), Message: strings.TrimSuffix(n.message, "."), Latest: n.latest, Components: n.components, To: n.to, Login: login,
	}
	if d.Title == "" {
		d.Title = in.Name
	}
	if d.URL == "" {
		d.URL = string(in.Spec.URL)
	}
	if app.Spec.AdminPath != "" {
		d.AdminURL = strings.TrimSuffix(d.URL, "/") + "/" + strings.TrimPrefix(app.Spec.AdminPath, "/")
	}
	head, text, err := r.Mail.Texts.Write(string(n.event), d)
	if err != nil {
		return notify.Mail{}, err
	}
	sum := sha256.Sum256([]byte(n.key()))
	return notify.Mail{ID: fmt.Sprintf("%s.%s@sitewright", o.GetUID(), hex.EncodeToString(sum[:8])), Subject: head, Text: text, Date: r.Now()}, nil
}

// writeDown adds to what was told, of which the oldest is forgotten.
func (r *Reconciler) writeDown(ctx context.Context, o client.Object, told []string) error {
	if len(told) == 0 {
		return nil
	}
	notified := slices.Concat(r.Kind.notified(o), told)
	notified = notified[max(0, len(notified)-mostNotified):]
	err := r.Status().Apply(ctx, r.Kind.configuration(o, notified), owner, client.ForceOwnership)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing down what was told: %w", err)
	}
	return nil
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("notification-" + strings.ToLower(r.Kind.name)).For(r.Kind.object()).Complete(r)
}
