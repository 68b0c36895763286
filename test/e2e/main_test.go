// Package e2e runs the main job as a user would: on the real cluster, with real WordPress releases, over real HTTP through the
// ingress. It needs the local cluster with the chart installed ("go run ./hack/cluster up", which "make test" does first).
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	// ingressAddress is where the local cluster's ingress controller answers on this machine.
	ingressAddress = "127.0.0.1:8080"
	// patience bounds every wait: two cores run the whole cluster beside the test.
	patience = 6 * time.Minute
)

// cluster is the local cluster and a namespace of the test's own in it.
type cluster struct {
	client.Client
	t         *testing.T
	namespace string
}

// newCluster connects to the local cluster and makes a namespace, which is removed when the test ends.
func newCluster(t *testing.T, namespace string) *cluster {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig())
	if err != nil {
		t.Fatalf("no local cluster: run go run ./hack/cluster up (%v)", err)
	}
	config.QPS, config.Burst = 50, 100
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := api.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	k := &cluster{Client: c, t: t, namespace: namespace}
	k.deleteNamespace()
	err = c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace,
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			k.dump()
			return
		}
		k.deleteNamespace()
	})
	return k
}

func root() string {
	dir, _ := os.Getwd()
	return filepath.Join(dir, "..", "..")
}

func kubeconfig() string { return filepath.Join(root(), ".cluster", "kubeconfig") }

// kubectl runs the cluster's own kubectl, as a user would, and returns what it prints.
func (k *cluster) kubectl(stdin string, args ...string) (string, error) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, filepath.Join(root(), ".cluster", "bin", "kubectl"), append([]string{"--kubeconfig", kubeconfig(), "-n", k.namespace}, args...)...)
	c.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

func (k *cluster) mustKubectl(stdin string, args ...string) string {
	k.t.Helper()
	out, err := k.kubectl(stdin, args...)
	if err != nil {
		k.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// apply applies manifests as a user would.
func (k *cluster) apply(manifests string) {
	k.t.Helper()
	k.mustKubectl(manifests, "apply", "-f", "-")
}

// dump shows what a person would look at first; the namespace is left for them.
func (k *cluster) dump() {
	for _, args := range [][]string{
		{"get", "installs,backups,restores,clones,backuplocations,jobs,pods,pvc", "-o", "wide"},
		{"get", "events", "--sort-by=.lastTimestamp"},
		{"logs", "-n", "sitewright-system", "deploy/sitewright", "--tail=60"},
	} {
		out, _ := k.kubectl("", args...)
		k.t.Logf("kubectl %s\n%s", strings.Join(args, " "), out)
	}
}

// deleteNamespace removes the namespace and waits until it is gone.
func (k *cluster) deleteNamespace() {
	k.t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: k.namespace}}
	ctx := context.Background()
	if err := k.Delete(ctx, ns); apierrors.IsNotFound(err) {
		return
	}
	k.eventually("namespace "+k.namespace+" to go", func() (bool, string) {
		err := k.Get(ctx, client.ObjectKeyFromObject(ns), ns)
		return apierrors.IsNotFound(err), fmt.Sprint(ns.Status.Conditions)
	})
}

// eventually waits for a condition, and tells what was there when the patience ran out.
func (k *cluster) eventually(what string, condition func() (bool, string)) {
	k.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, seen := condition()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("waited %s for %s; last seen: %s", patience, what, seen)
		}
		time.Sleep(150 * time.Millisecond)
	}
}

// locations makes the namespace's BackupLocations: s3, the default, and local.
func (k *cluster) locations() {
	k.t.Helper()
	keys := &corev1.Secret{}
	if err := k.Get(k.t.Context(), client.ObjectKey{Namespace: "storage", Name: "s3-keys"}, keys); err != nil {
		k.t.Fatal(err)
	}
	mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: "s3-keys"}, Data: keys.Data}
	if err := k.Create(k.t.Context(), mine); err != nil {
		k.t.Fatal(err)
	}
	k.apply(fmt.Sprintf(`
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
`, k.namespace, time.Now().UnixNano()))
}
