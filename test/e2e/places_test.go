package e2e

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/storage/storagetest"
)

// TestPlaces backs a WordPress up to servers outside the cluster, an OpenSSH and an Apache with mod_dav, and restores it from there. Then
// the SSH server comes back with another key.
func TestPlaces(t *testing.T) {
	k := newCluster(t, "e2e-places")
	key, line := storagetest.SSHKey(t, "")
	ssh := storagetest.StartOpenSSH(t, string(key))
	dav := storagetest.StartApache(t, "dav password", "", "Digest", false)
	node := k.nodeAddress()
	front := k.expose(node, fmt.Sprintf("%s:%d", ssh.Host, ssh.Port))
	sshHost, sshPort, _ := net.SplitHostPort(front.address)
	k.secret("vault-login", map[string]string{"username": ssh.User, "ssh-privatekey": string(ssh.PrivateKey)})
	k.secret("cloud-login", map[string]string{"username": "backup", "password": "dav password"})
	vault := fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: BackupLocation
metadata: {name: vault}
spec:
  sftp: {host: %s, port: %s, path: %q, credentialsSecretRef: {name: vault-login}}
`, sshHost, sshPort, filepath.Join(t.TempDir(), "made", "for", "backups"))
	k.apply(vault + fmt.Sprintf(`
---
apiVersion: sitewright.dev/v1alpha1
kind: BackupLocation
metadata: {name: cloud}
spec:
  webdav: {url: "http://%s/backups/sites", credentialsSecretRef: {name: cloud-login}}
---
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, url: "http://places.localtest/"}
`, k.expose(node, dav.Address).address))
	var l api.BackupLocation
	k.ready(&l, "vault")
	if pinned := l.Status.HostKey; !strings.HasSuffix(pinned, line) || !strings.HasPrefix(pinned, "["+sshHost+"]:"+sshPort+" ") {
		t.Errorf("the server shows %q, and %q is remembered", line, pinned)
	}
	k.ready(&l, "cloud")
	blog := k.open("blog", "http://places.localtest/")
	content := blog.fill("gamma")
	for _, place := range []string{"vault", "cloud"} {
		k.apply(fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: in-%[1]s}
spec: {installRef: {name: blog}, locationRef: {name: %[1]s}}
`, place))
		k.ready(&api.Backup{}, "in-"+place)
		blog.rest("POST", fmt.Sprintf("/wp/v2/posts/%d", content.post), map[string]any{"title": "Vandalized", "content": "gone"}, nil)
		k.apply(fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Restore
metadata: {name: from-%[1]s}
spec: {backupRef: {name: in-%[1]s}}
`, place))
		k.ready(&api.Restore{}, "from-"+place)
		blog = k.open("blog", "http://places.localtest/")
		blog.check(content, "gamma")
	}

	other, _ := storagetest.SSHKey(t, "")
	stranger := storagetest.StartOpenSSH(t, string(other))
	front.behind.Store(fmt.Sprintf("%s:%d", stranger.Host, stranger.Port))
	k.mustKubectl("", "patch", "backuplocation", "vault", "--type=merge", "-p", `{"spec":{"default":true}}`) // It is looked at at once.
	k.complains(&api.BackupLocation{}, "vault", []string{api.ReasonRetrying}, "host key", "SHA256:")
}

func (k *cluster) secret(name string, data map[string]string) {
	k.t.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: name}, StringData: data}
	if err := k.Create(k.t.Context(), s); err != nil {
		k.t.Fatal(err)
	}
}

// nodeAddress is where pods reach this machine.
func (k *cluster) nodeAddress() string {
	k.t.Helper()
	var nodes corev1.NodeList
	if err := k.List(k.t.Context(), &nodes, client.Limit(1)); err != nil || len(nodes.Items) == 0 {
		k.t.Fatalf("there is no node (%v)", err)
	}
	for _, a := range nodes.Items[0].Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	k.t.Fatalf("node %s has no address", nodes.Items[0].Name)
	return ""
}

// exposed is a server on the loopback interface that pods reach as well.
type exposed struct {
	address string
	behind  atomic.Value // where connections go, a string
}

// expose passes connections to a port of the node's address on.
func (k *cluster) expose(node, behind string) *exposed {
	k.t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(node, "0"))
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { listener.Close() })
	e := &exposed{address: listener.Addr().String()}
	e.behind.Store(behind)
	go func() {
		for {
			front, err := listener.Accept()
			if err != nil {
				return
			}
			go e.pass(front)
		}
	}()
	return e
}

func (e *exposed) pass(front net.Conn) {
	defer front.Close()
	back, err := net.Dial("tcp", e.behind.Load().(string))
	if err != nil {
		return
	}
	defer back.Close()
	go func() {
		_, _ = io.Copy(back, front) // It ends with either side.
		back.Close()
	}()
	_, _ = io.Copy(front, back)
}
