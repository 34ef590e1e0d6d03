package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// A controller that was held up for so long that the store forgot changes sees everything again.
func TestExpiredWatch(t *testing.T) {
	inClusterOf(t, store.Options{History: 4}, func(w *cluster) {
		create(w, service())
		create(w, deployment(5, exposing))
		w.wait(time.Minute)
		w.want("pods", w.pods(), "v1:5")
		w.setImage("v2")
		w.wait(time.Minute)
		w.want("pods", w.pods(), "v2:5")
		if n := len(w.slices("web")); n != 5 {
			t.Errorf("%d slices, want 5", n)
		}
		// more changes in one go than the store remembers
		for _, pod := range list[*corev1.Pod](w) {
			if err := store.Delete[*corev1.Pod](w.store, "default", pod.Name, store.DeleteOptions{Grace: new(int64(0))}); err != nil {
				t.Fatal(err)
			}
		}
		w.wait(time.Minute)
		w.want("pods", w.pods(), "v2:5")
		if n := len(w.slices("web")); n != 5 {
			t.Errorf("%d slices, want 5", n)
		}
	})
}

// What is there before the controller starts is found.
func TestLateStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
		r := newRegistry(t, registry.Options{Store: s, NodeName: nodeName})
		d := deployment(2)
		d.Namespace = "default"
		if _, err := registry.Create(r, d); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := New(Options{Store: s, Registry: r}).Run(ctx); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if pods, _ := store.List[*corev1.Pod](s, store.Selector{}); len(pods) != 2 {
			t.Errorf("%d Pods, want 2", len(pods))
		}
		cancel()
		running.Wait()
	})
}

// eventually waits for a condition in real time, which benchmarks have.
func eventually(b *testing.B, done func() bool) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("it did not happen within 10 s")
		}
	}
}

func TestQueue(t *testing.T) {
	now := time.Now()
	q := newQueue()
	take := func(want string) {
		t.Helper()
		k, ok := q.take(now)
		if got := fmt.Sprint(k.kind, " ", k.name); ok != (want != "") || ok && got != want {
			t.Errorf("took %s, %v, want %q", got, ok, want)
		}
	}
	add := func(k kind, name string) { q.add(key{k, "default", name}) }
	add(kindDeployment, "d")
	add(kindReplicaSet, "a")
	add(kindReplicaSet, "b")
	add(kindReplicaSet, "a")
	add(kindService, "s")
	if at := q.next(now); at.After(now) {
		t.Errorf("due at %v, want now", at)
	}
	take("Service s") // before anything else
	take("ReplicaSet a")
	add(kindService, "s")
	take("Service s")
	take("ReplicaSet b")
	take("Deployment d")
	take("")
	later := key{kindDeployment, "default", "d"}
	q.done(later, now.Add(time.Minute))
	if at := q.next(now); !at.Equal(now.Add(time.Minute)) {
		t.Errorf("due at %v, want in a minute", at)
	}
	take("")
	now = now.Add(time.Minute)
	take("Deployment d")
	take("")
	var delays []time.Duration
	for range 8 {
		delays = append(delays, q.failed(later, now)/time.Second)
	}
	if want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}; !slices.Equal(delays, want) {
		t.Errorf("tried again after %v, want %v", delays, want)
	}
	q.done(later, time.Time{})
	if delay := q.failed(later, now); delay != time.Second {
		t.Errorf("after a success the first delay is %v", delay)
	}
}

// From a Pod's status in the store to the EndpointSlices of all Services that select it, read by a
// watch as the proxy does: 20 Pods of a Deployment.
func BenchmarkReadinessToSlice(b *testing.B) {
	for _, services := range []int{1, 5} {
		b.Run(fmt.Sprint(services, "Services"), func(b *testing.B) { benchmarkReadiness(b, services) })
	}
}

func benchmarkReadiness(b *testing.B, services int) {
	s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
	r := newRegistry(b, registry.Options{Store: s, NodeName: nodeName})
	for i := range services {
		svc := service()
		svc.Name, svc.Namespace = fmt.Sprint("web-", i), "default"
		if _, err := registry.Create(r, svc); err != nil {
			b.Fatal(err)
		}
	}
	d := deployment(20, exposing)
	d.Namespace = "default"
	if _, err := registry.Create(r, d); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := New(Options{Store: s, Registry: r}).Run(ctx); err != nil {
			b.Error(err)
		}
	})
	var pods []*corev1.Pod
	eventually(b, func() bool { pods, _ = store.List[*corev1.Pod](s, store.Selector{}); return len(pods) == 20 })
	for i, pod := range pods { // each has a port of its own, and so a slice
		ports := fmt.Sprint("8080:", 40000+i)
		if _, err := store.Modify(s, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
			p.Annotations = with(p.Annotations, manifest.AnnotationPrivatePorts+"app", ports)
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		pod := pods[i%len(pods)]
		start := time.Now()
		watch, err := s.Watch(store.WatchOptions{From: setReadyNow(b, s, pod, i/len(pods)%2 == 0), Kinds: []store.Object{&discoveryv1.EndpointSlice{}}})
		if err != nil {
			b.Fatal(err)
		}
		for range services {
			if _, err := watch.Next(ctx); err != nil {
				b.Fatal(err)
			}
		}
		times = append(times, time.Since(start))
		eventually(b, func() bool { // the status of the Deployment follows, and then there is peace
			d, err := store.Get[*appsv1.Deployment](s, "default", "web")
			return err == nil && int(d.Status.ReadyReplicas) == readyCount(s)
		})
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "µs-median")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "µs-p99")
	cancel()
	running.Wait()
}

func setReadyNow(b *testing.B, s *store.Store, pod *corev1.Pod, ready bool) string {
	p, err := store.Modify(s, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
		p.Status.Phase, p.Status.PodIP = corev1.PodRunning, "127.0.0.1"
		c := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.Now()}
		if ready {
			c.Status = corev1.ConditionTrue
		}
		p.Status.Conditions = []corev1.PodCondition{c}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return p.ResourceVersion
}

func readyCount(s *store.Store) (n int) {
	pods, _ := store.List[*corev1.Pod](s, store.Selector{})
	for _, pod := range pods {
		if len(pod.Status.Conditions) > 0 && pod.Status.Conditions[0].Status == corev1.ConditionTrue {
			n++
		}
	}
	return n
}
