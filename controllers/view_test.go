package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// indexes are the fields by which controllers look objects up.
type indexes map[string]client.IndexerFunc

// IndexField implements client.FieldIndexer.
func (x indexes) IndexField(_ context.Context, o client.Object, field string, f client.IndexerFunc) error {
	x[indexKey(o, field)] = f
	return nil
}

func indexKey(o runtime.Object, field string) string { return fmt.Sprintf("%T %s", o, field) }

// view is the API server as the controllers see it through the manager's cache: it can be asked by index, and shows of the kinds that
// others use too only what is labelled as ours. Unlike a cache it is never behind.
func view(live client.WithWatch) client.WithWatch {
	return interceptor.NewClient(live, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			if err := c.Get(ctx, key, o, options...); err != nil || seen(o) {
				return err
			}
			return apierrors.NewNotFound(schema.GroupResource{Resource: fmt.Sprintf("%T", o)}, key.Name)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			asked := (&client.ListOptions{}).ApplyOptions(options)
			selector := asked.FieldSelector
			asked.FieldSelector = nil
			if err := c.List(ctx, list, asked); err != nil {
				return err
			}
			items, err := meta.ExtractList(list)
			if err != nil {
				return err
			}
			return meta.SetList(list, slices.DeleteFunc(items, func(o runtime.Object) bool {
				return !seen(o.(client.Object)) || !indexed(o.(client.Object), selector)
			}))
		},
	})
}

// seen says whether the manager's cache holds an object.
func seen(o client.Object) bool {
	switch o.(type) {
	case *batchv1.Job, *corev1.Pod, *appsv1.Deployment, *corev1.Service, *corev1.PersistentVolumeClaim, *networkingv1.Ingress:
		return o.GetLabels()["app.kubernetes.io/managed-by"] == "sitewright"
	}
	return true
}

func indexed(o client.Object, selector fields.Selector) bool {
	if selector == nil {
		return true
	}
	for _, r := range selector.Requirements() {
		f, ok := cluster.indexes[indexKey(o, r.Field)]
		if !ok {
			panic("there is no index " + indexKey(o, r.Field))
		}
		if !slices.Contains(f(o), r.Value) {
			return false
		}
	}
	return true
}

// errKilled is what a killed operator gets of everything.
var errKilled = errors.New("the operator was killed")

// killer counts writes, and kills the operator after one of them: that write was done, and nothing after it.
type killer struct {
	sync.Mutex
	after, writes int
	dead          bool
}

// writing does a write unless the operator is dead.
func (k *killer) writing(do func() error) error {
	k.Lock()
	defer k.Unlock()
	if k.dead {
		return errKilled
	}
	err := do()
	k.writes++
	if k.writes == k.after {
		k.dead = true
		return errKilled
	}
	return err
}

// killable makes a client's writes count for the killer.
func killable(c client.WithWatch, k *killer) client.WithWatch {
	return interceptor.NewClient(c, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			return k.writing(func() error { return c.Create(ctx, o, options...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.DeleteOption) error {
			return k.writing(func() error { return c.Delete(ctx, o, options...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			return k.writing(func() error { return c.Patch(ctx, o, p, options...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			return k.writing(func() error { return c.Apply(ctx, o, options...) })
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, options ...client.SubResourceApplyOption) error {
			return k.writing(func() error { return c.SubResource(sub).Apply(ctx, o, options...) })
		},
	})
}
