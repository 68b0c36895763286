package main

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

//go:embed manifests
var manifests embed.FS

// addons are the cluster's own Deployments, as namespace/name.
var addons = []string{"kube-system/coredns", "ingress/traefik", "storage/s3", "mirror/releases"}

// addonManifests are applied in this order: volumes before what claims them.
var addonManifests = []string{"volumes", "dns", "ingress", "storage", "mirror"}

const (
	s3Address = "127.0.0.1:7070"
	s3Bucket  = "backups"
)

func (c *cluster) applyAddons(ctx context.Context, v values) error {
	var err error
	if v.Secrets, err = c.secrets(); err != nil {
		return err
	}
	var all []string
	for _, name := range addonManifests {
		text, err := fill(manifests, "manifests/"+name+".yaml", v)
		if err != nil {
			return err
		}
		all = append(all, string(text))
	}
	return c.apply(ctx, strings.Join(all, "\n---\n"))
}

func (c *cluster) apply(ctx context.Context, objects string) error {
	cmd := c.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "-f", "-")
	cmd.Stdin = strings.NewReader(objects)
	_, err := output(cmd)
	return err
}

// secrets are made once per cluster.
func (c *cluster) secrets() (map[string]string, error) {
	path := c.path("secrets.json")
	kept := map[string]string{}
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &kept)
		return kept, err
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	kept["s3-access-key"], kept["s3-secret-key"] = rand.Text(), rand.Text()
	content, err = json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	return kept, writeFile(path, content, 0o600)
}

func (c *cluster) waitForAddons(ctx context.Context) error {
	for _, addon := range addons {
		namespace, name, _ := strings.Cut(addon, "/")
		if err := c.waitForDeployment(ctx, namespace, name, 2*time.Minute); err != nil {
			return err
		}
	}
	return errors.Join(c.askDNS(ctx), c.askIngress(ctx), c.makeBucket(ctx))
}

// askDNS and askIngress ask the servers themselves: after a crash a Deployment's
// status still says what was true before, until the kubelet has looked again.
func (c *cluster) askDNS(ctx context.Context) error {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, net.JoinHostPort(dnsAddress, "53"))
	}}
	return waitFor(ctx, "DNS to know Services", time.Minute, func(ctx context.Context) error {
		_, err := resolver.LookupHost(ctx, "releases.mirror.svc.cluster.local.")
		return err
	})
}

func (c *cluster) askIngress(ctx context.Context) error {
	return waitFor(ctx, "the ingress controller", time.Minute, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8082/ping", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", response.Status)
		}
		return nil
	})
}

// waitForDeployment waits until what was applied last is what answers. When it
// does not come, the pods and their events are part of the error.
func (c *cluster) waitForDeployment(ctx context.Context, namespace, name string, limit time.Duration) error {
	_, err := output(c.kubectl(ctx, "-n", namespace, "rollout", "status", "deployment/"+name, "--timeout", limit.String()))
	if err == nil {
		return nil
	}
	pods, _ := output(c.kubectl(ctx, "-n", namespace, "get", "pods", "-o", "wide"))
	events, _ := output(c.kubectl(ctx, "-n", namespace, "get", "events", "--sort-by", ".lastTimestamp"))
	return fmt.Errorf("%w\n%s%s", err, pods, lastLines(events, 10))
}

func (c *cluster) makeBucket(ctx context.Context) error {
	secrets, err := c.secrets()
	if err != nil {
		return err
	}
	client, err := minio.New(s3Address, &minio.Options{
		Creds:  credentials.NewStaticV4(secrets["s3-access-key"], secrets["s3-secret-key"], ""),
		Region: "us-east-1",
	})
	if err != nil {
		return err
	}
	return waitFor(ctx, "the S3 server", time.Minute, func(ctx context.Context) error {
		exists, err := client.BucketExists(ctx, s3Bucket)
		if err != nil || exists {
			return err
		}
		return client.MakeBucket(ctx, s3Bucket, minio.MakeBucketOptions{Region: "us-east-1"})
	})
}

// fillMirror makes the release archives that the mirror serves.
func (c *cluster) fillMirror(ctx context.Context) error {
	dir := filepath.Join(c.cache, "releases")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	sources, err := filepath.Glob(filepath.Join(c.checkout, "hack/releases/*.go"))
	if err != nil || len(sources) == 0 {
		return err
	}
	if !slices.ContainsFunc(sources, func(path string) bool { return filepath.Base(path) == "main.go" }) {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", "run", "./hack/releases", "--out", dir)
	cmd.Dir = c.checkout
	_, err = output(cmd)
	return err
}
