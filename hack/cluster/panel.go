package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// panelAddress is where the HTTP API for hosting panels is on this machine.
	panelAddress = "127.0.0.1:8088"
	// panelUser is the administrator whose key is kept for whoever tries it.
	panelUser = demoNamespace
)

// panelCommands is printed when the API answers. Each can be pasted as it stands.
const panelCommands = `
The HTTP API for hosting panels answers at http://%[1]s/, with the administrator's key in %[2]s:
  curl -s -H "X-API-KEY: $(cat %[2]s)" 'http://%[1]s/installatron/?api=json&cmd=installs'
  curl -s -H "X-API-KEY: $(cat %[2]s)" http://%[1]s/installatron/ -d api=json -d cmd=install -d application=wordpress -d url=http://panel.localtest/ -d background=1
  curl -s -H "X-API-KEY: $(cat %[2]s)" 'http://%[1]s/installatron/?api=json&cmd=tasks'
`

// panel leads from this machine's loopback to the Service of the API.
func (c *cluster) panel(service string) process {
	return process{name: "panel", argv: []string{c.path("provisioner"), "forward", panelAddress, service}}
}

// startPanel brings up the way to the API, and makes an administrator and a key.
func (c *cluster) startPanel(ctx context.Context) error {
	service, err := output(c.kubectl(ctx, "-n", operatorNamespace, "get", "service", "sitewright-compat", "-o", "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}"))
	if err != nil {
		return err
	}
	if err := c.ensure(c.panel(strings.TrimSpace(service))); err != nil {
		return err
	}
	if _, err := c.sitewright(ctx, "compat", "user", "create", panelUser, "--namespace", demoNamespace, "--administrator"); err != nil {
		return err
	}
	if err := c.keepPanelKey(ctx); err != nil {
		return err
	}
	return waitFor(ctx, "the API for hosting panels", time.Minute, func(ctx context.Context) error {
		if err := c.mustRun("panel"); err != nil {
			return err
		}
		key, err := os.ReadFile(c.panelKey())
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+panelAddress+"/?api=json&cmd=installs", nil)
		if err != nil {
			return err
		}
		request.Header.Set("X-API-KEY", strings.TrimSpace(string(key)))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && !strings.Contains(string(body), `"result":true`) {
			err = fmt.Errorf("it answers %s", body)
		}
		return err
	})
}

func (c *cluster) panelKey() string { return c.path("compat-key") }

// keepPanelKey makes the administrator's key, once.
func (c *cluster) keepPanelKey(ctx context.Context) error {
	if isFile(c.panelKey()) {
		return nil
	}
	key, err := c.sitewright(ctx, "compat", "key", "create", panelUser)
	if err != nil {
		return err
	}
	return writeFile(c.panelKey(), []byte(key), 0o600)
}

// sitewright runs the program on the cluster as its administrator.
func (c *cluster) sitewright(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "bin/sitewright", args...)
	cmd.Dir = c.checkout
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig())
	return output(cmd)
}

// forward passes bytes on, as they are, from one address to another.
func forward(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("forward needs two addresses")
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", args[0])
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	for {
		from, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer from.Close()
			to, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", args[1])
			if err != nil {
				fmt.Fprintln(os.Stderr, "forward:", err)
				return
			}
			defer to.Close()
			ended := make(chan struct{}, 2)
			pass := func(to, from net.Conn) {
				_, _ = io.Copy(to, from) // Either end may go at any time.
				if half, ok := to.(*net.TCPConn); ok {
					_ = half.CloseWrite()
				}
				ended <- struct{}{}
			}
			go pass(to, from)
			go pass(from, to)
			<-ended
			<-ended
		}()
	}
}
