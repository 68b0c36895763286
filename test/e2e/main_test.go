// Package e2e runs the main job as a user would: on the real cluster, with real WordPress releases, over real HTTP through the
// ingress. It needs the local cluster with the chart installed ("go run ./hack/cluster up", which "make test" does first).
package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/test/local"
)

// cluster is the local cluster and a namespace of the test's own in it.
type cluster struct {
	*local.Cluster
	t         *testing.T
	namespace string
}

// newCluster connects to the local cluster and makes a namespace, which is removed when the test ends.
func newCluster(t *testing.T, namespace string) *cluster {
	t.Helper()
	c, err := local.Connect(namespace)
	if err != nil {
		t.Fatal(err)
	}
	k := &cluster{Cluster: c, t: t, namespace: namespace}
	if err := c.RenewNamespace(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			k.dump()
			return
		}
		if err := c.DeleteNamespace(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return k
}

// kubectl runs the cluster's own kubectl, as a user would, and returns what it prints.
func (k *cluster) kubectl(stdin string, args ...string) (string, error) {
	k.t.Helper()
	return k.Kubectl(context.Background(), stdin, args...)
}

func (k *cluster) mustKubectl(stdin string, args ...string) string {
	k.t.Helper()
	out, err := k.kubectl(stdin, args...)
	if err != nil {
		k.t.Fatal(err)
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

// eventually waits for a condition, and tells what was there when the patience ran out.
func (k *cluster) eventually(what string, condition func() (bool, string)) {
	k.t.Helper()
	if err := local.Await(context.Background(), local.Patience, what, condition); err != nil {
		k.t.Fatal(err)
	}
}

// locations makes the namespace's BackupLocations: s3, the default, and local.
func (k *cluster) locations() {
	k.t.Helper()
	if err := k.Locations(k.t.Context()); err != nil {
		k.t.Fatal(err)
	}
}
