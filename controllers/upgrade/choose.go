package upgrade

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
)

// keepBackup is how long a Backup is kept that was made before an upgrade.
const keepBackup = 30 * 24 * time.Hour

// findInstall reads the Install, which must serve.
func (t *task) findInstall(ctx context.Context) (*step.Wait, error) {
	name := t.installName()
	err := t.Read(ctx, name)
	if apierrors.IsNotFound(err) {
		return nil, step.Invalid(fmt.Sprintf("spec.installRef: Install %s does not exist in namespace %s", name, t.upgrade.Namespace))
	}
	if err != nil {
		return nil, fmt.Errorf("reading Install %s: %w", name, err)
	}
	in, doing := t.Install, "upgrade it"
	if t.moves() {
		doing = "move it to another URL"
	}
	switch {
	case in.Spec.Database != nil && in.Spec.Database.Existing != nil:
		return nil, step.NotImplemented(fmt.Sprintf(
			"Install %s uses spec.database.existing: this version of Sitewright cannot %s, since one database has no room for two generations", name, doing))
	case in.Status.Generation == 0:
		return step.Dependency(fmt.Sprintf("Install %s does not serve yet: %s", name, step.Message(in.Status.Conditions))), nil
	case in.Status.Version == "" && !t.moves():
		return nil, step.Invalid(fmt.Sprintf("Install %s: it is not known which version serves, so that nothing can be upgraded", name))
	}
	return nil, nil
}

// components says whether plugins or themes are to be updated.
func (t *task) components() bool { return len(t.upgrade.Spec.Plugins)+len(t.upgrade.Spec.Themes) > 0 }

// moves says whether the site goes to another URL.
func (t *task) moves() bool { return t.upgrade.Spec.URL != "" }

// place settles from where to where the site moves. The URL is asked for anew each time, until the site is asked to serve there: an older Install may
// have come to want it.
func (t *task) place(ctx context.Context) (*step.Wait, error) {
	in, to := t.Install, string(t.upgrade.Spec.URL)
	if t.status.StartTime == nil {
		if string(in.Spec.URL) != to && metav1.IsControlledBy(t.upgrade, in) {
			// The Install made this one, and has come to want something else.
			return step.Progressing("no longer wanted"), client.IgnoreNotFound(t.Delete(ctx, t.upgrade))
		}
		if string(in.Spec.URL) != to {
			return nil, step.Invalid(fmt.Sprintf("spec.url: Install %s is to be at %s: change its spec.url, which makes the Upgrade", in.Name, in.Spec.URL))
		}
		t.status.FromURL, t.status.FromVersion, t.status.ToVersion, t.status.Runtime = in.Status.URL, in.Status.Version, in.Status.Version, in.Status.Runtime
	}
	return nil, t.Sites.Free(ctx, in, to)
}

// reruns says whether the Install is to run on another runtime than it does.
func (t *task) reruns() bool {
	name := t.Install.Spec.Runtime.Name
	return name != "" && name != t.Install.Status.Runtime
}

// choose settles the release and the runtime, and refuses what cannot be before anything is touched. Once the upgrade has begun it stays with them.
func (t *task) choose(ctx context.Context) (*step.Wait, error) {
	if t.moves() {
		return t.place(ctx)
	}
	want, begun := t.upgrade.Spec.Version, t.status.StartTime != nil
	if want == api.VersionCurrent && !begun && !t.components() && !t.reruns() {
		return nil, step.Invalid("spec: with version current there is nothing to do: name plugins or themes, or another version, or have the Install name another runtime")
	}
	if begun && t.status.ToVersion != t.status.FromVersion {
		want = t.status.ToVersion
	} else if begun {
		want = api.VersionCurrent
	}
	if !begun {
		t.status.FromVersion, t.status.ToVersion, t.status.Runtime = t.Install.Status.Version, t.Install.Status.Version, t.Install.Status.Runtime
	}
	if want == api.VersionCurrent {
		if name := t.Install.Spec.Runtime.Name; !begun && t.reruns() && t.Sites.Platform.Runtimes[name] != "" {
			t.status.Runtime = name
		}
		return nil, nil
	}
	u, wait, err := t.Sites.Upgrades(ctx, t.Install)
	if wait != nil || err != nil {
		return wait, err
	}
	release, runtime, err := u.To(want)
	if err != nil || release == nil {
		return nil, err
	}
	t.release = release
	if !begun {
		t.status.ToVersion, t.status.Runtime = release.Version, runtime
	}
	return nil, nil
}

// make does the work, if there is any.
func (t *task) make(ctx context.Context) (*step.Wait, error) {
	moved := t.moves() && t.status.FromURL != string(t.upgrade.Spec.URL)
	if t.release == nil && !t.components() && !moved && t.status.Runtime == t.Install.Status.Runtime {
		return nil, nil
	}
	o := step.Run(ctx, t.backUp, t.Hold, t.Room, t.run, t.Switched)
	return o.Wait, o.Err
}

// backUp makes a Backup, where one is asked for, and waits for it. It waits as for something else that is not ready: the Backup itself has to come to
// its turn at the Install.
func (t *task) backUp(ctx context.Context) (*step.Wait, error) {
	if !t.upgrade.Spec.Backup || t.status.StartTime != nil {
		return nil, nil
	}
	uid := string(t.upgrade.UID)
	name := names.BackupBefore(t.upgrade.Name, uid)
	b := &api.Backup{}
	err := t.Get(ctx, client.ObjectKey{Namespace: t.upgrade.Namespace, Name: name}, b)
	if apierrors.IsNotFound(err) {
		err := t.Create(ctx, &api.Backup{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: t.upgrade.Namespace,
				Labels:      job.Labels(map[string]string{api.LabelInstall: t.Install.Name}),
				Annotations: map[string]string{api.AnnotationUpgradeUID: uid}},
			Spec: api.BackupSpec{InstallRef: &t.upgrade.Spec.InstallRef, TTL: &metav1.Duration{Duration: keepBackup},
				Note: fmt.Sprintf("before Upgrade %s from %s to %s", t.upgrade.Name, t.status.FromVersion, t.status.ToVersion)},
		})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return nil, fmt.Errorf("making Backup %s: %w", name, err)
		}
		return step.Dependency(fmt.Sprintf("waiting for Backup %s", name)), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Backup %s: %w", name, err)
	}
	if b.Annotations[api.AnnotationUpgradeUID] != uid {
		return nil, step.Invalid(fmt.Sprintf("Backup %s is there already, and was not made for this Upgrade: delete it, or name the Upgrade otherwise", name))
	}
	t.status.Backup = name
	if why, stalled := step.IsStalled(b.Status.Conditions); stalled {
		return nil, step.Failed(fmt.Sprintf("nothing was changed, since Backup %s failed: %s; delete it to have it made again", name, why))
	}
	if b.DeletionTimestamp != nil || !step.IsReady(b.Status.Conditions, 0) {
		return step.Dependency(fmt.Sprintf("waiting for Backup %s: %s", name, step.Message(b.Status.Conditions))), nil
	}
	return nil, nil
}
