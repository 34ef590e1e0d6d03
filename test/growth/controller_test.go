//go:build !race

package growth

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// TestController: a Deployment and a Service of many replicas that become ready one after the
// other.
func TestController(t *testing.T) {
	mustGrowInProportion(t, 200, func(t *testing.T, n int) func() {
		return func() { synctest.Test(t, func(t *testing.T) { rollOut(t, n) }) }
	})
}

// rollOut has the controllers make the Pods of a Deployment, and ends when all are ready.
func rollOut(t *testing.T, replicas int) {
	objects := store.New(store.Options{Kinds: append(store.Kubernetes(), controller.Kinds()...)})
	front := registry.New(registry.Options{Store: objects, NodeName: "here"})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := controller.New(controller.Options{Store: objects, Registry: front}).Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { makeReady(ctx, t, objects) })
	d, s := deployment("web", replicas), service("web", 1)
	d.Namespace, s.Namespace = "default", "default"
	manifest.Default(d)
	manifest.Default(s)
	if _, err := registry.Create(front, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Create(front, d); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Create(front, s); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	if d, err := store.Get[*appsv1.Deployment](objects, "default", "web"); err != nil || d.Status.ReadyReplicas != int32(replicas) {
		t.Errorf("%d of %d replicas are ready, error %v", d.Status.ReadyReplicas, replicas, err)
	}
	cancel()
	running.Wait()
}

// makeReady is a node on which every Pod is ready at once.
func makeReady(ctx context.Context, t *testing.T, objects *store.Store) {
	watch, err := objects.Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}})
	for err == nil {
		var change store.Change
		if change, err = watch.Next(ctx); err != nil || change.Type != store.Added {
			continue
		}
		_, err = store.Modify(objects, "default", change.Object.GetName(), func(pod *corev1.Pod) error {
			pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "127.0.0.1", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
			return nil
		})
		time.Sleep(time.Millisecond) // so that the controllers see one after the other
	}
	if ctx.Err() == nil {
		t.Error(err)
	}
}
