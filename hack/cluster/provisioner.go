package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// provisionerName is what the storage classes in manifests/volumes.yaml name.
const provisionerName = "sitewright.dev/local-cluster"

// provisioner makes a folder on this machine for each claim of its storage
// classes, and removes it with the claim.
type provisioner struct {
	client  kubernetes.Interface
	claims  informers.SharedInformerFactory
	volumes volumes
	changed chan struct{}
}

// provision runs as a process of its own, started by `up`.
func (c *cluster) provision(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	p := &provisioner{
		client:  client,
		claims:  informers.NewSharedInformerFactory(client, time.Minute),
		volumes: volumes{dir: c.path("volumes")},
		changed: make(chan struct{}, 1),
	}
	return p.run(ctx)
}

// run looks at everything after each change: a local cluster has few claims,
// and what failed is tried again at the next change or second.
func (p *provisioner) run(ctx context.Context) error {
	wake := func() {
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { wake() },
		UpdateFunc: func(any, any) { wake() },
		DeleteFunc: func(any) { wake() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		p.claims.Core().V1().PersistentVolumeClaims().Informer(),
		p.claims.Core().V1().PersistentVolumes().Informer(),
		p.claims.Storage().V1().StorageClasses().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	p.claims.Start(ctx.Done())
	p.claims.WaitForCacheSync(ctx.Done())
	for {
		var retry <-chan time.Time
		if err := p.pass(ctx); err != nil {
			slog.Error("will try again", "error", err)
			retry = time.After(time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.changed:
		case <-retry:
		}
	}
}

func (p *provisioner) pass(ctx context.Context) error {
	claims, err := p.claims.Core().V1().PersistentVolumeClaims().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	for _, claim := range claims {
		class, ok := p.classFor(claim)
		if !ok {
			continue
		}
		if err := p.create(ctx, claim, class); err != nil {
			return fmt.Errorf("make the volume of claim %s/%s: %w", claim.Namespace, claim.Name, err)
		}
	}
	all, err := p.claims.Core().V1().PersistentVolumes().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	for _, volume := range all {
		if volume.Annotations["pv.kubernetes.io/provisioned-by"] != provisionerName {
			continue
		}
		if err := p.maintain(ctx, volume); err != nil {
			return fmt.Errorf("volume %s: %w", volume.Name, err)
		}
	}
	return nil
}

// classFor returns the class of a claim that waits for a volume from us.
func (p *provisioner) classFor(claim *core.PersistentVolumeClaim) (*storage.StorageClass, bool) {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || claim.Spec.StorageClassName == nil ||
		claim.Annotations["volume.kubernetes.io/storage-provisioner"] != provisionerName {
		return nil, false
	}
	class, err := p.claims.Storage().V1().StorageClasses().Lister().Get(*claim.Spec.StorageClassName)
	if err != nil {
		return nil, false
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storage.VolumeBindingWaitForFirstConsumer
	if waits && claim.Annotations["volume.kubernetes.io/selected-node"] == "" {
		return nil, false
	}
	return class, true
}

func (p *provisioner) create(ctx context.Context, claim *core.PersistentVolumeClaim, class *storage.StorageClass) error {
	name := "pvc-" + string(claim.UID)
	if _, err := p.claims.Core().V1().PersistentVolumes().Lister().Get(name); err == nil {
		return nil // Kubernetes binds it next
	}
	size := claim.Spec.Resources.Requests[core.ResourceStorage]
	limit := int64(0)
	if class.Parameters["limit"] == "true" {
		limit = size.Value()
	}
	path, err := p.volumes.create(ctx, name, limit)
	if err != nil {
		return err
	}
	volume := persistentVolume(name, path, claim, class)
	if _, err := p.client.CoreV1().PersistentVolumes().Create(ctx, volume, meta.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	slog.Info("made", "volume", name, "claim", claim.Namespace+"/"+claim.Name, "limit", limit)
	return nil
}

// persistentVolume is of type local, not hostPath: only for local volumes does
// the kubelet honour a pod's fsGroup.
func persistentVolume(name, path string, claim *core.PersistentVolumeClaim, class *storage.StorageClass) *core.PersistentVolume {
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": provisionerName}},
		Spec: core.PersistentVolumeSpec{
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: *class.ReclaimPolicy,
			StorageClassName:              class.Name,
			VolumeMode:                    claim.Spec.VolumeMode,
			MountOptions:                  class.MountOptions,
			PersistentVolumeSource:        core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: path}},
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
				MatchExpressions: []core.NodeSelectorRequirement{{
					Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{nodeName},
				}},
			}}}},
		},
	}
}

// maintain removes a volume whose claim is gone, and mounts one again that the
// machine forgot when it was started anew.
func (p *provisioner) maintain(ctx context.Context, volume *core.PersistentVolume) error {
	if volume.Status.Phase != core.VolumeReleased || volume.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete {
		return p.volumes.mount(ctx, volume.Name)
	}
	if volume.DeletionTimestamp != nil {
		return nil
	}
	if err := p.volumes.remove(volume.Name); err != nil {
		return err
	}
	slog.Info("removed", "volume", volume.Name)
	err := p.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// volumes is the folder where they lie: NAME for each, and NAME.img for one of
// limited size, which is a file system mounted at NAME.
type volumes struct{ dir string }

func (v volumes) create(ctx context.Context, name string, limit int64) (string, error) {
	path := filepath.Join(v.dir, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return "", err
	}
	if limit > 0 && !isFile(path+".img") {
		temporary := path + ".img.part"
		if err := os.WriteFile(temporary, nil, 0o600); err != nil {
			return "", err
		}
		if err := os.Truncate(temporary, limit); err != nil {
			return "", err
		}
		// No reserved blocks and no journal: nearly all of the size is for the pod's files.
		if err := command(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", temporary); err != nil {
			return "", err
		}
		if err := os.Rename(temporary, path+".img"); err != nil {
			return "", err
		}
	}
	if err := v.mount(ctx, name); err != nil {
		return "", err
	}
	// Pods run as any user, and not all of them ask for a group.
	return path, os.Chmod(path, 0o777)
}

// mount mounts a volume of limited size, unless it is mounted.
func (v volumes) mount(ctx context.Context, name string) error {
	path := filepath.Join(v.dir, name)
	if !isFile(path + ".img") {
		return nil
	}
	if mounted, err := mountsBelow(path); err != nil || len(mounted) > 0 {
		return err
	}
	if err := command(ctx, "mount", "-o", "loop,noatime", path+".img", path); err != nil {
		return err
	}
	// What mkfs makes for recovered files is not the pod's.
	_ = os.Remove(filepath.Join(path, "lost+found"))
	return os.Chmod(path, 0o777)
}

func (v volumes) remove(name string) error {
	path := filepath.Join(v.dir, name)
	if err := unmountBelow(path); err != nil {
		return err
	}
	if err := os.RemoveAll(path + ".img"); err != nil {
		return err
	}
	return os.RemoveAll(path)
}
