package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed demo
var demo embed.FS

const (
	operatorNamespace = "sitewright-system"
	demoNamespace     = "demo"
)

// nextCommands is printed when the demo's site answers. Each can be pasted as it stands.
const nextCommands = `
The site answers at http://blog.localtest/ through the ingress controller:
  curl -H 'Host: blog.localtest' http://127.0.0.1:8080/

Log in at /wp-login.php with what this prints:
  kubectl -n demo get secret blog-admin -o go-template='{{range $k, $v := .data}}{{$k}}: {{base64decode $v}}{{"\n"}}{{end}}'

What to try next:
  kubectl apply -f - <<< '{"apiVersion": "sitewright.dev/v1alpha1", "kind": "Backup", "metadata": {"name": "blog-1", "namespace": "demo"}, "spec": {"installRef": {"name": "blog"}, "locationRef": {"name": "local"}}}' && kubectl -n demo wait --for=condition=Ready backup/blog-1 --timeout=5m
  kubectl apply -f - <<< '{"apiVersion": "sitewright.dev/v1alpha1", "kind": "Clone", "metadata": {"name": "blog-staging", "namespace": "demo"}, "spec": {"sourceRef": {"name": "blog"}, "to": {"name": "blog-staging", "url": "http://staging.localtest/"}}}' && kubectl -n demo wait --for=condition=Ready clone/blog-staging --timeout=5m
  kubectl apply -f - <<< '{"apiVersion": "sitewright.dev/v1alpha1", "kind": "Restore", "metadata": {"name": "blog-undo", "namespace": "demo"}, "spec": {"backupRef": {"name": "blog-1"}}}' && kubectl -n demo wait --for=condition=Ready restore/blog-undo --timeout=5m
`

// images builds and imports the project's images, and restarts what runs them:
// their names stay the same, so Kubernetes would not notice.
func (c *cluster) images(ctx context.Context, all bool) error {
	if err := c.mustRun("containerd"); err != nil {
		return fmt.Errorf("the cluster does not run: bring it up first (%w)", err)
	}
	changed, err := c.buildProjectImages(ctx, all)
	if err != nil || len(changed) == 0 {
		return err
	}
	return c.restartOperator(ctx, changed)
}

func (c *cluster) restartOperator(ctx context.Context, changed []string) error {
	if !slices.Contains(changed, projectImages[0].name) {
		return nil
	}
	running, err := output(c.kubectl(ctx, "-n", operatorNamespace, "get", "deployments", "-o", "name", "-l", "app.kubernetes.io/name=sitewright"))
	if err != nil {
		return err
	}
	for _, deployment := range strings.Fields(running) {
		if _, err := output(c.kubectl(ctx, "-n", operatorNamespace, "rollout", "restart", deployment)); err != nil {
			return err
		}
	}
	return nil
}

// operatorAndDemo installs the operator by its chart, as its users do, and
// makes one site with it.
func (c *cluster) operatorAndDemo(ctx context.Context) error {
	if err := c.images(ctx, false); err != nil {
		return err
	}
	if !isFile(filepath.Join(c.checkout, "charts/sitewright/Chart.yaml")) {
		fmt.Println("there is no chart yet, so no operator and no demo")
		return nil
	}
	if err := c.step("operator", func() error { return c.installChart(ctx) }); err != nil {
		return err
	}
	if err := c.step("catalogue", func() error { return c.applyCatalogue(ctx) }); err != nil {
		return err
	}
	if err := c.step("demo namespace", func() error { return c.applyDemo(ctx) }); err != nil {
		return err
	}
	if err := c.step("wait for Install demo/blog", func() error { return c.waitForBlog(ctx) }); err != nil {
		return err
	}
	if err := c.step("API for hosting panels", func() error { return c.startPanel(ctx) }); err != nil {
		return err
	}
	fmt.Printf("\nEverything is up after %.0f s.\n  export KUBECONFIG=%s\n  export PATH=%s:$PATH\n%s",
		time.Since(c.began).Seconds(), c.kubeconfig(), c.path("bin"), nextCommands)
	fmt.Printf(panelCommands, panelAddress, c.panelKey())
	return nil
}

