package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// noon is a zone in which it is about noon now: what is made within minutes is of one day there.
func noon(now time.Time) (name string, zone *time.Location) {
	ahead := 12 - now.UTC().Hour()
	// The names of these zones count westwards: https://data.iana.org/time-zones/tzdb/etcetera.
	return fmt.Sprintf("Etc/GMT%+d", -ahead), time.FixedZone("", ahead*3600)
}

// TestSchedule backs a WordPress up by a schedule, on a clock that nobody moves, and removes what is not kept.
func TestSchedule(t *testing.T) {
	k := newCluster(t, "e2e-schedule")
	k.locations()
	k.schedule("03:00", "Europe/Atlantis")
	k.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: blog}
spec: {application: wordpress, url: "http://schedule.localtest/", backups: {scheduleRef: {name: nightly}}}
`)
	k.complains(&api.BackupSchedule{}, "nightly", []string{api.ReasonInvalidSpec}, `time zone "Europe/Atlantis" is not known`)
	k.ready(&api.Install{}, "blog")
	k.backedUp("blog", metav1.ConditionFalse, "BackupSchedule nightly: spec.timeZone")
	k.apply(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: short-lived}
spec: {installRef: {name: blog}, ttl: 1m}
`)
	k.ready(&api.Backup{}, "short-lived")

	first := k.runOfSchedule("")
	k.backedUp("blog", metav1.ConditionTrue, "Backup "+first.Name)
	second := k.runOfSchedule(first.Name)
	k.backedUp("blog", metav1.ConditionTrue, "Backup "+second.Name)
	k.eventually("the first backup of the day to make room for the second, and the one that was not to be kept to expire", func() (bool, string) {
		var left api.BackupList
		if err := k.List(t.Context(), &left, client.InNamespace(k.namespace)); err != nil {
			return false, err.Error()
		}
		var names []string
		for _, b := range left.Items {
			names = append(names, b.Name)
		}
		return len(names) == 1 && names[0] == second.Name, strings.Join(names, " ")
	})
	var in api.Install
	k.ready(&in, "blog")
	if in.Status.LastBackup == nil || in.Status.LastBackup.Name != second.Name || in.Status.NextBackup == nil || !in.Status.NextBackup.After(time.Now()) {
		t.Errorf("the Install says of its backups: %+v, next %v", in.Status.LastBackup, in.Status.NextBackup)
	}
}

func (k *cluster) schedule(at, zone string) {
	k.t.Helper()
	k.apply(fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: BackupSchedule
metadata: {name: nightly}
spec: {at: "%s", timeZone: %s, window: 0s, keep: {daily: 1}, locationRef: {name: s3}}
`, at, zone))
}

// runOfSchedule has a backup made in the next minute, and waits for it to be Ready: another than the one named.
func (k *cluster) runOfSchedule(other string) *api.Backup {
	k.t.Helper()
	name, zone := noon(time.Now())
	k.schedule(time.Now().Add(70*time.Second).In(zone).Format("15:04"), name)
	b := &api.Backup{}
	k.eventually("the schedule to make a Backup that is Ready", func() (bool, string) {
		var in api.Install
		k.read(&in, "blog")
		if last := in.Status.LastBackup; last == nil || last.Name == other || !strings.HasPrefix(last.Name, "blog-2") {
			return false, fmt.Sprintf("last %+v, next %v", last, in.Status.NextBackup)
		}
		conditions := k.read(b, in.Status.LastBackup.Name)
		return meta.IsStatusConditionTrue(conditions, api.ConditionReady), fmt.Sprint(conditions)
	})
	if b.Labels[api.LabelSchedule] != "nightly" || b.Status.Snapshot.Location != "s3" {
		k.t.Errorf("Backup %s is of schedule %q and in location %s", b.Name, b.Labels[api.LabelSchedule], b.Status.Snapshot.Location)
	}
	return b
}

// backedUp waits for an Install's condition BackedUp to be so.
func (k *cluster) backedUp(install string, want metav1.ConditionStatus, text string) {
	k.t.Helper()
	k.eventually(fmt.Sprintf("BackedUp of Install %s to be %s: %s", install, want, text), func() (bool, string) {
		c := meta.FindStatusCondition(k.read(&api.Install{}, install), api.ConditionBackedUp)
		if c == nil {
			return false, "no condition"
		}
		return c.Status == want && strings.Contains(c.Message, text), fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
	})
}
