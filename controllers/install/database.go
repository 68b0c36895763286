package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/databaseserver"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/names"
)

// databaseRetry is how long to wait for a server or login that failed: no watch tells when it works again.
const databaseRetry = 15 * time.Second

func (s *site) usesDatabase() bool { return s.app.Spec.Recipe.Database != recipe.DatabaseNone }

func (s *site) existing() *api.ExistingDatabase {
	if s.in.Spec.Database == nil {
		return nil
	}
	return s.in.Spec.Database.Existing
}

// database finds the server that the site's databases are made on, or tries the login of one that was made beforehand.
func (s *site) database(ctx context.Context) (*step.Wait, error) {
	if !s.usesDatabase() {
		return nil, nil
	}
	wait, err := s.reachDatabase(ctx)
	state := metav1.Condition{Type: api.ConditionDatabaseReady, Status: metav1.ConditionTrue, Reason: api.ReasonSucceeded,
		Message: "the database answers", ObservedGeneration: s.in.Generation, LastTransitionTime: metav1.NewTime(s.now)}
	switch {
	case wait != nil:
		state.Status, state.Reason, state.Message = metav1.ConditionFalse, wait.Reason, wait.Message
	case err != nil:
		state.Status, state.Reason, state.Message = metav1.ConditionFalse, api.ReasonFailed, err.Error()
	}
	meta.SetStatusCondition(&s.status.Conditions, state)
	return wait, err
}

func (s *site) reachDatabase(ctx context.Context) (*step.Wait, error) {
	if e := s.existing(); e != nil {
		return s.tryExisting(ctx, e)
	}
	server, wait, err := s.findServer(ctx)
	if wait != nil || err != nil {
		return wait, err
	}
	s.server = server
	if !step.IsReady(server.Status.Conditions, 0) {
		return step.Dependency(fmt.Sprintf("DatabaseServer %s is not ready: %s", server.Name, step.Message(server.Status.Conditions))), nil
	}
	return nil, nil
}

// findServer is the server that spec or status names, else the default one. A site stays on the server that it was made on.
func (s *site) findServer(ctx context.Context) (*api.DatabaseServer, *step.Wait, error) {
	name := ""
	if d := s.in.Spec.Database; d != nil && d.ServerRef != nil {
		name = d.ServerRef.Name
	}
	if s.status.Database != nil && s.status.Database.Server != "" {
		name = s.status.Database.Server
	}
	if name == "" {
		server, err := databaseserver.Default(ctx, s.Client)
		if err != nil {
			return nil, nil, err
		}
		if server == nil {
			return nil, step.Dependency("there is no default DatabaseServer: create one with default: true, or set spec.database"), nil
		}
		return server, nil, s.mayUse(ctx, server)
	}
	server := &api.DatabaseServer{}
	err := s.Get(ctx, client.ObjectKey{Name: name}, server)
	if apierrors.IsNotFound(err) {
		return nil, step.Dependency(fmt.Sprintf("DatabaseServer %s does not exist", name)), nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading DatabaseServer %s: %w", name, err)
	}
	return server, nil, s.mayUse(ctx, server)
}

// mayUse holds a server's namespaceSelector against the Install's namespace.
func (s *site) mayUse(ctx context.Context, server *api.DatabaseServer) error {
	if server.Spec.NamespaceSelector == nil || s.in.DeletionTimestamp != nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(server.Spec.NamespaceSelector)
	if err != nil {
		return step.Invalid(fmt.Sprintf("DatabaseServer %s: spec.namespaceSelector: %v", server.Name, err))
	}
	var namespace corev1.Namespace
	if err := s.Get(ctx, client.ObjectKey{Name: s.in.Namespace}, &namespace); err != nil {
		return fmt.Errorf("reading namespace %s: %w", s.in.Namespace, err)
	}
	if !selector.Matches(labels.Set(namespace.Labels)) {
		return step.Invalid(fmt.Sprintf("DatabaseServer %s does not admit namespace %s (spec.namespaceSelector)", server.Name, s.in.Namespace))
	}
	return nil
}