func (c *cluster) installChart(ctx context.Context) error {
	// A run that was killed in the middle leaves a release that Helm believes is still being worked on. The machine's
	// lock says that nobody is.
	if _, err := output(c.kubectl(ctx, "-n", operatorNamespace, "delete", "secrets", "--ignore-not-found",
		"-l", "owner=helm,name=sitewright,status in (pending-install,pending-upgrade,pending-rollback)")); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.bin("helm"), "upgrade", "--install", "sitewright", "charts/sitewright",
		"--kubeconfig", c.kubeconfig(), "--namespace", operatorNamespace, "--create-namespace",
		"--values", "hack/cluster/values.yaml", "--wait", "--timeout", "5m")
	cmd.Dir = c.checkout
	// Helm keeps caches and settings of its own in the user's home otherwise.
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+c.path("helm", "cache"), "HELM_CONFIG_HOME="+c.path("helm", "config"), "HELM_DATA_HOME="+c.path("helm", "data"))
	_, err := output(cmd)
	if err != nil {
		pods, _ := output(c.kubectl(ctx, "-n", operatorNamespace, "get", "pods", "-o", "wide"))
		events, _ := output(c.kubectl(ctx, "-n", operatorNamespace, "get", "events", "--sort-by", ".lastTimestamp"))
		return fmt.Errorf("%w\n%s%s", err, pods, lastLines(events, 10))
	}
	return nil
}

// applyCatalogue applies the catalogue with the releases that the local mirror serves. Server-side: a recipe is too long
// for the annotation that kubectl keeps otherwise.
func (c *cluster) applyCatalogue(ctx context.Context) error {
	objects, err := output(c.kubectl(ctx, "kustomize", filepath.Join(c.checkout, "test/catalogue")))
	if err != nil {
		return err
	}
	return c.apply(ctx, objects)
}

// applyDemo applies the manifests under demo, with the S3 server's keys beside
// them under the name that they use.
func (c *cluster) applyDemo(ctx context.Context) error {
	secrets, err := c.secrets()
	if err != nil {
		return err
	}
	keys, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret",
		"metadata":   map[string]string{"name": "s3-keys", "namespace": demoNamespace},
		"stringData": map[string]string{"access-key": secrets["s3-access-key"], "secret-key": secrets["s3-secret-key"]},
	})
	if err != nil {
		return err
	}
	objects := []string{"{apiVersion: v1, kind: Namespace, metadata: {name: " + demoNamespace + "}}", string(keys)}
	paths, err := fs.Glob(demo, "demo/*.yaml")
	if err != nil {
		return err
	}
	for _, path := range paths {
		content, err := demo.ReadFile(path)
		if err != nil {
			return err
		}
		objects = append(objects, string(content))
	}
	return c.apply(ctx, strings.Join(objects, "\n---\n"))
}

// waitForBlog shows each new message of the Install while it becomes Ready, and
// stops early when it says that it never will.
func (c *cluster) waitForBlog(ctx context.Context) error {
	said := ""
	return waitFor(ctx, "the site", 10*time.Minute, func(ctx context.Context) error {
		text, err := output(c.kubectl(ctx, "-n", demoNamespace, "get", "installs.sitewright.dev", "blog", "-o", "json"))
		if err != nil {
			return err
		}
		var install struct {
			Status struct {
				Conditions []struct{ Type, Status, Message string }
			}
		}
		if err := json.Unmarshal([]byte(text), &install); err != nil {
			return err
		}
		err = fmt.Errorf("the Install has no Ready condition yet: is the operator running?")
		for _, condition := range install.Status.Conditions {
			switch {
			case condition.Type == "Stalled" && condition.Status == "True":
				return endedError{"the Install is stalled: " + condition.Message}
			case condition.Type != "Ready":
			case condition.Status == "True":
				return nil
			default:
				if condition.Message != said {
					said = condition.Message
					fmt.Println("  " + said)
				}
				err = fmt.Errorf("the Install is not Ready: %s", said)
			}
		}
		return err
	})
}
