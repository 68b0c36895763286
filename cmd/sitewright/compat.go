package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat"
	"github.com/sitewright/sitewright/compat/access"
	"github.com/sitewright/sitewright/compat/wire"
)

const (
	// compatRequests is how many requests a second go to the API server at most, and compatBurst how many at once.
	compatRequests, compatBurst = 200, 400
	// compatDrain is how long requests have to end once the program is told to.
	compatDrain = 25 * time.Second
)

// compatOptions are the flags of the HTTP API.
type compatOptions struct {
	listen, health    string
	certFile, keyFile string
	keysNamespace     string
	proxies           []string
}

// newCompatCommand serves the HTTP API, and manages who may use it.
func newCompatCommand() *cobra.Command {
	o := &compatOptions{}
	c := &cobra.Command{
		Use:   "compat",
		Short: "Serve the Automation API that hosting panels speak",
		Long: `Serve the first version of the Installatron Automation API, which hosting panels and billing systems speak, under any path.

It turns requests into custom resources, acting as whoever sends them: Kubernetes' own access control decides what they may.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.listen, "bind-address", ":8088", "address to serve at")
	f.StringVar(&o.health, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	f.StringVar(&o.certFile, "tls-cert-file", "", "certificate, read again when it changes; without one requests come unencrypted")
	f.StringVar(&o.keyFile, "tls-key-file", "", "the certificate's private key")
	f.StringVar(&o.keysNamespace, "keys-namespace", defaultKeysNamespace, "namespace of the Secrets that know API keys")
	f.StringSliceVar(&o.proxies, "trusted-proxy", nil, "networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; may be repeated")
	c.AddCommand(newCompatKeyCommand(), newCompatUserCommand())
	return c
}

func (o *compatOptions) run(ctx context.Context) error {
	if (o.certFile == "") != (o.keyFile == "") {
		return errors.New("--tls-cert-file and --tls-key-file belong together")
	}
	var proxies []netip.Prefix
	for _, text := range o.proxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("--trusted-proxy %q is no network such as 10.0.0.0/8", text)
		}
		proxies = append(proxies, p)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctrl.SetLogger(logr.FromSlogHandler(log.Handler()))
	config, scheme, err := compatConfig()
	if err != nil {
		return err
	}
	// What is in memory has to be there until the last request is answered.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	server, memory, err := newCompatServer(serving, config, scheme, compat.Options{Proxies: proxies, Log: log, Now: time.Now, Drain: ctx.Done()}, o.keysNamespace)
	if err != nil {
		return err
	}
	group, serving := errgroup.WithContext(serving)
	var ready atomic.Bool
	group.Go(func() error { return memory.Start(serving) })
	group.Go(func() error { return serveHealth(serving, o.health, &ready) })
	group.Go(func() error {
		defer stop()
		if !memory.WaitForCacheSync(serving) {
			return errors.New("the objects could not be listed: see the log above")
		}
		ready.Store(true)
		return o.serve(ctx, serving, server, &ready)
	})
	return group.Wait()
}

// compatConfig is how to reach the API server, and what there is.
func compatConfig() (*rest.Config, *runtime.Scheme, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, nil, err
	}
	config.QPS, config.Burst = compatRequests, compatBurst
	scheme := runtime.NewScheme()
	return config, scheme, errors.Join(clientgoscheme.AddToScheme(scheme), api.AddToScheme(scheme))
}

// newCompatServer makes the server, and the memory that it answers from, which is yet to be started.
func newCompatServer(ctx context.Context, config *rest.Config, scheme *runtime.Scheme, o compat.Options, keys string) (*compat.Server, cache.Cache, error) {
	memory, err := cache.New(config, cache.Options{Scheme: scheme, DefaultTransform: cache.TransformStripManagedFields()})
	if err != nil {
		return nil, nil, fmt.Errorf("making the memory of objects: %w", err)
	}
	if err := compat.Indexes(ctx, memory); err != nil {
		return nil, nil, err
	}
	own, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, nil, err
	}
	tenant, err := access.NewTenant(config, own)
	if err != nil {
		return nil, nil, err
	}
	o.Cache, o.Tenant, o.Access = memory, tenant, access.New(own, memory, keys)
	server, err := compat.New(ctx, o)
	return server, memory, err
}

// serve answers requests until the context ends, and then those that are under way.
func (o *compatOptions) serve(ctx, serving context.Context, handler http.Handler, ready *atomic.Bool) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listening at %s: %w", o.listen, err)
	}
	if o.certFile != "" {
		certificates, err := certwatcher.New(o.certFile, o.keyFile)
		if err != nil {
			return fmt.Errorf("reading the certificate: %w", err)
		}
		go func() { _ = certificates.Start(serving) }() // It ends with its context; a certificate that cannot be read again stays.
		listener = tls.NewListener(listener, &tls.Config{GetCertificate: certificates.GetCertificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: wire.MostHeader,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(wire.Listen(listener)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ready.Store(false)
	limited, cancel := context.WithTimeout(serving, compatDrain)
	defer cancel()
	return server.Shutdown(limited)
}

// serveHealth tells whether the program lives, and whether it can answer.
func serveHealth(ctx context.Context, address string, ready *atomic.Bool) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			http.Error(w, "objects are still being listed, or the program ends", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // Nobody waits for a probe's answer.
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering probes at %s: %w", address, err)
	}
	return nil
}
