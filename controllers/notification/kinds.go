package notification

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	ac "github.com/sitewright/sitewright/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

// Kind is a kind of objects that there is something to tell of.
type Kind struct {
	name          string
	object        func() client.Object
	news          func(client.Object, time.Time) []news
	notified      func(client.Object) []string
	configuration func(client.Object, []string) runtime.ApplyConfiguration
}

// Name of the kind.
func (k Kind) Name() string { return k.name }

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{
		kindOf("Install", func(o *api.Install, now time.Time) []news { return ofInstall(o, now) },
			func(o *api.Install) []string { return o.Status.Notified },
			func(o *api.Install, told []string) runtime.ApplyConfiguration {
				return ac.Install(o.Name, o.Namespace).WithUID(o.UID).WithStatus(ac.InstallStatus().WithNotified(told...))
			}),
		kindOf("Backup", func(o *api.Backup, now time.Time) []news {
			return ofTask("backup", "backup_error", &o.Status.TaskStatus, now)
		},
			func(o *api.Backup) []string { return o.Status.Notified },
			func(o *api.Backup, told []string) runtime.ApplyConfiguration {
				return ac.Backup(o.Name, o.Namespace).WithUID(o.UID).WithStatus(ac.BackupStatus().WithNotified(told...))
			}),
		kindOf("Restore", func(o *api.Restore, now time.Time) []news {
			return ofTask("restore", "restore_error", &o.Status.TaskStatus, now)
		},
			func(o *api.Restore) []string { return o.Status.Notified },
			func(o *api.Restore, told []string) runtime.ApplyConfiguration {
				return ac.Restore(o.Name, o.Namespace).WithUID(o.UID).WithStatus(ac.RestoreStatus().WithNotified(told...))
			}),
		kindOf("Clone", func(o *api.Clone, now time.Time) []news {
			list := ofTask("clone", "clone_error", &o.Status.TaskStatus, now)
			for i := range list {
				list[i].to = o.Status.URL
			}
			return list
		},
			func(o *api.Clone) []string { return o.Status.Notified },
			func(o *api.Clone, told []string) runtime.ApplyConfiguration {
				return ac.Clone(o.Name, o.Namespace).WithUID(o.UID).WithStatus(ac.CloneStatus().WithNotified(told...))
			}),
		kindOf("Upgrade", ofUpgrade,
			func(o *api.Upgrade) []string { return o.Status.Notified },
			func(o *api.Upgrade, told []string) runtime.ApplyConfiguration {
				return ac.Upgrade(o.Name, o.Namespace).WithUID(o.UID).WithStatus(ac.UpgradeStatus().WithNotified(told...))
			}),
	}
}

// kindOf is a kind by its type.
func kindOf[T any, P interface {
	*T
	client.Object
}](name string, tell func(P, time.Time) []news, notified func(P) []string, configuration func(P, []string) runtime.ApplyConfiguration) Kind {
	return Kind{
		name:          name,
		object:        func() client.Object { return P(new(T)) },
		news:          func(o client.Object, now time.Time) []news { return tell(o.(P), now) },
		notified:      func(o client.Object) []string { return notified(o.(P)) },
		configuration: func(o client.Object, told []string) runtime.ApplyConfiguration { return configuration(o.(P), told) },
	}
}
