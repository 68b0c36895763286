package databaseserver

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/mysql"
)

// Admin is an administrator's connection to a server. The caller closes it.
type Admin struct {
	*mysql.Admin
	pool *sql.DB
}

// Close ends the connection.
func (a *Admin) Close() { _ = a.pool.Close() }

// Connect logs in to a server as its administrator.
func Connect(ctx context.Context, c client.Client, server *api.DatabaseServer) (*Admin, error) {
	config, err := login(ctx, c, server)
	if err != nil {
		return nil, err
	}
	pool, err := mysql.Open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("DatabaseServer %s: %w", server.Name, err)
	}
	return &Admin{Admin: mysql.NewAdmin(pool), pool: pool}, nil
}

// login reads the administrator's Secret.
func login(ctx context.Context, c client.Client, server *api.DatabaseServer) (mysql.Config, error) {
	ref := server.Spec.AdminSecretRef
	var secret corev1.Secret
	err := c.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &secret)
	if apierrors.IsNotFound(err) {
		return mysql.Config{}, &missing{fmt.Sprintf("spec.adminSecretRef: Secret %s does not exist in namespace %s", ref.Name, ref.Namespace)}
	}
	if err != nil {
		return mysql.Config{}, fmt.Errorf("reading Secret %s/%s: %w", ref.Namespace, ref.Name, err)
	}
	for _, key := range []string{"username", "password"} {
		if len(secret.Data[key]) == 0 {
			return mysql.Config{}, &missing{fmt.Sprintf("spec.adminSecretRef: Secret %s in namespace %s has no key %s", ref.Name, ref.Namespace, key)}
		}
	}
	return mysql.Config{
		Host: server.Spec.Host, Port: int(server.Spec.Port),
		User: string(secret.Data["username"]), Password: string(secret.Data["password"]),
	}, nil
}

// missing is an administrator's Secret that is not as it must be.
type missing struct{ message string }

func (m *missing) Error() string { return m.message }

// Default is the server for Installs that name none: the oldest that says so, and is ready where one is. Nil means that there is none.
func Default(ctx context.Context, c client.Client) (*api.DatabaseServer, error) {
	var list api.DatabaseServerList
	if err := c.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing DatabaseServers: %w", err)
	}
	defaults := slices.DeleteFunc(list.Items, func(s api.DatabaseServer) bool {
		return !s.Spec.Default || s.DeletionTimestamp != nil
	})
	if len(defaults) == 0 {
		return nil, nil
	}
	slices.SortFunc(defaults, func(a, b api.DatabaseServer) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	for i := range defaults {
		if step.IsReady(defaults[i].Status.Conditions, 0) {
			return &defaults[i], nil
		}
	}
	return &defaults[0], nil
}
