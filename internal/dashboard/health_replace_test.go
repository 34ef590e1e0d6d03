package dashboard

import (
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// TestReplacePod: that the probes of a Pod cannot be changed is said in the API server's words; it
// is replaced if somebody insists, by what was written of it with the new probes.
func TestReplacePod(t *testing.T) {
	f := newFixture(t)
	old := f.pod(t, "bare", func(pod *corev1.Pod) {
		pod.Annotations[manifest.AnnotationManifest] = "/app.yaml"
		pod.Spec.Containers[0].Image = "app"
	})
	form := []string{"kind", "pod", "namespace", "default", "name", "bare", "container", "app"}
	for _, prefix := range []string{"", "was."} {
		form = append(form, prefix+"readinessProbe.handler", "httpGet", prefix+"readinessProbe.httpGet.path", "/readyz", prefix+"readinessProbe.httpGet.port", "", prefix+"readinessProbe.periodSeconds", "2",
			prefix+"livenessProbe.handler", "httpGet", prefix+"livenessProbe.httpGet.path", "/livez", prefix+"livenessProbe.httpGet.port", "", prefix+"livenessProbe.periodSeconds", "2")
	}
	form = append(form, "readinessProbe.httpGet.port", "8080", "livenessProbe.httpGet.port", "8080", "livenessProbe.periodSeconds", "4")
	w := f.post("/ui/apply", form...)
	for _, want := range []string{"pod updates may not change fields other than", "data-replace", "its program gets 30 s to end"} {
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), want) {
			t.Errorf("an update: %d, without %q: %s", w.Code, want, w.Body)
		}
	}
	if w := f.post("/ui/apply", append(form, "replace", "yes", "was.livenessProbe.periodSeconds", "9")...); w.Code != http.StatusConflict || f.runner.next != nil {
		t.Errorf("changed meanwhile: %d: %s", w.Code, w.Body)
	}
	w = f.post("/ui/apply", append(form, "replace", "yes")...)
	next := f.runner.next
	if w.Code != http.StatusOK || next == nil {
		t.Fatalf("a replacement: %d: %s", w.Code, w.Body)
	}
	follow := "/ui/workloads/pod/default/bare/rollout?old=" + string(old.UID)
	if !strings.Contains(w.Body.String(), `data-follow="`+follow+`"`) || !strings.Contains(w.Body.String(), "The old Pod ends.") {
		t.Errorf("it is not followed: %s", w.Body)
	}
	c := next.Spec.Containers[0]
	if c.LivenessProbe.PeriodSeconds != 4 || c.Image != "app" || next.UID != "" || next.Annotations[manifest.AnnotationManifest] != "/app.yaml" || len(next.ManagedFields) != 1 {
		t.Errorf("the new Pod is %+v", next)
	}
	if err := store.Delete[*corev1.Pod](f.opts.Store, "default", "bare", store.DeleteOptions{Grace: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	f.runner.waits = true
	if body := f.ask(http.MethodGet, follow).Body.String(); !strings.Contains(body, "the new one is made") {
		t.Errorf("without a Pod: %s", body)
	}
	f.runner.waits = false
	if body := f.ask(http.MethodGet, follow).Body.String(); !strings.Contains(body, "could not be made") || !strings.Contains(body, `data-rollout="failed"`) {
		t.Errorf("without a Pod that is to come: %s", body)
	}
	f.pod(t, "bare")
	if body := f.ask(http.MethodGet, follow).Body.String(); !strings.Contains(body, `data-rollout="over"`) {
		t.Errorf("with the new one: %s", body)
	}
}
