package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/controllers/operation"
	"github.com/sitewright/sitewright/controllers/step"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/version"
)

// update makes the Upgrade that spec.version or the update policy asks for, and says what the catalogue has. A site that does not come up to
// spec.version is not Ready; one that an update by its policy failed for is.
func (s *site) update(ctx context.Context) (*step.Wait, error) {
	if s.status.Version == "" {
		return nil, nil // The recipe does not tell.
	}
	u := s.upgrades()
	s.available(u)
	floor := s.in.Spec.Version
	if floor != "" && version.Compare(floor, s.status.Version) > 0 {
		if _, _, err := u.To(floor); err != nil {
			return nil, err
		}
	} else {
		floor = ""
	}
	want := floor
	if p := s.in.Spec.Updates; p != nil {
		if r, _ := u.Newest(p.Policy); r != nil && (want == "" || version.Compare(r.Version, want) > 0) {
			want = r.Version
		}
	}
	if want == "" {
		return nil, nil
	}
	wait, err := s.upgradeTo(ctx, want)
	if floor == "" && (step.Outcome{Err: err}).Stalled() != nil {
		s.say(err.Error())
		return nil, nil
	}
	if floor == "" {
		return nil, err
	}
	return wait, err
}

// available says whether the catalogue has a release that the site can be upgraded to.
func (s *site) available(u *Upgrades) {
	s.status.LatestVersion = s.status.Version
	c := metav1.Condition{Type: api.ConditionUpdateAvailable, Status: metav1.ConditionFalse, Reason: api.ReasonSucceeded,
		Message:            fmt.Sprintf("the catalogue has nothing newer than %s that this site can be upgraded to", s.status.Version),
		ObservedGeneration: s.in.Generation, LastTransitionTime: metav1.NewTime(s.now)}
	if r, _ := u.Newest(api.UpdateAny); r != nil {
		s.status.LatestVersion = r.Version
		c.Status, c.Message = metav1.ConditionTrue, fmt.Sprintf("%s %s can be upgraded to %s", s.app.Spec.DisplayName, s.status.Version, r.Version)
	}
	meta.SetStatusCondition(&s.status.Conditions, c)
}

// say adds to what is said of updates.
func (s *site) say(message string) {
	c := meta.FindStatusCondition(s.status.Conditions, api.ConditionUpdateAvailable)
	c.Message = step.Bounded(c.Message+"; "+message, mostSwitchMessage)
}

// upgradeTo makes the Upgrade to a version, and follows it.
func (s *site) upgradeTo(ctx context.Context, to string) (*step.Wait, error) {
	p := s.in.Spec.Updates
	return s.follow(ctx, change{
		name: names.Bounded(mostUpgradeName, s.in.Name, slug(to)),
		spec: api.UpgradeSpec{Version: to, Backup: p != nil && (p.Backup == nil || *p.Backup)},
		to:   "version " + to, now: fmt.Sprintf("version %s serves", s.status.Version),
	})
}

// rerun has the site run on the runtime of its spec, in the version that serves.
func (s *site) rerun(ctx context.Context) (*step.Wait, error) {
	to := s.in.Spec.Runtime.Name
	if to == "" || to == s.status.Runtime {
		return nil, nil
	}
	if err := s.knownRuntime(to); err != nil {
		return nil, err
	}
	if r := s.upgrades().find(s.status.Version); r != nil && !supports(r, to) {
		return nil, step.Invalid(fmt.Sprintf("spec.runtime.name %s: %s %s needs PHP %s, and stays on %s: choose another runtime, or upgrade the site with it",
			to, s.app.Spec.DisplayName, s.status.Version, r.Requirements.PHP, s.status.Runtime))
	}
	return s.follow(ctx, change{
		name: names.Bounded(mostUpgradeName, s.in.Name, "runtime", strconv.FormatInt(s.status.Generation, 10), slug(to)),
		spec: api.UpgradeSpec{Version: api.VersionCurrent}, to: "runtime " + to, now: fmt.Sprintf("the site runs on %s", s.status.Runtime),
	})
}

