package node

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

func TestProcessAnnotations(t *testing.T) {
	spec := &corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "proxy"}},
		Containers:     []corev1.Container{{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}, {Name: "helper"}},
	}
	ports := &portMap{private: map[int32]int{8080: 41001}}
	now := time.Date(2026, 11, 4, 12, 0, 0, 500e6, time.UTC)
	for name, test := range map[string]struct {
		pids     map[string]int
		ports    *portMap
		want     map[string]string
		stopping stopsOf
	}{
		"before the first start": {nil, nil, map[string]string{}, stopsOf{"app": now}},
		"waiting to restart":     {nil, ports, map[string]string{manifest.AnnotationPrivatePorts + "app": "8080:41001"}, stopsOf{"app": now}},
		"running": {map[string]int{"app": 5, "proxy": 6}, ports,
			map[string]string{manifest.AnnotationPrivatePorts + "app": "8080:41001", AnnotationPID + "app": "5", AnnotationPID + "proxy": "6"}, nil},
		"being stopped": {map[string]int{"app": 5, "proxy": 6}, nil,
			map[string]string{AnnotationPID + "app": "5", AnnotationPID + "proxy": "6", AnnotationStopping + "app": "true", AnnotationKillAt + "app": "2026-11-04T12:00:00.5Z"},
			stopsOf{"app": now}},
		"being killed": {map[string]int{"app": 5}, nil, map[string]string{AnnotationPID + "app": "5", AnnotationStopping + "app": "true"}, stopsOf{"app": {}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, processAnnotations(spec, test.pids, test.stopping, test.ports)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// stopsOf are the containers that are being stopped, and when SIGKILL follows.
type stopsOf map[string]time.Time

func (s stopsOf) Stopping(container string) bool    { _, ok := s[container]; return ok }
func (s stopsOf) KillAt(container string) time.Time { return s[container] }

func TestAnnotate(t *testing.T) {
	pod := examplePodOf()
	annotate(pod, nil)
	if pod.Annotations != nil {
		t.Errorf("annotations = %v, want none", pod.Annotations)
	}
	annotate(pod, map[string]string{AnnotationPID + "app": "5"})
	pod.Annotations["example.com/own"] = "kept"
	annotate(pod, map[string]string{"other": "new"})
	if diff := cmp.Diff(map[string]string{"example.com/own": "kept", "other": "new"}, pod.Annotations); diff != "" {
		t.Errorf("the pid of a process that has ended goes, others stay: %s", diff)
	}
}

// Whoever removed the object, and whatever has its name now: nothing of that is this Pod's affair.
func TestObjectThatIsNotThere(t *testing.T) {
	for name, prepare := range map[string]func(s *store.Store){
		"removed":  func(*store.Store) {},
		"replaced": func(s *store.Store) { must(t, s, examplePodOf()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := store.New(store.Options{Kinds: store.Kubernetes()})
			prepare(s)
			before, _ := store.List[*corev1.Pod](s, store.Selector{})
			var log bytes.Buffer
			o := &podObject{store: s, pod: examplePod(corev1.Container{Name: "app"}), log: slog.New(slog.NewTextHandler(&log, nil)), stale: true}
			o.write(corev1.PodStatus{Phase: corev1.PodFailed}, map[string]string{"a": "b"})
			o.remove()
			after, _ := store.List[*corev1.Pod](s, store.Selector{})
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("another Pod was changed: %s", diff)
			}
			if log.Len() > 0 {
				t.Errorf("logged: %s", log.String())
			}
		})
	}
}

func must(t *testing.T, s *store.Store, pod *corev1.Pod) {
	t.Helper()
	if _, err := store.Create(s, pod); err != nil {
		t.Fatal(err)
	}
}

func TestFieldPath(t *testing.T) {
	spec := &corev1.PodSpec{InitContainers: []corev1.Container{{Name: "migrate"}}, Containers: []corev1.Container{{Name: "app"}}}
	for name, want := range map[string]string{"app": "spec.containers{app}", "migrate": "spec.initContainers{migrate}"} {
		if got := fieldPath(spec, name); got != want {
			t.Errorf("fieldPath(%s) = %s, want %s", name, got, want)
		}
		if c := containerNamed(spec, name); c == nil || c.Name != name {
			t.Errorf("containerNamed(%s) = %+v", name, c)
		}
	}
	if c := containerNamed(spec, "gone"); c != nil {
		t.Errorf("containerNamed of no container = %+v", c)
	}
}

func TestIsReady(t *testing.T) {
	for name, test := range map[string]struct {
		conditions []corev1.PodCondition
		want       bool
	}{
		"none":      {nil, false},
		"not Ready": {[]corev1.PodCondition{{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionFalse}}, false},
		"Ready":     {[]corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}, true},
	} {
		if got := isReady(&corev1.PodStatus{Conditions: test.conditions}); got != test.want {
			t.Errorf("%s: isReady = %v, want %v", name, got, test.want)
		}
	}
}

func TestEventsOf(t *testing.T) {
	open := corev1.PodCondition{Type: "example.com/warm", Status: corev1.ConditionTrue}
	pod := examplePodOf(func(p *corev1.Pod) {
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: open.Type}, {ConditionType: "example.com/not-set"}}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady}, open}
	})
	if diff := cmp.Diff([]lifecycle.Event{lifecycle.ConditionSet{Condition: open}}, eventsOf(pod)); diff != "" {
		t.Error(diff)
	}
	pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &pod.CreationTimestamp, new(int64(7))
	want := []lifecycle.Event{lifecycle.Deleted{Grace: 7 * time.Second}, lifecycle.ConditionSet{Condition: open}}
	if diff := cmp.Diff(want, eventsOf(pod)); diff != "" {
		t.Error(diff)
	}
}

func TestEarliest(t *testing.T) {
	now := time.Now()
	later := now.Add(time.Second)
	for name, test := range map[string]struct{ a, b, want time.Time }{
		"none":       {time.Time{}, time.Time{}, time.Time{}},
		"only one":   {now, time.Time{}, now},
		"the other":  {time.Time{}, now, now},
		"the first":  {now, later, now},
		"the second": {later, now, now},
	} {
		if got := earliest(test.a, test.b); !got.Equal(test.want) {
			t.Errorf("%s: earliest = %v, want %v", name, got, test.want)
		}
	}
}
