package store

import (
	"context"
	"fmt"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func benchPod(name string) *corev1.Pod {
	return newPod(name, onNode, func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": "web", "pod-template-hash": "6b4c8d7f9d"}
		p.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1", Command: []string{"web"}, Env: make([]corev1.EnvVar, 10)}}
		p.Status.Conditions = make([]corev1.PodCondition, 5)
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", Image: "web:1"}}
	})
}

// One write, and ten watches that see it. The writer does not wait for them.
func BenchmarkUpdate10Watches(b *testing.B) {
	s := New(Options{Kinds: Kubernetes()})
	if _, err := Create(s, benchPod("web")); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var readers sync.WaitGroup
	for range 10 {
		w, err := s.Watch(WatchOptions{Kinds: []Object{&corev1.Pod{}}})
		if err != nil {
			b.Fatal(err)
		}
		readers.Go(func() {
			for {
				if _, err := w.Next(ctx); err != nil {
					return // done, or left behind by the benchmark
				}
			}
		})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := Modify(s, "default", "web", func(p *corev1.Pod) error { p.Status.Message = fmt.Sprint(i); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	cancel()
	readers.Wait()
}

func BenchmarkList1000(b *testing.B) {
	s := New(Options{Kinds: Kubernetes()})
	for i := range 1000 {
		if _, err := Create(s, benchPod(fmt.Sprint("web-", i))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if pods, _ := List[*corev1.Pod](s, Selector{Namespace: "default"}); len(pods) != 1000 {
			b.Fatalf("%d pods, want 1000", len(pods))
		}
	}
}

// The cost of an Event when as many are kept as may be.
func BenchmarkRecord(b *testing.B) {
	s := New(Options{Kinds: Kubernetes()})
	o := occurrence(newPod("web"), "Unhealthy")
	for range 4001 {
		s.Record(o)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Record(o)
	}
}
