package scrape

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/metrics"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
)

var update = flag.Bool("update", false, "write testdata instead of comparing it")

const ms = time.Millisecond

func create[T store.Object](t *testing.T, s *store.Store, o T) T {
	t.Helper()
	created, err := store.Create(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// sources are those of a small run: a Pod with a sidecar, one that is backed off, what makes them,
// a Service of each protocol, and some requests.
func sources(t *testing.T) Sources {
	t.Helper()
	s := store.New(store.Options{Kinds: store.Kubernetes()})
	create(t, s, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	web := create(t, s, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Status: corev1.PodStatus{
			Phase:                 corev1.PodRunning,
			Conditions:            []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "sidecar", RestartCount: 1, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}}},
			ContainerStatuses:     []corev1.ContainerStatus{{Name: "web", Ready: true, RestartCount: 3, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
		},
	})
	create(t, s, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "loop"},
		Status:     corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "web", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}},
	})
	create(t, s, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(2))}, Status: appsv1.DeploymentStatus{ReadyReplicas: 1}})
	create(t, s, &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"}})
	var recorder history.Recorder
	past := recorder.Add(web.UID)
	live := past.Probe(history.Key{Container: "web", Type: "Liveness"}, history.Probing{})
	for _, outcome := range []history.Outcome{history.Answered, history.Warning, history.Failed, history.NoVerdict} {
		past.Attempt(live, history.Attempt{Outcome: outcome, Took: 7 * ms}, history.Detail{})
	}
	var requests Requests
	pods := Request{Verb: "LIST", Version: "v1", Resource: "pods"}
	requests.Count(pods, 200)
	requests.Count(pods, 200)
	requests.Count(pods, 401)
	requests.Count(Request{Verb: "GET"}, 200)
	watch := Request{Verb: "WATCH", Group: "apps", Version: "v1", Resource: "deployments"}
	requests.Open(watch)
	requests.Open(watch)()
	return Sources{Store: s, History: recorder.Reader(), Requests: &requests, Version: "1.2.3", Traffic: func() proxy.State { return state() }}
}

// state is a Service over HTTP and one over TCP.
func state() proxy.State {
	took := metrics.NewHistogram([]time.Duration{ms, 10 * ms})
	took.Observe(2 * ms)
	name := func(name string) types.NamespacedName { return types.NamespacedName{Namespace: "default", Name: name} }
	return proxy.State{Ports: []proxy.PortState{
		{
			Service: name("web"), Port: 80, Protocol: "http", Requests: 11, InFlight: 2, Waiting: 1, Retries: 3, Failed: 4, Gone: 5, Lost: 6,
			Answers: [6]uint64{1, 0, 7, 0, 2, 1}, Latency: took.Distribution(),
			Endpoints: []proxy.EndpointState{{Ready: true}, {Ready: true, Ejected: true}, {Ready: true, Withdrawn: true}, {Exited: true}, {}, {Ready: true}},
		},
		{Service: name("db"), Port: 5432, Protocol: "tcp", Requests: 9},
	}}
}

func text(t *testing.T, families []family, of Sources) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b, families, of); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWrite compares with testdata/metrics.txt what is told of a run, without what is different in
// each process.
func TestWrite(t *testing.T) {
	families := slices.DeleteFunc(all(), func(f family) bool {
		return strings.HasPrefix(f.Name, "go_") || strings.HasPrefix(f.Name, "process_")
	})
	of := sources(t)
	got := text(t, families, of)
	pods, _ := store.List[*corev1.Pod](of.Store, store.Selector{})
	for _, pod := range pods {
		got = strings.ReplaceAll(got, string(pod.UID), "UID-OF-"+pod.Name)
	}
	path := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update writes it:\n%s", path, diff)
	}
}

// TestEmpty is a run of nothing, without Services: what is told is of the process.
func TestEmpty(t *testing.T) {
	of := Sources{Store: store.New(store.Options{Kinds: store.Kubernetes()})}
	for line := range strings.Lines(text(t, all(), of)) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "go_") && !strings.HasPrefix(line, "process_") && !strings.HasPrefix(line, "probity_build_info") {
			t.Errorf("a series of nothing: %s", line)
		}
	}
	var probes strings.Builder
	if err := WriteProbes(&probes, of); err != nil {
		t.Fatal(err)
	}
	if got := probes.String(); strings.Contains(got, "prober_") || !strings.Contains(got, "\nprocess_start_time_seconds ") {
		t.Errorf("probes of nothing: %s", got)
	}
}

