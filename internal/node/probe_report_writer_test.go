package node

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/store"
)

func TestReportWriter(t *testing.T) {
	s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
	pod, err := store.Create(s, examplePodOf())
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	w := &reportWriter{store: s, pod: pod}
	stored := func() map[lifecycle.ProbeType]int {
		runs := map[lifecycle.ProbeType]int{}
		if report, err := store.Get[*ProbeReport](s, "default", "web"); err == nil {
			for _, p := range report.Probes {
				runs[p.Type] = p.Run
			}
		}
		return runs
	}
	for _, step := range []struct {
		at   time.Duration
		put  *ProbeRecord // nil: only write what is due
		want map[lifecycle.ProbeType]int
		due  time.Duration // 0: nothing is
	}{
		{0, &ProbeRecord{Type: lifecycle.Liveness, Run: 1}, map[lifecycle.ProbeType]int{lifecycle.Liveness: 1}, 0},
		{300 * time.Millisecond, &ProbeRecord{Type: lifecycle.Readiness, Run: 1}, map[lifecycle.ProbeType]int{lifecycle.Liveness: 1}, time.Second},
		{600 * time.Millisecond, &ProbeRecord{Type: lifecycle.Readiness, Run: 2}, map[lifecycle.ProbeType]int{lifecycle.Liveness: 1}, time.Second},
		{900 * time.Millisecond, nil, map[lifecycle.ProbeType]int{lifecycle.Liveness: 1}, time.Second},
		{time.Second, nil, map[lifecycle.ProbeType]int{lifecycle.Liveness: 1, lifecycle.Readiness: 2}, 0},
		{5 * time.Second, &ProbeRecord{Type: lifecycle.Liveness, Run: 2}, map[lifecycle.ProbeType]int{lifecycle.Liveness: 2, lifecycle.Readiness: 2}, 0},
	} {
		now := begin.Add(step.at)
		if step.put != nil {
			w.put(*step.put, now)
		} else {
			w.writeIfDue(now)
		}
		if diff := cmp.Diff(step.want, stored()); diff != "" {
			t.Errorf("at %v (-want +got):\n%s", step.at, diff)
		}
		want := time.Time{}
		if step.due > 0 {
			want = begin.Add(step.due)
		}
		if !w.due.Equal(want) {
			t.Errorf("at %v the next write is due at %v, want %v", step.at, w.due, want)
		}
	}
}

// TestReportInANamespaceThatEnds: the report goes before its Pod, and is not missed.
func TestReportInANamespaceThatEnds(t *testing.T) {
	s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"kubernetes"}}}
	if _, err := store.Create(s, namespace); err != nil {
		t.Fatal(err)
	}
	given := examplePodOf()
	given.Spec.NodeName = Name
	pod, err := store.Create(s, given)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	w := &reportWriter{store: s, pod: pod, log: slog.New(slog.NewTextHandler(&log, nil))}
	w.put(ProbeRecord{Type: lifecycle.Liveness, Run: 1}, time.Now())
	if _, gone, err := s.DeleteObject(namespace, store.DeleteOptions{}); gone || err != nil {
		t.Fatalf("gone: %v, %v, want it to wait for the Pod", gone, err)
	}
	w.put(ProbeRecord{Type: lifecycle.Liveness, Run: 2}, time.Now().Add(time.Minute))
	if reports, _ := store.List[*ProbeReport](s, store.Selector{}); len(reports) > 0 || log.Len() > 0 {
		t.Errorf("reports %v, logged %q, want none", reports, &log)
	}
}

// TestReportOfALostPod: what others take away meanwhile, the Pod or its whole namespace, is no
// error of a report.
func TestReportOfALostPod(t *testing.T) {
	for name, lose := range map[string]func(*store.Store, *corev1.Pod) error{
		"the Pod": func(s *store.Store, pod *corev1.Pod) error {
			return store.Delete[*corev1.Pod](s, pod.Namespace, pod.Name, store.DeleteOptions{Grace: new(int64(0))})
		},
		"the namespace": func(s *store.Store, pod *corev1.Pod) error {
			_, _, err := s.DeleteObject(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: pod.Namespace}}, store.DeleteOptions{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := store.New(store.Options{Kinds: append(store.Kubernetes(), Kinds()...)})
			_, namespaceErr := store.Create(s, &corev1.Namespace{
				ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
			})
			pod, err := store.Create(s, examplePodOf(func(p *corev1.Pod) { p.Finalizers = []string{"example.com/kept"} }))
			if err := errors.Join(namespaceErr, err); err != nil {
				t.Fatal(err)
			}
			w := &reportWriter{store: s, pod: pod}
			if err := errors.Join(w.write(), lose(s, pod), w.write()); err != nil {
				t.Error(err)
			}
		})
	}
}
