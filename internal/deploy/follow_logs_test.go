package deploy

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
)

// logServer answers for one Pod and its Events, and for its log by a function of how often that was
// read.
type logServer struct {
	pod    *corev1.Pod
	events []any
	log    func(r *http.Request, n int) string
	read   int
}

// RoundTrip implements [http.RoundTripper].
func (s *logServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/log") {
		s.read++
		text := s.log(r, s.read)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, r.Context().Err()
	}
	return answering(func(r *http.Request) (int, any) {
		items := []any{}
		switch {
		case r.URL.Query().Get("watch") != "":
			return http.StatusOK, nil
		case strings.HasSuffix(r.URL.Path, "/pods"):
			items = append(items, s.pod)
		case strings.HasSuffix(r.URL.Path, "/events"):
			items = s.events
		}
		return http.StatusOK, map[string]any{"metadata": map[string]any{"resourceVersion": "8"}, "items": items}
	}).RoundTrip(r)
}

// TestFollowLogs: who hears that it failed sees the log, also if that comes a little later than the
// verdict, and of what still runs as it is then; a log that does not come is not waited for.
func TestFollowLogs(t *testing.T) {
	fails := func() *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "u", ResourceVersion: "7", CreationTimestamp: metav1.Now()},
			Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "app"}}}, Status: corev1.PodStatus{Phase: corev1.PodFailed}}
		end := &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", FinishedAt: metav1.Now()}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Terminated: end}}}
		return pod
	}
	runs := func() *corev1.Pod {
		pod := fails()
		pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready"}}, PeriodSeconds: 1, FailureThreshold: 3}
		pod.Status.Phase, pod.Status.ContainerStatuses[0].Started = corev1.PodRunning, new(true)
		pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
		return pod
	}
	unready := func(at metav1.Time) []any {
		return []any{corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: "shop", UID: "e"}, InvolvedObject: corev1.ObjectReference{UID: "u", FieldPath: "spec.containers{app}"},
			Type: "Warning", Reason: "Unhealthy", Message: "Readiness probe failed: HTTP probe failed with statuscode: 503", Count: 5, FirstTimestamp: at, LastTimestamp: at}}
	}
	for name, test := range map[string]struct {
		pod    func() *corev1.Pod
		log    func(r *http.Request, n int) string
		want   string
		within time.Duration
	}{
		"a second later": {fails, func(*http.Request, int) string { time.Sleep(time.Second); return "bad flag\n" }, "bad flag", 1500 * time.Millisecond},
		"never":          {fails, func(r *http.Request, _ int) string { <-r.Context().Done(); return "" }, "", 2500 * time.Millisecond},
		"of what runs":   {runs, func(_ *http.Request, n int) string { return []string{"starting", "waits for a lock"}[min(n, 2)-1] }, "waits for a lock", 61 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				server := &logServer{pod: test.pod(), log: test.log}
				if server.pod.Status.Phase == corev1.PodRunning {
					server.events = unready(metav1.Now())
				}
				pod := &Object{Unstructured: object(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, uid: u}")}
				cluster := &kube.Cluster{Client: kube.New(&http.Client{Transport: server}, "http://cluster"), Server: "http://cluster", Namespace: "shop"}
				d := &Deployment{Entries: []*Entry{{Object: pod, After: pod.Unstructured}}, options: Options{Cluster: cluster}, begun: begun}
				shown := ""
				results, err := d.Follow(t.Context(), FollowOptions{Times: rollout.Options{Timeout: time.Minute}, Show: func(all []rollout.Result) {
					if v := all[0].Verdict; v != nil && len(v.Logs) > 0 {
						shown = strings.Join(v.Logs[0].Lines, "|")
					}
				}})
				if err != nil || len(results) != 1 || results[0].Verdict == nil || results[0].Verdict.Outcome != rollout.Failed {
					t.Fatalf("results %+v, error %v, want a failure", results, err)
				}
				if shown != test.want {
					t.Errorf("the log %q, want %q", shown, test.want)
				}
				if took := time.Since(begun); took > test.within {
					t.Errorf("it took %v, want at most %v", took, test.within)
				}
			})
		})
	}
}