func TestProcess(t *testing.T) {
	got := text(t, processFamilies(), Sources{Version: "1.2.3", Store: store.New(store.Options{Kinds: store.Kubernetes()})})
	for _, name := range []string{"go_goroutines", "go_memstats_heap_inuse_bytes", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds"} {
		if !regexp.MustCompile(`(?m)^` + name + ` [1-9]`).MatchString(got) {
			t.Errorf("%s is missing or not above zero:\n%s", name, got)
		}
	}
	started, ok := startSeconds()
	if age := time.Since(time.Unix(int64(started), 0)); !ok || age < -2*time.Second || age > time.Hour {
		t.Errorf("the process began %v ago", age)
	}
}

// TestFamilies: names, types and labels follow Prometheus' rules, and each name is there once.
func TestFamilies(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Families() {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		for _, word := range append([]string{f.Name}, f.Labels...) {
			if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(word) {
				t.Errorf("%s: %q is no name", f.Name, word)
			}
		}
		if isTotal := strings.HasSuffix(f.Name, "_total") || strings.HasSuffix(f.Name, "_gc_cycles"); isTotal != (f.Type == metrics.Counter) {
			t.Errorf("%s is a %s", f.Name, f.Type)
		}
		if !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%s: the help %q is no sentence", f.Name, f.Help)
		}
		if sorted := slices.Sorted(slices.Values(f.Labels)); len(slices.Compact(sorted)) != len(f.Labels) {
			t.Errorf("%s has a label twice: %q", f.Name, f.Labels)
		}
	}
}

func TestHasWorker(t *testing.T) {
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
	tests := map[string]struct {
		change func(*corev1.Pod)
		probe  string
		want   bool
	}{
		"running":                               {func(*corev1.Pod) {}, "Liveness", true},
		"R17 succeeded":                         {func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, "Readiness", false},
		"R17 failed":                            {func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }, "Liveness", false},
		"R15 being deleted":                     {func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }, "Liveness", false},
		"R15 being deleted, startup":            {func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }, "Startup", false},
		"R15 being deleted, readiness":          {func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }, "Readiness", true},
		"between two instances":                 {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State = ended }, "Liveness", true},
		"R17 ended, and will not start again":   {func(p *corev1.Pod) { never(p).Status.ContainerStatuses[0].State = ended }, "Liveness", false},
		"another ended, and it would not again": {func(p *corev1.Pod) { never(p).Status.ContainerStatuses[1].State = ended }, "Liveness", true},
		"not started yet":                       {func(p *corev1.Pod) { never(p).Status.ContainerStatuses = nil }, "Liveness", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "web"}, {Name: "other"}}}}
			test.change(pod)
			if got := hasWorker(pod, history.Key{Container: "web", Type: test.probe}); got != test.want {
				t.Errorf("hasWorker = %v, want %v", got, test.want)
			}
		})
	}
}

func never(p *corev1.Pod) *corev1.Pod {
	p.Spec.RestartPolicy = corev1.RestartPolicyNever
	return p
}

// TestFinished: the series of probes end with their workers, those of the Pod go on (R17).
func TestFinished(t *testing.T) {
	of := sources(t)
	_, err := store.Modify(of.Store, "default", "web", func(pod *corev1.Pod) error {
		pod.Status.Phase = corev1.PodSucceeded
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, all(), of); strings.Contains(got, "prober_") || !strings.Contains(got, `kube_pod_status_ready{namespace="default",pod="web"`) {
		t.Errorf("series of a Pod that has finished:\n%s", got)
	}
}

// TestGone: the series of a Pod end with it, although its counters are still there.
func TestGone(t *testing.T) {
	of := sources(t)
	if err := store.Delete[*corev1.Pod](of.Store, "default", "web", store.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	pods := append(podFamilies(), probeFamilies()...)
	if got := text(t, pods, of); strings.Contains(got, `pod="web"`) || !strings.Contains(got, `pod="loop"`) {
		t.Errorf("series of a Pod that is gone, or none of one that is there:\n%s", got)
	}
}

func TestRequestsAreSafe(t *testing.T) {
	var requests Requests
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 1000 {
				closed := requests.Open(Request{Verb: "WATCH"})
				requests.Count(Request{Verb: "GET"}, 200)
				requests.ended()
				requests.lasting()
				closed()
			}
		}()
	}
	for range 4 {
		<-done
	}
	ended, lasting := requests.ended(), requests.lasting()
	if len(ended) != 1 || *ended[0] != (tally{answered{Request{Verb: "GET"}, 200}, 4000}) || len(lasting) != 1 || *lasting[0] != (tally{answered{Request{Verb: "WATCH"}, 0}, 0}) {
		t.Errorf("counted %+v, open %+v", ended, lasting)
	}
}
