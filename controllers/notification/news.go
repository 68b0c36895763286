package notification

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/copying"
	"github.com/sitewright/sitewright/internal/version"
)

// fresh is how long something is news: so long a mail server may be down, and no older tasks are told of when mails are turned on.
const fresh = 24 * time.Hour

// news is something to be told.
type news struct {
	event api.NotificationEvent
	// about tells two of one event apart.
	about string
	// message is what the object's Ready condition says, latest and components what is to be had, and to is the URL of a copy.
	message, latest, to string
	components          []string
}

// key is what is written down of news that were told.
func (n news) key() string {
	if n.about == "" {
		return string(n.event)
	}
	return string(n.event) + " " + n.about
}

// ofTask is what there is to tell of a task that has ended, well or not.
func ofTask(event, failed api.NotificationEvent, status *api.TaskStatus, now time.Time) []news {
	done := status.CompletionTime
	if c := meta.FindStatusCondition(status.Conditions, api.ConditionStalled); done == nil && c != nil && c.Status == metav1.ConditionTrue {
		done = &c.LastTransitionTime // It could not begin, and will not by itself.
	}
	ready := meta.FindStatusCondition(status.Conditions, api.ConditionReady)
	if done == nil || ready == nil || now.Sub(done.Time) > fresh {
		return nil
	}
	n := news{event: event, message: ready.Message}
	if ready.Status != metav1.ConditionTrue {
		n.event = failed
	}
	return []news{n}
}

// ofUpgrade is what there is to tell of an Upgrade: one that had nothing to do tells nothing, nor one that brought the site to another URL or
// runtime.
func ofUpgrade(u *api.Upgrade, now time.Time) []news {
	event, failed := api.NotificationEvent("update"), api.NotificationEvent("update_error")
	components := len(u.Spec.Plugins)+len(u.Spec.Themes) > 0
	if u.Spec.Version == api.VersionCurrent {
		event, failed = "plugin_update", "plugin_update_error"
	}
	if u.Spec.URL != "" || (u.Spec.Version == api.VersionCurrent && !components) || (u.Status.Generation == 0 && meta.IsStatusConditionTrue(u.Status.Conditions, api.ConditionReady)) {
		return nil
	}
	return ofTask(event, failed, &u.Status.TaskStatus, now)
}

// ofInstall is what there is to tell of a site.
func ofInstall(in *api.Install, now time.Time) []news {
	var list []news
	ready := meta.FindStatusCondition(in.Status.Conditions, api.ConditionReady)
	young := now.Sub(in.CreationTimestamp.Time) <= fresh && !copying.IsCopy(in) // Of a copy, the task tells that made it.
	switch stalled := meta.FindStatusCondition(in.Status.Conditions, api.ConditionStalled); {
	case in.Status.Generation > 0 && young:
		list = append(list, news{event: "install"})
	case in.Status.Generation == 0 && young && stalled != nil && stalled.Status == metav1.ConditionTrue && ready != nil:
		list = append(list, news{event: "install_error", about: fmt.Sprint(stalled.ObservedGeneration), message: ready.Message})
	}
	if meta.IsStatusConditionTrue(in.Status.Conditions, api.ConditionUpdateAvailable) {
		list = append(list, news{event: "update_available", about: in.Status.LatestVersion, latest: in.Status.LatestVersion})
	}
	if newer := newerComponents(in); len(newer) > 0 {
		sum := sha256.Sum256(fmt.Append(nil, newer))
		list = append(list, news{event: "plugin_update_available", about: hex.EncodeToString(sum[:8]), components: newer})
	}
	return list
}

// newerComponents are the plugins and themes of which there is something newer, in words.
func newerComponents(in *api.Install) []string {
	var list []string
	for _, c := range slices.Concat(in.Status.Plugins, in.Status.Themes) {
		if c.Latest != "" && version.Compare(c.Latest, c.Version) > 0 {
			list = append(list, fmt.Sprintf("%s %s (%s is to be had)", c.Name, c.Version, c.Latest))
		}
	}
	return list
}

// subject is the name of the Install whose owner is told about a task; empty where it is nobody's.
func subject(o client.Object) string {
	switch o := o.(type) {
	case *api.Install:
		return o.Name
	case *api.Backup:
		if o.Spec.InstallRef != nil {
			return o.Spec.InstallRef.Name
		}
	case *api.Clone:
		return o.Spec.SourceRef.Name
	case *api.Upgrade:
		return o.Spec.InstallRef.Name
	}
	return ""
}
