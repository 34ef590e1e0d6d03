package dashboard

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// fakeCluster is a cluster with the objects of a store.
type fakeCluster struct {
	stored
	door
	logs  string
	state ClusterState
	asked []string
	count map[history.Key]Count
}

func (f *fakeCluster) Counted(*corev1.Pod) map[history.Key]Count { return f.count }

func (f *fakeCluster) List(like store.Object) []store.Object {
	if _, ok := like.(*appsv1.DaemonSet); ok {
		return nil // no store has them
	}
	return f.stored.List(like)
}

func (f *fakeCluster) OpenLog(*corev1.Pod, string, int) Log { return process.OpenLogReader(f.logs, 0) }
func (f *fakeCluster) State() ClusterState                  { return f.state }
func (f *fakeCluster) RestartWorkload(_ context.Context, kind, namespace, name string) error {
	f.asked = append(f.asked, "restart "+kind+" "+namespace+"/"+name)
	return nil
}
func (f *fakeCluster) DeletePod(_ context.Context, namespace, name string) error {
	f.asked = append(f.asked, "delete "+namespace+"/"+name)
	return nil
}

// overCluster makes the server of a fixture one over a cluster.
func (f *fixture) overCluster(t *testing.T) *fakeCluster {
	c := &fakeCluster{
		stored: stored{f.opts.Store}, door: door{f.opts.Registry, f.opts.Fields}, logs: t.TempDir(), state: ClusterState{Kubectl: "kubectl --context prod", Namespaces: []string{"default"}},
	}
	opts := f.opts
	opts.Cluster, opts.Runner, opts.Title = c, nil, "context prod"
	f.Server = New(opts)
	t.Cleanup(f.Server.hub.end)
	return c
}

// tell records failures as Events of a cluster tell them.
func (f *fixture) tell(pod *corev1.Pod, probe string, ages ...time.Duration) {
	past := f.recorder.Add(pod.UID)
	p := past.Probe(history.Key{Container: "app", Type: probe}, history.Probing{FailureThreshold: 3})
	for _, age := range ages {
		past.Attempt(p, history.Attempt{Time: f.now.Add(-age), Outcome: history.Failed, Message: "HTTP probe failed with statuscode: 503", Told: true, Failing: true}, history.Detail{})
	}
}

// TestClusterDrawsNothingUnseen: a probe of which nothing was told has no mark and no figure, and
// one that fails has no counter.
func TestClusterDrawsNothingUnseen(t *testing.T) {
	f := newFixture(t)
	calm, bad := f.pod(t, "calm"), f.pod(t, "bad", func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].Ready = false
		p.Status.Conditions[0] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.Time{Time: noon.Add(-time.Minute)}}
	})
	f.overCluster(t).count = map[history.Key]Count{{Container: "app", Type: "Readiness"}: {Failed: 83, Succeeded: 1, At: noon}}
	f.tell(bad, "Readiness", 70*time.Second, 10*time.Second)
	page := f.ask(http.MethodGet, "/ui/pods").Body.String()
	for _, want := range []string{noSuccesses, "at least 2 failures, the first at ", "not ready</span>", `data-marks="` + strings.Repeat(".", slots) + `"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of Pods has no %q", want)
		}
	}
	for _, row := range strings.Split(page, "data-marks=\"")[1:] {
		if marks, _, _ := strings.Cut(row, `"`); strings.ContainsAny(marks, "0123456m") {
			t.Errorf("a strip shows successes: %s", marks)
		}
	}
	for _, never := range []string{"in rotation", "span.pips", `class="pips"`, "not asked yet", "0/3", "Send a signal", "Out of rotation"} {
		if strings.Contains(page, never) {
			t.Errorf("the page of Pods says %q", never)
		}
	}
	page = f.ask(http.MethodGet, podPath("default", calm.Name)).Body.String()
	for _, want := range []string{"No Event tells of a failure; " + noSuccesses, "No Event tells of a probe that failed; " + noSuccesses, "count as ready. What a probe finds is told only when it fails."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the calm Pod has no %q", want)
		}
	}
	page = f.ask(http.MethodGet, podPath("default", bad.Name)).Body.String()
	for _, want := range []string{"HTTP 503 · GET /readyz · readiness failed last at ", "At least 2 failures since ", "Counted by its kubelet until " + noon.Local().Format(time.TimeOnly) + ", since the Pod or the kubelet began: 83 failures, 1 success."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the bad Pod has no %q", want)
		}
	}
}

// TestClusterForbids: what may not be read is said where it would stand, and a server that is away
// leaves the pages.
func TestClusterForbids(t *testing.T) {
	f := newFixture(t)
	pod := f.pod(t, "web")
	c := f.overCluster(t)
	c.state.NotSeen = []string{"events (forbidden)"}
	c.state.Since, c.state.Problem = noon, "connection refused"
	for path, want := range map[string]string{
		"/ui/events":                 "The Events in namespace default may not be read",
		podPath("default", pod.Name): "Events may not be read: whether it has failed is not known.",
		"/ui/pods":                   "Not seen: events (forbidden)",
		"/ui/services":               "There is no Service in namespace default.",
		"/ui/pods?q=web":             "The cluster is not heard since " + noon.Local().Format(time.TimeOnly) + ": what is shown is of then. connection refused",
	} {
		if page := f.ask(http.MethodGet, path).Body.String(); !strings.Contains(page, want) {
			t.Errorf("%s has no %q", path, want)
		}
	}
}

// TestClusterActions: what a cluster can do is asked of it, and the rest refused.
func TestClusterActions(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "bare")
	set, err := store.Create(f.opts.Store, &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"}})
	if err != nil {
		t.Fatal(err)
	}
	f.pod(t, "db-0", func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "db", UID: set.UID, Controller: new(true)}}
	})
	c := f.overCluster(t)
	for _, test := range []struct {
		pod, do string
		status  int
		asked   string
	}{
		{"bare", "delete", http.StatusOK, "delete default/bare"},
		{"db-0", "restart", http.StatusOK, "restart StatefulSet default/db"},
		{"bare", "restart", http.StatusConflict, ""},
		{"db-0", "out", http.StatusConflict, ""},
		{"db-0", "signal", http.StatusConflict, ""},
	} {
		c.asked = nil
		w := f.ask(http.MethodPost, podPath("default", test.pod)+"/do", typed("do", test.do, "container", "app", "signal", "HUP"))
		if got := strings.Join(c.asked, ","); w.Code != test.status || got != test.asked {
			t.Errorf("%s of %s: %d %s, asked %q; want %d, %q", test.do, test.pod, w.Code, w.Body, got, test.status, test.asked)
		}
	}
	if w := f.ask(http.MethodPost, podPath("default", "bare")+"/secret", typed("container", "app", "name", "X")); w.Code != http.StatusNotFound {
		t.Errorf("a Secret is answered with %d", w.Code)
	}
	if w := f.ask(http.MethodGet, podPath("default", "db-0")+"/ask?do=restart"); !strings.Contains(w.Body.String(), "Restart StatefulSet db? It replaces all its Pods") {
		t.Errorf("the question is %s", w.Body)
	}
}
