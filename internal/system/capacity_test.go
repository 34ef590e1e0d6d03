package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// podTexts are so many bare Pods.
func podTexts(name string, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = strings.Replace(text(podText, "IMAGE=one"), "name: job", fmt.Sprintf("name: %s-%d", name, i), 1)
	}
	return texts
}

func TestCheckCount(t *testing.T) {
	deployment := text(deploymentText, "IMAGE=one", "REPLICAS=replicas: 100000")
	one := text(deploymentText, "IMAGE=one", "REPLICAS=")
	for name, test := range map[string]struct {
		texts []string
		want  string // "" means fine
	}{
		"as many as there are places": {podTexts("job", 3), ""},
		"one Pod more":                {podTexts("job", 4), "<stdin>:17:1: Pod job-3: 4 Pods with this object, and the node takes 3: ask for fewer, or raise --max-pods"},
		"too many replicas":           {[]string{deployment}, "<stdin>:6:13: Deployment web: spec.replicas: 100000 Pods with this object, and the node takes 3"},
		"replicas and Pods":           {append(podTexts("job", 3), one), "<stdin>:17:1: Deployment web: 4 Pods with this object"},
		"the most there can be": {[]string{strings.Replace(deployment, "100000", "2147483647", 1), strings.NewReplacer("100000", "2147483647", "name: web", "name: api").Replace(deployment)},
			"<stdin>:6:13: Deployment web: spec.replicas: 2147483647 Pods"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkCount(parsed(t, test.texts...).set.Objects, 3)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// full is a system of which nothing runs, with room for so many Pods.
func full(max int) *System {
	s := &System{opts: Options{MaxPods: max}, store: store.New(store.Options{Kinds: store.Kubernetes()})}
	s.registry = registry.New(registry.Options{Store: s.store, NodeName: "here", Admit: s.admit})
	s.applier = newApplier(s.registry, s.store)
	return s
}

func (s *System) names() (names []string) {
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	slices.Sort(names)
	return names
}

// TestPodsWaitForAPlace: Pods that take the places of others start when those are gone.
func TestPodsWaitForAPlace(t *testing.T) {
	s := full(2)
	applied(t, s.applier, "a", podTexts("old", 2)...)
	check(t, "new Pods beside the old ones", applied(t, s.applier, "b", podTexts("new", 2)...),
		"pod/new-0 waits for a place: 0/1 nodes are available: 1 Too many pods (--max-pods 2)",
		"pod/new-1 waits for a place: 0/1 nodes are available: 1 Too many pods (--max-pods 2)")
	if err := s.applier.resume(); err != nil {
		t.Error(err)
	}
	check(t, "no place yet", s.names(), "old-0", "old-1")
	old, err := store.Get[*corev1.Pod](s.store, "default", "old-0")
	if err != nil {
		t.Fatal(err)
	}
	old.Status.Phase = corev1.PodSucceeded // it takes no place any more
	if _, err := store.UpdateStatus(s.store, old); err != nil {
		t.Fatal(err)
	}
	if err := s.applier.resume(); err != nil {
		t.Error(err)
	}
	if got := s.names(); len(got) != 3 || len(s.applier.waiting) != 1 {
		t.Errorf("Pods %v, %d wait: want the two old ones and one new one, and one that waits", got, len(s.applier.waiting))
	}
}

// TestReplicasWaitForAPlace: a ReplicaSet that another workload leaves no room gets it as soon as
// that is gone, and says until then what a scheduler would.
func TestReplicasWaitForAPlace(t *testing.T) {
	s := started(t, t.Context(), Options{MaxPods: 1})
	sleeping := strings.Replace(text(podText, "IMAGE=one"), `["true"]`, `[sleep, "60"]`, 1)
	pod := parsed(t, strings.Replace(sleeping, "spec: {", "spec: {terminationGracePeriodSeconds: 0, ", 1)).set.Objects[0].Resource.(*corev1.Pod)
	if _, err := registry.Create(s.Registry(), pod); err != nil {
		t.Fatal(err)
	}
	runs(t, s, "job")
	deployment := strings.Replace(text(deploymentText, "REPLICAS=replicas: 1", "IMAGE=one"), `["true"]`, `[sleep, "60"]`, 1)
	if _, err := registry.Create(s.Registry(), parsed(t, deployment).set.Objects[0].Resource); err != nil {
		t.Fatal(err)
	}
	refused := func() bool {
		events, _ := store.List[*corev1.Event](s.Store(), store.Selector{})
		return slices.ContainsFunc(events, func(e *corev1.Event) bool {
			return e.Reason == "FailedCreate" && strings.HasSuffix(e.Message, "0/1 nodes are available: 1 Too many pods (--max-pods 1)")
		})
	}
	eventually(t, "an Event that says why", refused)
	if err := store.Delete[*corev1.Pod](s.Store(), "default", "job", store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the Deployment's Pod", func() bool {
		names := s.names()
		return len(names) == 1 && strings.HasPrefix(names[0], "web-")
	})
}

// TestTooLongStrings: what only the start of a container can show is said there, and a manifest
// that would eat the memory changes nothing of what runs.
func TestTooLongStrings(t *testing.T) {
	s := started(t, t.Context(), Options{})
	config := parsed(t, text(configText, "VALUE="+strings.Repeat("x", 100_000))).set.Objects[0].Resource
	if _, err := registry.Create(s.Registry(), config); err != nil {
		t.Fatal(err)
	}
	pod := parsed(t, text(podText, "IMAGE=one")).set.Objects[0].Resource.(*corev1.Pod)
	pod.Spec.Containers[0].Env = []corev1.EnvVar{
		{Name: "A", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Key: "key"}}},
		{Name: "B", Value: "$(A)$(A)"},
	}
	if _, err := registry.Create(s.Registry(), pod); err != nil {
		t.Fatal(err)
	}
	eventually(t, "CreateContainerConfigError", func() bool {
		pod, err := store.Get[*corev1.Pod](s.Store(), "default", "job")
		if err != nil {
			t.Fatal(err)
		}
		statuses := pod.Status.ContainerStatuses
		if len(statuses) == 0 || statuses[0].State.Waiting == nil {
			return false
		}
		w := statuses[0].State.Waiting
		return w.Reason == "CreateContainerConfigError" && strings.Contains(w.Message, "cannot use env[1].value: it is longer than 131071 bytes")
	})

	dir := folder(t)
	live := podOf(t, filepath.Join(dir, "live.yaml"), "live", "Always", "sleep 60")
	if _, err := s.Apply(t.Context(), []string{live}); err != nil {
		t.Fatal(err)
	}
	before := runs(t, s, "live")
	bomb := strings.Replace(text(podText, "IMAGE=one"), `["true"]`, `["true"], env: [{name: A, value: "`+strings.Repeat("x", 1000)+`"}, {name: B, value: "`+strings.Repeat("$(A)", 1000)+`"}]`, 1)
	if err := os.WriteFile(live, []byte(bomb), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Apply(t.Context(), []string{live})
	if _, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(err.Error(), "live.yaml:5:") || !strings.Contains(err.Error(), "env[1].value") {
		t.Errorf("error %v, want one with file, line and field", err)
	}
	if after := runs(t, s, "live"); after.UID != before.UID {
		t.Error("the Pod that ran is another one")
	}
}
