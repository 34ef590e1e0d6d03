package system

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// told are the Events about faults, without how long these lasted.
func told(s *store.Store) (all []string) {
	events, _ := store.List[*corev1.Event](s, store.Selector{})
	for _, e := range events {
		if strings.HasPrefix(e.Reason, "Fault") {
			message, _, _ := strings.Cut(e.Message, " after ")
			all = append(all, fmt.Sprintf("%s %s: %s", e.Type, e.Reason, message))
		}
	}
	return all
}

// annotateFault gives a Pod a fault as a client does; "" takes it away.
func annotateFault(s *System, name, fault string) error {
	_, err := s.Registry().ModifyObject(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}, func(current store.Object) (store.Object, error) {
		next := current.DeepCopyObject().(*corev1.Pod)
		if next.Annotations[manifest.AnnotationFault] = fault; fault == "" {
			delete(next.Annotations, manifest.AnnotationFault)
		}
		return next, nil
	}, registry.WriteOptions{})
	return err
}

// TestFaultByAnnotation: whoever writes the annotation, the fault begins and ends by it, and with
// the Pod.
func TestFaultByAnnotation(t *testing.T) {
	path := podOf(t, filepath.Join(folder(t), "pod.yaml"), "web", "Always", "exec sleep 60")
	s := started(t, t.Context(), Options{Manifests: []string{path}, NoAPI: true, NoDashboard: true})
	pod := runs(t, s, "web")
	tells := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d Events about faults", n), func() bool { return len(told(s.Store())) == n })
	}
	if err := annotateFault(s, "web", "slow=2s"); err != nil {
		t.Fatal(err)
	}
	tells(1)
	if err := annotateFault(s, "web", "refuse"); err != nil {
		t.Fatal(err)
	}
	tells(3)
	if err := annotateFault(s, "web", "slow"); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "as in slow=2s or slow=500ms") {
		t.Errorf("a wrong value: %v", err)
	}
	if err := s.SetFault(pod, ""); err != nil {
		t.Fatal(err)
	}
	if fault, _ := s.faults.diversions.Of(pod.UID); fault != (manifest.Fault{}) {
		t.Errorf("%v is left when SetFault returns", fault)
	}
	if err := s.SetFault(pod, "slow=1s"); err != nil {
		t.Fatal(err)
	}
	if fault, _ := s.faults.diversions.Of(pod.UID); fault.String() != "slow=1s" {
		t.Errorf("%v is there when SetFault returns", fault)
	}
	other := pod.DeepCopy()
	other.UID = "another"
	if err := s.SetFault(other, "refuse"); !apierrors.IsNotFound(err) {
		t.Errorf("a Pod whose name another one has: %v", err)
	}
	if err := s.DeletePod("default", "web"); err != nil {
		t.Fatal(err)
	}
	tells(6)
	const until = ", until the annotation probity.run/fault is removed: "
	want := []string{
		"Warning FaultInjected: slow=2s" + until + "answers come 2s later, to HTTP and gRPC probes and through Services",
		"Normal FaultEnded: slow=2s ended",
		"Warning FaultInjected: refuse" + until + "new connections are refused, of probes and through Services",
		"Normal FaultEnded: refuse ended",
		"Warning FaultInjected: slow=1s" + until + "answers come 1s later, to HTTP and gRPC probes and through Services",
		"Normal FaultEnded: slow=1s ended with the Pod",
	}
	sorted := cmp.Transformer("set", func(all []string) map[string]bool {
		set := map[string]bool{}
		for _, text := range all {
			set[text] = true
		}
		return set
	})
	if diff := cmp.Diff(want, told(s.Store()), sorted); diff != "" {
		t.Errorf("Events (-want +got):\n%s", diff)
	}
	if err := s.SetFault(pod, "refuse"); !apierrors.IsNotFound(err) {
		t.Errorf("a Pod that is gone: %v", err)
	}
}

// TestFaultOfOldChange: a change that is heard of late neither ends a fault that has begun since
// nor brings one back; and what a watch has missed is made up for.
func TestFaultOfOldChange(t *testing.T) {
	f := &faults{store: store.New(store.Options{Kinds: store.Kubernetes()}), log: slog.New(slog.DiscardHandler)}
	t.Cleanup(f.diversions.Close)
	exec := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
	before, err := store.Create(f.store, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", LivenessProbe: exec}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	with, err := store.Modify(f.store, "default", "web", func(pod *corev1.Pod) error {
		pod.Annotations = map[string]string{manifest.AnnotationFault: "unready"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	follow := func(pod *corev1.Pod, want string) {
		t.Helper()
		if err := f.follow(pod); err != nil {
			t.Fatal(err)
		}
		if fault, _ := f.diversions.Of(before.UID); fault.String() != want {
			t.Errorf("the fault is %q, want %q", fault, want)
		}
	}
	follow(before, "")
	follow(with, "unready")
	follow(before, "unready")
	f.endGone()
	follow(with, "unready")
	if err := store.Delete[*corev1.Pod](f.store, "default", "web", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	f.endGone()
	follow(with, "")
	if got := told(f.store); len(got) != 1 || !strings.HasSuffix(got[0], "requests and other probes pass; probes that run commands do not meet it") {
		t.Errorf("Events: %q", got)
	}
}