// move has the site moved to the URL of its spec.
func (s *site) move(ctx context.Context) (*step.Wait, error) {
	to := string(s.in.Spec.URL)
	if strings.TrimRight(to, "/") == strings.TrimRight(s.status.URL, "/") {
		s.status.URL = to
		return nil, nil
	}
	if err := s.Free(ctx, s.in, to); err != nil {
		return nil, err
	}
	// The generation is part of the name: a site that has moved away may come back.
	place := sha256.Sum256([]byte(to))
	name := names.Bounded(mostUpgradeName, s.in.Name, "move", strconv.FormatInt(s.status.Generation, 10), hex.EncodeToString(place[:])[:6])
	return s.follow(ctx, change{
		name: name, spec: api.UpgradeSpec{URL: s.in.Spec.URL}, to: "URL " + to, now: fmt.Sprintf("the site is at %s", s.status.URL),
	})
}

// change is an Upgrade that the spec asks for.
type change struct {
	name string
	spec api.UpgradeSpec
	// to is what it brings, and now what there is instead.
	to, now string
}

// follow makes an Upgrade once, and follows it. One that failed is not repeated, nor one whose generation was given up since: it is said which to delete to
// have it tried again.
func (s *site) follow(ctx context.Context, c change) (*step.Wait, error) {
	var under api.UpgradeList
	if err := s.List(ctx, &under, client.InNamespace(s.in.Namespace), client.MatchingFields{operation.IndexInstall: s.in.Name}); err != nil {
		return nil, fmt.Errorf("listing the Upgrades of the Install: %w", err)
	}
	for i := range under.Items {
		other := &under.Items[i]
		if other.Name != c.name && other.Status.CompletionTime == nil {
			return step.Progressing(fmt.Sprintf("waiting for Upgrade %s: %s", other.Name, step.Message(other.Status.Conditions))), nil
		}
	}
	have := &api.Upgrade{}
	err := s.Get(ctx, client.ObjectKey{Namespace: s.in.Namespace, Name: c.name}, have)
	if apierrors.IsNotFound(err) {
		return s.makeUpgrade(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Upgrade %s: %w", c.name, err)
	}
	why, stalled := step.IsStalled(have.Status.Conditions)
	switch {
	case have.Spec.InstallRef.Name != s.in.Name:
		return nil, step.Failed(fmt.Sprintf("Upgrade %s, which would bring %s, is of another Install: delete it", c.name, c.to))
	case stalled:
		return nil, step.Failed(fmt.Sprintf("Upgrade %s to %s failed, and is not repeated until it is deleted: %s", c.name, c.to, why))
	case have.Status.CompletionTime != nil:
		return nil, step.Failed(fmt.Sprintf("%s, as before Upgrade %s to %s: delete the Upgrade to have it made again", c.now, c.name, c.to))
	}
	return step.Progressing(fmt.Sprintf("Upgrade %s to %s: %s", c.name, c.to, step.Message(have.Status.Conditions))), nil
}

// mostUpgradeName is the API's bound on the name of an Upgrade.
const mostUpgradeName = 63

func (s *site) makeUpgrade(ctx context.Context, c change) (*step.Wait, error) {
	c.spec.InstallRef = api.LocalReference{Name: s.in.Name}
	made := &api.Upgrade{
		ObjectMeta: metav1.ObjectMeta{Name: c.name, Namespace: s.in.Namespace, Labels: job.Labels(map[string]string{api.LabelInstall: s.in.Name}),
			OwnerReferences: []metav1.OwnerReference{*s.ownerReference()}},
		Spec: c.spec,
	}
	// One that the cache does not have yet is found next time.
	if err := s.Create(ctx, made); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("making Upgrade %s: %w", c.name, err)
	}
	return step.Progressing(fmt.Sprintf("Upgrade %s brings %s", c.name, c.to)), nil
}

// slug is a version as a part of a name.
func slug(v string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789", r) {
			return r
		}
		return '-'
	}, strings.ToLower(v)), "-")
}