// tryExisting logs in to a database that was made beforehand, while the site is yet to be made: a wrong password is found before anything
// is downloaded.
func (s *site) tryExisting(ctx context.Context, e *api.ExistingDatabase) (*step.Wait, error) {
	if s.status.Generation > 0 {
		return nil, nil
	}
	password, wait, err := s.secretValue(ctx, e.PasswordSecretRef, "spec.database.existing.passwordSecretRef")
	if wait != nil || err != nil {
		return wait, err
	}
	host := e.ConnectHost
	if host == "" {
		host = e.Host
	}
	db, err := mysql.Open(ctx, mysql.Config{Host: host, Port: int(e.Port), User: e.User, Password: password, Database: e.Name})
	if err == nil {
		return nil, db.Close()
	}
	what := fmt.Sprintf("database %s at %s:%d", e.Name, host, e.Port)
	switch {
	case errors.Is(err, mysql.ErrDenied):
		return step.Retry(fmt.Sprintf("%s refuses user %s: check spec.database.existing.user and the password in Secret %s", what, e.User, e.PasswordSecretRef.Name), databaseRetry), nil
	case errors.Is(err, mysql.ErrUnknownDatabase):
		return step.Retry(what+" does not exist: create it, or correct spec.database.existing.name", databaseRetry), nil
	}
	return step.Retry(fmt.Sprintf("%s does not answer: %v", what, err), databaseRetry), nil
}

// generations gives a number, and a database, to whoever makes a generation: the Install itself at first, a task later.
func (s *site) generations(ctx context.Context) (*step.Wait, error) {
	maker := ""
	if s.status.Generation == 0 {
		maker = string(s.in.UID)
	} else if op := s.in.Status.Operation; op != nil && op.Writes {
		maker = op.UID
	}
	if maker != "" && !slices.ContainsFunc(s.status.Generations, func(g api.GenerationStatus) bool { return g.UID == maker }) {
		s.status.HighestGeneration++
		s.status.Generations = append(s.status.Generations, api.GenerationStatus{Number: s.status.HighestGeneration, UID: maker})
		// The number stands in the status before anything is made under it, so that what is made is always found again.
		return step.Progressing("making room for a new generation"), nil
	}
	for i := range s.status.Generations {
		g := &s.status.Generations[i]
		if g.Ready || g.UID != maker {
			continue
		}
		if err := s.createDatabase(ctx, g.Number); err != nil {
			return nil, err
		}
		g.Ready = true
	}
	return nil, nil
}

// createDatabase makes a generation's database, and the site's user, who is granted that database by its exact name.
func (s *site) createDatabase(ctx context.Context, generation int64) error {
	if !s.usesDatabase() || s.existing() != nil {
		return nil
	}
	var secret corev1.Secret
	if err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: names.DatabaseSecret(s.in.Name)}, &secret); err != nil {
		return fmt.Errorf("reading the password of the site's database user: %w", err)
	}
	admin, err := databaseserver.Connect(ctx, s.Client, s.server)
	if err != nil {
		return err
	}
	defer admin.Close()
	user, database := names.DatabaseUser(s.identity()), names.Database(s.identity(), generation)
	if err := admin.CreateDatabase(ctx, database, mysql.DatabaseOptions{}); err != nil {
		return fmt.Errorf("on DatabaseServer %s: %w", s.server.Name, err)
	}
	if err := admin.EnsureUser(ctx, user, valueOf(&secret, keyPassword)); err != nil {
		return fmt.Errorf("on DatabaseServer %s: %w", s.server.Name, err)
	}
	if err := admin.Grant(ctx, user, database); err != nil {
		return fmt.Errorf("on DatabaseServer %s: %w", s.server.Name, err)
	}
	if s.status.Database == nil {
		// Where something was made is known from now on, whatever becomes the default.
		s.status.Database = &api.DatabaseStatus{Server: s.server.Name, Name: database, User: user}
	}
	return nil
}
