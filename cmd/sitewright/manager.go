package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers"
	"github.com/sitewright/sitewright/controllers/install"
)

// managerOptions are the flags of the manager.
type managerOptions struct {
	platform      install.Platform
	mail          mailOptions
	backups       int
	metrics       string
	health        string
	leaderElect   bool
	electionSpace string
	verbose       bool
}

// newManagerCommand runs the controllers.
func newManagerCommand() *cobra.Command {
	o := &managerOptions{}
	c := &cobra.Command{
		Use:   "manager",
		Short: "Run the controllers of every kind",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&o.platform.OperatorImage, "operator-image", "", "image of this program, which agents run (required)")
	f.StringToStringVar(&o.platform.Runtimes, "runtime", nil, "a runtime that sites can run on, NAME=IMAGE such as php-8.2=example/runtime:php-8.2; may be repeated (required)")
	f.StringVar(&o.platform.Exposure, "exposure", "ingress", "how Installs that say nothing are exposed: ingress or none")
	f.StringVar(&o.platform.IngressClass, "ingress-class", "", "class of Ingresses that name none; empty: the cluster's default")
	f.IntVar(&o.backups, "scheduled-backups", 10, "how many scheduled backups may be at work at once in the whole cluster; others that are due wait")
	f.StringVar(&o.metrics, "metrics-bind-address", "0", "address of the metrics, served over TLS to callers that may get /metrics; 0 serves none")
	f.StringVar(&o.health, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	f.BoolVar(&o.leaderElect, "leader-elect", false, "let only one of several managers work")
	f.StringVar(&o.electionSpace, "leader-election-namespace", "", "namespace of the lease; empty: the manager's own")
	o.mail.flags(f)
	f.BoolVar(&o.verbose, "verbose", false, "log every reconcile")
	return c
}

func (o *managerOptions) run(ctx context.Context) error {
	if o.platform.OperatorImage == "" || len(o.platform.Runtimes) == 0 {
		return errors.New("--operator-image and at least one --runtime are required")
	}
	if o.platform.Exposure != "ingress" && o.platform.Exposure != "none" {
		return fmt.Errorf("--exposure is %q: it must be ingress or none", o.platform.Exposure)
	}
	if o.backups < 1 {
		return fmt.Errorf("--scheduled-backups is %d: it must be at least 1", o.backups)
	}
	mail, err := o.mail.mail()
	if err != nil {
		return err
	}
	o.platform.Mail = mail != nil
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	mgr, err := o.manager()
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	if err := controllers.Setup(ctx, mgr, controllers.Options{Platform: o.platform, ScheduledBackups: o.backups, Mail: mail, Now: time.Now}); err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// manager keeps in its cache what is read often, and only what is needed of it: its own Jobs, Pods and children, and no Secrets.
func (o *managerOptions) manager() (manager.Manager, error) {
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), api.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": "sitewright"})}
	return ctrl.NewManager(restConfig, ctrl.Options{
		Scheme: scheme,
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&batchv1.Job{}: ours, &corev1.Pod{}: ours, &appsv1.Deployment{}: ours, &corev1.Service{}: ours,
			&corev1.PersistentVolumeClaim{}: ours, &networkingv1.Ingress{}: ours,
		}},
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		// A server that does not answer keeps one worker busy for a while, not every Install for ever.
		Controller:                    config.Controller{MaxConcurrentReconciles: 8, ReconciliationTimeout: 2 * time.Minute},
		Metrics:                       metricsserver.Options{BindAddress: o.metrics, SecureServing: true, FilterProvider: filters.WithAuthenticationAndAuthorization},
		HealthProbeBindAddress:        o.health,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "manager.sitewright.dev",
		LeaderElectionNamespace:       o.electionSpace,
		LeaderElectionReleaseOnCancel: true,
	})
}
