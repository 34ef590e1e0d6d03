package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/test/differential/stage"
	"github.com/probity-run/probity/test/differential/trace"
)

var _ stage.System = (*Cluster)(nil)

// resource is a kind of objects as the API server knows it.
type resource struct {
	path string // before the namespace
	name string
	new  func() runtime.Object
}

// resources are all that scenarios use, by kind, in the order in which they are deleted.
var resources = []struct {
	kind string
	resource
}{
	{"Deployment", resource{"/apis/apps/v1", "deployments", func() runtime.Object { return &appsv1.Deployment{} }}},
	{"ReplicaSet", resource{"/apis/apps/v1", "replicasets", func() runtime.Object { return &appsv1.ReplicaSet{} }}},
	{"Pod", resource{"/api/v1", "pods", func() runtime.Object { return &corev1.Pod{} }}},
	{"Event", resource{"/api/v1", "events", func() runtime.Object { return &corev1.Event{} }}},
	{"EndpointSlice", resource{"/apis/discovery.k8s.io/v1", "endpointslices", func() runtime.Object { return &discoveryv1.EndpointSlice{} }}},
	{"Service", resource{"/api/v1", "services", nil}},
}

func (r resource) in(namespace string) string {
	return r.path + "/namespaces/" + namespace + "/" + r.name
}

// Name implements [stage.System].
func (c *Cluster) Name() string { return "Kubernetes " + Version }

// ContainerSetup implements [stage.System].
func (c *Cluster) ContainerSetup(ledger string) stage.ContainerSetup {
	return stage.ContainerSetup{Player: playerPath, Image: Image, Ledger: "/ledger", Mount: ledger}
}

// Ledgers is a folder for ledgers that containers can be given.
func (c *Cluster) Ledgers() string { return filepath.Join(c.dir, "ledgers") }

// Apply implements [stage.System].
func (c *Cluster) Apply(ctx context.Context, namespace string, objects []stage.Object) error {
	ns := map[string]any{"metadata": map[string]any{"name": namespace}}
	if err := c.API.do(ctx, http.MethodPost, "/api/v1/namespaces", asJSON, ns, nil); err != nil && !exists(err) {
		return err
	}
	for _, o := range objects {
		for _, r := range resources {
			if r.kind != o.GetKind() {
				continue
			}
			err := c.API.do(ctx, http.MethodPost, r.in(namespace), asJSON, o.Object, nil)
			if err != nil && exists(err) {
				err = c.API.do(ctx, http.MethodPatch, r.in(namespace)+"/"+o.GetName(), asMerge, o.Object, nil)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func exists(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.code == http.StatusConflict
}

// Delete implements [stage.System].
func (c *Cluster) Delete(ctx context.Context, namespace, pod string, grace *int64) error {
	options := map[string]any{}
	if grace != nil {
		options["gracePeriodSeconds"] = *grace
	}
	return c.API.do(ctx, http.MethodDelete, "/api/v1/namespaces/"+namespace+"/pods/"+pod, asJSON, options, nil)
}

// SetCondition implements [stage.System].
func (c *Cluster) SetCondition(ctx context.Context, namespace, pod, condition, status string) error {
	patch := map[string]any{"status": map[string]any{"conditions": []any{map[string]any{"type": condition, "status": status}}}}
	return c.API.do(ctx, http.MethodPatch, "/api/v1/namespaces/"+namespace+"/pods/"+pod+"/status", asPatch, patch, nil)
}

// Watch implements [stage.System]: a watch for each kind, joined in the order in which they tell.
func (c *Cluster) Watch(ctx context.Context, namespace string, on func(trace.Observation)) error {
	var watches sync.WaitGroup
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for _, r := range resources {
		if r.new == nil {
			continue
		}
		watches.Go(func() {
			err := c.API.watch(ctx, r.in(namespace), func(change change) error {
				object := r.new()
				if err := json.Unmarshal(change.Object, object); err != nil {
					return err
				}
				on(trace.Observation{At: change.at, Type: change.Type, Object: object})
				return nil
			})
			if err != nil && ctx.Err() == nil {
				stop(err)
			}
		})
	}
	watches.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Clear implements [stage.System].
func (c *Cluster) Clear(ctx context.Context, namespace string) error {
	for _, r := range resources[:3] {
		if err := c.API.do(ctx, http.MethodDelete, r.in(namespace), asJSON, map[string]any{"gracePeriodSeconds": 1}, nil); err != nil {
			return err
		}
	}
	return nil
}
