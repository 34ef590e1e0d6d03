//go:build differential

package differential

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/scrape"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/differential/recording"
)

// TestProbeMetrics compares /metrics/probes with the kubelet's: types, names, labels and buckets
// (R222).
func TestProbeMetrics(t *testing.T) {
	want, err := recording.ReadShape(filepath.Join(flag.Lookup("recordings").Value.String(), "probes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	if _, err := store.Create(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}); err != nil {
		t.Fatal(err)
	}
	pod, err := store.Create(objects, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}})
	if err != nil {
		t.Fatal(err)
	}
	var recorder history.Recorder
	past := recorder.Add(pod.UID)
	for _, probe := range lifecycle.ProbeTypes() {
		p := past.Probe(history.Key{Container: "c", Type: string(probe)}, history.Probing{})
		past.Attempt(p, history.Attempt{Outcome: history.Answered, Took: time.Millisecond}, history.Detail{})
		past.Attempt(p, history.Attempt{Outcome: history.Failed}, history.Detail{})
	}
	var text strings.Builder
	if err := scrape.WriteProbes(&text, scrape.Sources{Store: objects, History: recorder.Reader()}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, recording.Shape(text.String())); diff != "" {
		t.Errorf("metrics of probes (-kubelet +Probity):\n%s", diff)
	}
}
