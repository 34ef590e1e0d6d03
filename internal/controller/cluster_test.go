package controller

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

const nodeName = "fake"

// cluster is a store, a controller and a fake node in virtual time.
type cluster struct {
	t        *testing.T
	store    *store.Store
	registry *registry.Registry
	ports    atomic.Int32 // private ones, given out so far

	mu sync.Mutex // guards the rest
	// how Pods of an image behave; the zero value is ready at once and stops at once
	images  map[string]behaviour
	refused error // why no Pod may be created
	// looks at each state of the Pods and ReplicaSets that there ever was
	watched func(view)
}

// behave says how Pods of an image behave from now on.
func (w *cluster) behave(image string, b behaviour) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.images[image] = b
}

func (w *cluster) behaviourOf(pod *corev1.Pod) behaviour {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.images[pod.Spec.Containers[0].Image]
}

// refuse keeps Pods from being created, or not any more.
func (w *cluster) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = err
}

// watch has do look at every state from now on.
func (w *cluster) watch(do func(view)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = do
}

// inCluster runs a test in a bubble of virtual time. Every goroutine has to end, and no snapshot of
// the store may be modified.
func inCluster(t *testing.T, test func(w *cluster)) { inClusterOf(t, store.Options{}, test) }

func inClusterOf(t *testing.T, opts store.Options, test func(w *cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts.Kinds, opts.DetectMutations = append(store.Kubernetes(), Kinds()...), true
		w := &cluster{t: t, store: store.New(opts), images: map[string]behaviour{}}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		w.registry = newRegistry(t, registry.Options{Store: w.store, NodeName: nodeName, Admit: w.admit})
		c := New(Options{Store: w.store, Registry: w.registry, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
		running.Go(func() {
			if err := c.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		running.Go(func() { w.node(ctx) })
		running.Go(func() { w.observe(ctx) })
		test(w)
		cancel()
		running.Wait()
		if err := w.store.CheckMutations(); err != nil {
			t.Error(err)
		}
	})
}

// newRegistry makes a registry whose store has the namespace default.
func newRegistry(tb testing.TB, opts registry.Options) *registry.Registry {
	tb.Helper()
	r := registry.New(opts)
	namespace := &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if _, err := registry.Create(r, namespace); err != nil {
		tb.Fatal(err)
	}
	return r
}

func (w *cluster) admit(*corev1.Pod) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused
}

// wait lets time pass, until nothing is left to be done.
func (w *cluster) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func create[T store.Object](w *cluster, o T) T {
	w.t.Helper()
	created, err := registry.Create(w.registry, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return created
}

func modify[T store.Object](w *cluster, name string, change func(T)) {
	w.t.Helper()
	if _, err := store.Modify(w.store, "default", name, func(o T) error { change(o); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func get[T store.Object](w *cluster, name string) T {
	w.t.Helper()
	o, err := store.Get[T](w.store, "default", name)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func list[T store.Object](w *cluster) []T {
	all, _ := store.List[T](w.store, store.Selector{})
	return all
}

func deployment(replicas int32, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	d.Spec.Replicas, d.Spec.Selector, d.Spec.Template = &replicas, &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, template()
	d.Spec.Template.Spec.Containers[0].Image = "v1"
	for _, c := range change {
		c(d)
	}
	return d
}

func rolling(surge, unavailable string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
			MaxSurge: new(intstr.Parse(surge)), MaxUnavailable: new(intstr.Parse(unavailable)),
		}}
	}
}

func recreate(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }

func (w *cluster) setImage(image string) {
	w.t.Helper()
	modify(w, "web", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = image })
}
