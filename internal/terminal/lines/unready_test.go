package lines

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

// TestUnready: at the end of a run that waited in vain each Pod has a reason and what to do next,
// in the words of the diagnosis.
func TestUnready(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *stage, p *corev1.Pod)
		want   string
	}{
		"it listens elsewhere": {func(s *stage, p *corev1.Pod) {
			s.reporter.opts.Listeners = func(types.UID) map[string][]netip.AddrPort {
				return map[string][]netip.AddrPort{"app": {netip.MustParseAddrPort("127.0.0.1:9000")}}
			}
			s.fails(p, lifecycle.Readiness, refused)
		}, "not ready after 3 s: connection refused · GET :8080/readyz · 1 attempt; " +
			"next: set readinessProbe.httpGet.port to 9000 (app.yaml: spec.containers[0].readinessProbe.httpGet.port): the program listens on 9000, nothing on 8080"},
		"it does not listen": {func(s *stage, p *corev1.Pod) {
			s.reporter.opts.Listeners = func(types.UID) map[string][]netip.AddrPort { return map[string][]netip.AddrPort{"app": nil} }
			s.fails(p, lifecycle.Readiness, refused)
		}, "not ready after 3 s: connection refused · GET :8080/readyz · 1 attempt; next: let it listen on $PORT (37121): it has no listening socket after 3 s"},
		"liveness fails as well": {func(s *stage, p *corev1.Pod) {
			s.fails(p, lifecycle.Readiness, "HTTP probe failed with statuscode: 404")
			s.fails(p, lifecycle.Liveness, "HTTP probe failed with statuscode: 500")
		}, "not ready after 3 s: HTTP 404 · GET /readyz · 1 attempt; " +
			"next: correct readinessProbe.httpGet.path (app.yaml: spec.containers[0].readinessProbe.httpGet.path): nothing answers at /readyz"},
		"it passes now and then": {func(s *stage, p *corev1.Pod) {
			p.Spec.Containers[0].ReadinessProbe.SuccessThreshold = 3
			s.show(watch.Modified, p.DeepCopy())
			var recorder history.Recorder
			past := recorder.Add(p.UID)
			s.reporter.opts.History = recorder.Reader()
			probe := past.Probe(history.Key{Container: "app", Type: "Readiness"}, history.Probing{SuccessThreshold: 3})
			s.fails(p, lifecycle.Readiness, slow)
			for range 2 {
				past.Attempt(probe, history.Attempt{Time: s.now, Outcome: history.Answered}, history.Detail{})
			}
			s.at(3)
		}, "not ready after 3 s: GET /readyz · 2/3 successes"},
		"it crashes": {func(s *stage, p *corev1.Pod) {
			s.words = "FATAL cannot reach db:5432: connection refused"
			s.pod(p, ended("a", 7, corev1.PodRunning))
			s.pod(p, func(p *corev1.Pod) {
				c := &p.Status.ContainerStatuses[0]
				c.LastTerminationState = c.State
				c.LastTerminationState.Terminated.FinishedAt = metav1.NewTime(s.now)
				c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s restarting failed container=app"}}
			})
		}, `not ready after 3 s: exit 7 after 2.0 s · starts again in 0:09 · "FATAL cannot reach db:5432: connection refused"; ` +
			"next: add db's manifest to the command line: no Service db exists here. --logs shows all it wrote"},
		"it failed for good": {func(s *stage, p *corev1.Pod) {
			s.words = "no such luck"
			s.pod(p, ended("a", 3, corev1.PodFailed))
		}, `failed for good: exit 3 after 2.0 s · "no such luck"; next: correct what its last words say; --logs shows all it wrote`},
		"nothing is known": {func(*stage, *corev1.Pod) {}, "not ready after 3 s: no readiness attempt yet · GET /readyz"},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newStage(t, false), examplePod("web-1")
			s.reporter.opts.Place = func(_ *corev1.Pod, field string) string { return "app.yaml: " + field }
			s.pod(p, func(p *corev1.Pod) {
				running("a")(p)
				p.Status.ContainerStatuses[0].State.Running.StartedAt = metav1.NewTime(s.now)
			})
			s.at(2)
			test.change(s, p)
			s.at(3)
			s.said = nil
			s.reporter.Unready(s.now)
			s.want("3.0 Waiting pod/web-1: " + test.want)
		})
	}
}
