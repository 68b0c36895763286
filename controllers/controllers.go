// Package controllers is the one visible list of what the manager runs.
package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sitewright/sitewright/controllers/application"
	"github.com/sitewright/sitewright/controllers/backup"
	"github.com/sitewright/sitewright/controllers/backuplocation"
	"github.com/sitewright/sitewright/controllers/backupschedule"
	"github.com/sitewright/sitewright/controllers/clone"
	"github.com/sitewright/sitewright/controllers/databaseserver"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/notification"
	"github.com/sitewright/sitewright/controllers/restore"
	"github.com/sitewright/sitewright/controllers/upgrade"
)

// Options are what the operator was given.
type Options struct {
	Platform install.Platform
	// ScheduledBackups is how many of the Backups that schedules make may be unfinished at once.
	ScheduledBackups int
	// Mail is nil where there is no mail server.
	Mail *notification.Mail
	Now  func() time.Time
}

// Setup registers every controller with a manager.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	platform, now := o.Platform, o.Now
	clientset, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("making a client for logs: %w", err)
	}
	c, events := mgr.GetClient(), mgr.GetEventRecorder("sitewright")
	jobs := &job.Runner{Client: c, Pods: clientset.CoreV1(), OperatorImage: platform.OperatorImage}
	sites := &install.Reconciler{Client: c, Live: mgr.GetAPIReader(), Jobs: jobs, Events: events, Now: now, Platform: platform}
	for name, setup := range map[string]func() error{
		"Application": func() error {
			return (&application.Reconciler{Client: c, Events: events, Now: now}).SetupWithManager(mgr)
		},
		"DatabaseServer": func() error {
			return (&databaseserver.Reconciler{Client: c, Events: events, Now: now}).SetupWithManager(mgr)
		},
		"BackupLocation": func() error {
			return (&backuplocation.Reconciler{Client: c, Live: mgr.GetAPIReader(), Jobs: jobs, Events: events, Now: now}).SetupWithManager(mgr)
		},
		"Install": func() error { return sites.SetupWithManager(ctx, mgr) },
		"Backup": func() error {
			return (&backup.Reconciler{Client: c, Jobs: jobs, Sites: sites, Events: events, Now: now}).SetupWithManager(ctx, mgr)
		},
		"Restore": func() error {
			return (&restore.Reconciler{Client: c, Jobs: jobs, Sites: sites, Events: events, Now: now}).SetupWithManager(ctx, mgr)
		},
		"Upgrade": func() error {
			return (&upgrade.Reconciler{Client: c, Jobs: jobs, Sites: sites, Events: events, Now: now}).SetupWithManager(ctx, mgr)
		},
		"Clone": func() error { return (&clone.Reconciler{Client: c, Events: events, Now: now}).SetupWithManager(mgr) },
		"BackupSchedule": func() error {
			return (&backupschedule.Reconciler{Client: c, Events: events, Now: now}).SetupWithManager(mgr)
		},
		"the backups of Installs": func() error {
			return (&backupschedule.Sites{Client: c, Live: mgr.GetAPIReader(), Now: now, Most: o.ScheduledBackups}).SetupWithManager(ctx, mgr)
		},
	} {
		if err := setup(); err != nil {
			return fmt.Errorf("setting up the controller of %s: %w", name, err)
		}
	}
	if o.Mail == nil {
		return nil
	}
	for _, kind := range notification.Kinds() {
		r := &notification.Reconciler{Client: c, Live: mgr.GetAPIReader(), Events: events, Now: now, Mail: *o.Mail, Kind: kind}
		if err := r.SetupWithManager(mgr); err != nil {
			return fmt.Errorf("setting up the controller of mails about %ss: %w", kind.Name(), err)
		}
	}
	return nil
}
