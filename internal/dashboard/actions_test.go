package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// TestQuestions: before something is done the consequence is named, and of several containers it
// is asked which one is meant.
func TestQuestions(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "one")
	f.pod(t, "two", func(pod *corev1.Pod) {
		sidecar := pod.Spec.Containers[0]
		sidecar.Name = "sidecar"
		pod.Spec.Containers = append(pod.Spec.Containers, sidecar)
		pod.Spec.InitContainers = []corev1.Container{{Name: "once", Command: []string{"true"}}}
	})
	f.pod(t, "ended", func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].State = corev1.ContainerState{} })
	const all = `<option value="">all containers`
	for path, want := range map[string]struct {
		code int
		has  []string
		not  []string
	}{
		"one/ask?do=restart":  {200, []string{"Restart the containers of this Pod?"}, []string{"<select"}},
		"two/ask?do=restart":  {200, []string{all, `<option value="app">`, `<option value="sidecar">`}, []string{"once"}},
		"two/ask?do=signal":   {200, []string{`<option value="app">`, "SIGHUP (1)"}, []string{"sidecar", all}}, // it does not run
		"ended/ask?do=signal": {409, []string{"no container of the Pod runs"}, nil},
		"gone/ask?do=restart": {404, []string{"the Pod is gone"}, nil},
	} {
		w := f.ask(http.MethodGet, "/ui/pods/default/"+path)
		if w.Code != want.code {
			t.Errorf("%s: %d", path, w.Code)
		}
		for _, text := range want.has {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: without %q: %s", path, text, w.Body)
			}
		}
		for _, text := range want.not {
			if strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: with %q: %s", path, text, w.Body)
			}
		}
	}
	for _, request := range [][]string{{"do", "restart"}, {"do", "restart", "container", "sidecar"}, {"do", "signal", "container", "app", "signal", "HUP"}} {
		if w := f.post("/ui/pods/default/two/do", request...); w.Code != http.StatusOK {
			t.Errorf("%q: %d: %s", request, w.Code, w.Body)
		}
	}
	if diff := cmp.Diff([]string{"restart default/two", "restart default/two sidecar", "hangup default/two app"}, f.runner.asked); diff != "" {
		t.Error(diff)
	}
}
