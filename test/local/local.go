// Package local is the local cluster ("go run ./hack/cluster up") as tests and test programs use it: a client, kubectl, a namespace of
// their own, its servers, and the processes behind its containers.
package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

const (
	// Ingress is where the local cluster's ingress controller answers on this machine.
	Ingress = "127.0.0.1:8080"
	// Patience bounds every wait: two cores run the whole cluster beside the test.
	Patience = 6 * time.Minute
	// every is how often a wait looks.
	every = 150 * time.Millisecond
)

// Cluster is the local cluster and a namespace in it.
type Cluster struct {
	client.Client
	Namespace string
	checkout  string
}

// Connect connects to the cluster of the checkout that the working directory is in.
func Connect(namespace string) (*Cluster, error) {
	checkout, err := findCheckout()
	if err != nil {
		return nil, err
	}
	c := &Cluster{Namespace: namespace, checkout: checkout}
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("no local cluster: run go run ./hack/cluster up (%w)", err)
	}
	config.QPS, config.Burst = 50, 100
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), api.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("registering the API's kinds: %w", err)
	}
	c.Client, err = client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connecting to the local cluster: %w", err)
	}
	return c, nil
}

func findCheckout() (string, error) {
	start, err := os.Getwd()
	for dir := start; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		} else if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is in no checkout of the project", start)
		}
	}
	return "", err
}

func (c *Cluster) kubeconfig() string { return filepath.Join(c.checkout, ".cluster", "kubeconfig") }

// Kubectl runs the cluster's own kubectl, as a user would, and returns what it prints.
func (c *Cluster) Kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	p := exec.CommandContext(ctx, filepath.Join(c.checkout, ".cluster", "bin", "kubectl"), append([]string{"--kubeconfig", c.kubeconfig(), "-n", c.Namespace}, args...)...)
	p.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	p.Stdout, p.Stderr = &out, &out
	if err := p.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// Apply applies manifests as a user would.
func (c *Cluster) Apply(ctx context.Context, manifests string) error {
	_, err := c.Kubectl(ctx, manifests, "apply", "-f", "-")
	return err
}

// RenewNamespace makes the namespace, empty, with the pod security that tenants get.
func (c *Cluster) RenewNamespace(ctx context.Context) error {
	if err := c.DeleteNamespace(ctx); err != nil {
		return err
	}
	err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.Namespace,
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}})
	if err != nil {
		return fmt.Errorf("making namespace %s: %w", c.Namespace, err)
	}
	return nil
}

// DeleteNamespace removes the namespace and waits until it is gone.
func (c *Cluster) DeleteNamespace(ctx context.Context) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.Namespace}}
	if err := c.Delete(ctx, ns); apierrors.IsNotFound(err) {
		return nil
	}
	return Await(ctx, Patience, "namespace "+c.Namespace+" to go", func() (bool, string) {
		err := c.Get(ctx, client.ObjectKeyFromObject(ns), ns)
		return apierrors.IsNotFound(err), fmt.Sprint(ns.Status.Conditions)
	})
}

// Locations makes the namespace's BackupLocations: s3, the default, and local.
func (c *Cluster) Locations(ctx context.Context) error {
	keys := &corev1.Secret{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: "storage", Name: "s3-keys"}, keys); err != nil {
		return fmt.Errorf("reading the S3 server's keys: %w", err)
	}
	mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: "s3-keys"}, Data: keys.Data}
	if err := c.Create(ctx, mine); err != nil {
		return fmt.Errorf("handing out the S3 server's keys: %w", err)
	}
	return c.Apply(ctx, fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: BackupLocation
metadata: {name: s3}
spec:
  default: true
  s3:
    endpoint: http://s3.storage.svc:7070
    region: us-east-1
    bucket: backups
    prefix: %s-%d/
    credentialsSecretRef: {name: s3-keys}
---
apiVersion: sitewright.dev/v1alpha1
kind: BackupLocation
metadata: {name: local}
spec:
  volume: {size: 1Gi}
`, c.Namespace, time.Now().UnixNano()))
}

// Conditions reads the conditions of an object of any kind of the API.
func Conditions(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *api.Install:
		return o.Status.Conditions
	case *api.Backup:
		return o.Status.Conditions
	case *api.Restore:
		return o.Status.Conditions
	case *api.Clone:
		return o.Status.Conditions
	case *api.BackupLocation:
		return o.Status.Conditions
	case *api.BackupSchedule:
		return o.Status.Conditions
	case *api.Upgrade:
		return o.Status.Conditions
	}
	panic(fmt.Sprintf("no conditions in %T", o))
}

// Await looks again and again until a condition is so, and tells what was there when the patience ran out.
func Await(ctx context.Context, patience time.Duration, what string, condition func() (bool, string)) error {
	deadline := time.Now().Add(patience)
	for {
		ok, seen := condition()
		switch {
		case ok:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return fmt.Errorf("waited %s for %s; last seen: %s", patience, what, seen)
		}
		time.Sleep(every)
	}
}

// Transport reaches every site through the ingress controller: names are not resolved.
func Transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", Ingress)
		},
		DisableKeepAlives: true,
	}
}
