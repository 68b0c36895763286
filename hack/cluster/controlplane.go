package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const etcdURL = "https://127.0.0.1:12379"

// startControlPlane starts etcd, then the API server, then what needs it.
func (c *cluster) startControlPlane(ctx context.Context) error {
	if err := c.ensure(c.etcd()); err != nil {
		return err
	}
	if err := c.answers(ctx, "etcd", etcdURL+"/health"); err != nil {
		return err
	}
	if err := c.ensure(c.apiServer()); err != nil {
		return err
	}
	if err := c.answers(ctx, "kube-apiserver", apiURL+"/readyz"); err != nil {
		return err
	}
	for _, p := range []process{c.controllerManager(), c.scheduler()} {
		if err := c.ensure(p); err != nil {
			return err
		}
	}
	if err := c.answers(ctx, "kube-controller-manager", "https://127.0.0.1:10257/healthz"); err != nil {
		return err
	}
	return c.answers(ctx, "kube-scheduler", "https://127.0.0.1:10259/healthz")
}

func (c *cluster) etcd() process {
	return process{name: "etcd", argv: []string{
		c.bin("etcd"), "--name", nodeName, "--data-dir", c.path("etcd"),
		"--listen-client-urls", etcdURL, "--advertise-client-urls", etcdURL,
		"--listen-peer-urls", "http://127.0.0.1:12380", "--initial-advertise-peer-urls", "http://127.0.0.1:12380",
		"--initial-cluster", nodeName + "=http://127.0.0.1:12380",
		"--cert-file", c.cert("etcd"), "--key-file", c.key("etcd"),
		"--client-cert-auth", "--trusted-ca-file", c.cert("ca"),
		// This cluster may lose its state with the machine's power; waiting for the disk would slow every write.
		"--unsafe-no-fsync", "--log-level", "warn",
	}, inputs: []string{c.cert("ca")}}
}

func (c *cluster) apiServer() process {
	return process{name: "kube-apiserver", argv: []string{
		c.bin("kube-apiserver"),
		"--etcd-servers=" + etcdURL, "--etcd-cafile=" + c.cert("ca"),
		"--etcd-certfile=" + c.cert("apiserver"), "--etcd-keyfile=" + c.key("apiserver"),
		"--advertise-address=" + nodeAddress, "--secure-port=" + apiPort,
		"--tls-cert-file=" + c.cert("apiserver"), "--tls-private-key-file=" + c.key("apiserver"),
		"--client-ca-file=" + c.cert("ca"), "--anonymous-auth=false",
		"--cert-dir=" + c.path("certificates"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.key("service-accounts"),
		"--service-account-signing-key-file=" + c.key("service-accounts"),
		"--service-cluster-ip-range=" + serviceRange,
		"--kubelet-certificate-authority=" + c.cert("ca"),
		"--kubelet-client-certificate=" + c.cert("apiserver"), "--kubelet-client-key=" + c.key("apiserver"),
		"--kubelet-preferred-address-types=InternalIP",
		"--profiling=false",
	}, inputs: []string{c.cert("ca")}}
}

func (c *cluster) controllerManager() process {
	login := c.login("controller-manager")
	return process{name: "kube-controller-manager", argv: []string{
		c.bin("kube-controller-manager"),
		"--kubeconfig=" + login, "--authentication-kubeconfig=" + login, "--authorization-kubeconfig=" + login,
		"--bind-address=127.0.0.1", "--leader-elect=false", "--use-service-account-credentials",
		"--service-account-private-key-file=" + c.key("service-accounts"), "--root-ca-file=" + c.cert("ca"),
		"--client-ca-file=" + c.cert("ca"), "--cert-dir=" + c.path("certificates"),
		"--flex-volume-plugin-dir=" + c.path("kubelet", "plugins"), "--profiling=false",
	}, inputs: []string{c.cert("ca")}}
}

func (c *cluster) scheduler() process {
	login := c.login("scheduler")
	return process{name: "kube-scheduler", argv: []string{
		c.bin("kube-scheduler"),
		"--kubeconfig=" + login, "--authentication-kubeconfig=" + login, "--authorization-kubeconfig=" + login,
		"--bind-address=127.0.0.1", "--leader-elect=false", "--client-ca-file=" + c.cert("ca"),
		"--cert-dir=" + c.path("certificates"), "--profiling=false",
	}, inputs: []string{c.cert("ca")}}
}

// answers waits until a component's health address says yes.
func (c *cluster) answers(ctx context.Context, name, url string) error {
	config, err := c.tlsConfig()
	if err != nil {
		return err
	}
	if name == "kube-controller-manager" || name == "kube-scheduler" {
		// Both sign certificates for themselves when they start; only whether they live is asked here.
		config.InsecureSkipVerify = true
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 3 * time.Second}
	return waitFor(ctx, name, 2*time.Minute, func(ctx context.Context) error {
		if err := c.mustRun(name); err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK {
			err = errors.Join(err, fmt.Errorf("%s answers %s: %s", url, response.Status, lastLines(string(body), 5)))
		}
		return err
	})
}
