package local

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/s3"
)

// Administrator is how the DatabaseServer "main" is reached as its administrator. Service addresses are reached from this machine: the node is
// on it.
func (c *Cluster) Administrator(ctx context.Context) (*mysql.Config, error) {
	var server api.DatabaseServer
	if err := c.Get(ctx, client.ObjectKey{Name: "main"}, &server); err != nil {
		return nil, fmt.Errorf("reading DatabaseServer main: %w", err)
	}
	var secret corev1.Secret
	ref := server.Spec.AdminSecretRef
	if err := c.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &secret); err != nil {
		return nil, fmt.Errorf("reading the administrator's login: %w", err)
	}
	var service corev1.Service
	name, namespace, _ := strings.Cut(server.Spec.Host, ".")
	namespace, _, _ = strings.Cut(namespace, ".")
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &service); err != nil {
		return nil, fmt.Errorf("reading the database server's Service: %w", err)
	}
	config := mysql.NewConfig()
	config.User, config.Passwd = string(secret.Data["username"]), string(secret.Data["password"])
	config.Net, config.Addr = "tcp", fmt.Sprintf("%s:%d", service.Spec.ClusterIP, server.Spec.Port)
	return config, nil
}

// Database connects to the DatabaseServer "main" as its administrator.
func (c *Cluster) Database(ctx context.Context) (*sql.DB, error) {
	config, err := c.Administrator(ctx)
	if err != nil {
		return nil, err
	}
	return sql.Open("mysql", config.FormatDSN())
}

// Store opens what the namespace's s3 location is kept in, from this machine.
func (c *Cluster) Store(ctx context.Context) (storage.Store, error) {
	var l api.BackupLocation
	if err := c.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: "s3"}, &l); err != nil {
		return nil, fmt.Errorf("reading BackupLocation s3: %w", err)
	}
	access, err := c.Secret(ctx, "s3-keys", "access-key")
	if err != nil {
		return nil, err
	}
	secret, err := c.Secret(ctx, "s3-keys", "secret-key")
	if err != nil {
		return nil, err
	}
	return s3.New(s3.Config{
		Endpoint: "http://127.0.0.1:7070", Region: l.Spec.S3.Region, Bucket: l.Spec.S3.Bucket, Prefix: l.Spec.S3.Prefix,
		AccessKey: access, SecretKey: secret,
	})
}

// Secret is one key of a Secret of the namespace.
func (c *Cluster) Secret(ctx context.Context, name, key string) (string, error) {
	var s corev1.Secret
	if err := c.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: name}, &s); err != nil {
		return "", fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return string(s.Data[key]), nil
}

// Repository opens the repository of the namespace's s3 location from this machine; stateDir is for its caches.
func (c *Cluster) Repository(ctx context.Context, stateDir string) (*repository.Repository, error) {
	store, err := c.Store(ctx)
	if err != nil {
		return nil, err
	}
	password, err := c.RepositoryPassword(ctx)
	if err != nil {
		return nil, err
	}
	return repository.Open(ctx, repository.Options{Store: store, StateDir: stateDir, Password: password})
}

// RepositoryPassword is the password of the s3 location's repository.
func (c *Cluster) RepositoryPassword(ctx context.Context) (string, error) {
	var l api.BackupLocation
	if err := c.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: "s3"}, &l); err != nil {
		return "", fmt.Errorf("reading BackupLocation s3: %w", err)
	}
	if l.Status.PasswordSecretRef == nil {
		return "", fmt.Errorf("BackupLocation s3 has no password yet")
	}
	return c.Secret(ctx, l.Status.PasswordSecretRef.Name, l.Status.PasswordSecretRef.Key)
}
