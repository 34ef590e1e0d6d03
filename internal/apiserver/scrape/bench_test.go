package scrape

import (
	"compress/gzip"
	"fmt"
	"io"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

// BenchmarkWrite is a scrape of 50 Pods with two probes each, plain and as Prometheus asks for it.
func BenchmarkWrite(b *testing.B) {
	s := store.New(store.Options{Kinds: store.Kubernetes()})
	var recorder history.Recorder
	if _, err := store.Create(s, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}); err != nil {
		b.Fatal(err)
	}
	for i := range 50 {
		pod, err := store.Create(s, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("web-%d", i)},
			Status:     corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "web"}}},
		})
		if err != nil {
			b.Fatal(err)
		}
		past := recorder.Add(pod.UID)
		for _, probe := range []string{"Liveness", "Readiness"} {
			past.Attempt(past.Probe(history.Key{Container: "web", Type: probe}, history.Probing{}), history.Attempt{Took: ms}, history.Detail{})
		}
	}
	of := Sources{Store: s, History: recorder.Reader(), Traffic: state, Requests: &Requests{}, Version: "1.2.3"}
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := Write(io.Discard, of); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gzip", func(b *testing.B) {
		b.ReportAllocs()
		zipper, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			zipper.Reset(io.Discard)
			if err := Write(zipper, of); err != nil {
				b.Fatal(err)
			}
			if err := zipper.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
