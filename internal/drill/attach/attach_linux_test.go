package attach

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
)

func TestMain(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	os.Exit(m.Run())
}

const manifestText = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: server
        image: example
        command: [sleep, "1000"]
        readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
`

// notices are what a run has said of its drills.
type notices struct {
	mu    sync.Mutex
	lines []string
}

func (n *notices) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notices) has(part string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(n.lines, func(line string) bool { return strings.Contains(line, part) })
}

// startRun runs a manifest, and can be drilled by the state folder.
func startRun(t *testing.T, text string) (s *system.System, stateDir string, said *notices) {
	t.Helper()
	dir, err := os.MkdirTemp("", "run") // short, as sockets are in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	file := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said = &notices{}
	s, err = system.New(system.Options{Manifests: []string{file}, StateDir: filepath.Join(dir, "state"), NoDashboard: true, Drill: func(s *system.System) http.Handler {
		return NewHandler(HandlerOptions{System: s, Notice: said.add, Drill: func() drill.Options { return drill.Options{Files: []string{file}} }})
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		s.Abort()
		<-s.Done()
	})
	s.AwaitAPI()
	return s, filepath.Join(dir, "state"), said
}

func asked(t *testing.T, words ...string) Request {
	t.Helper()
	o := drill.Options{Rate: 20, Repetitions: 2, Budget: time.Minute, EndpointDelay: -1}
	for _, word := range words {
		f, err := drill.ParseFault(word)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, f)
	}
	return RequestOf(o)
}

// TestDrill: what comes of a drill of a run gets here, a second one is refused meanwhile, and after
// it the run is as it was: requests are routed as before, and told to nobody, and who is restarted
// has to wait as long as before.
func TestDrill(t *testing.T) {
	s, dir, said := startRun(t, manifestText)
	var second error
	report, err := Drill(t.Context(), dir, asked(t, "crash"), func(line string) {
		if strings.Contains(line, "crash (1 of 2)") {
			_, second = Drill(t.Context(), dir, asked(t, "crash"), func(string) {})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 2 || report.Results[1].Fault != "crash" || len(report.Results[1].Repetitions) < 2 || !report.Attached || report.Interrupted || report.EndpointDelay != 0 {
		t.Errorf("the report: %+v", report)
	}
	if w := report.Workloads[0]; w.Line == 0 || w.Replicas != 1 || w.Start <= 0 {
		t.Errorf("the workload: %+v", w)
	}
	if _, refused := errors.AsType[*drill.InputError](second); !refused || !strings.Contains(second.Error(), "another drill of it is under way") {
		t.Errorf("a second drill: %v", second)
	}
	if !said.has("has begun") || !said.has("is over") {
		t.Errorf("the run has said %q", said.lines)
	}
	if r := s.Proxy().SetRouting(proxy.Routing{}); r.AsCluster != nil || r.Ledger != nil {
		t.Errorf("the routing afterwards: %+v", r)
	}
	for began := time.Now(); !waits(t, s, "back-off 10s"); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("a container that crashes twice does not wait 10 s")
		}
		if waits(t, s, "back-off 1s") {
			t.Fatal("a container waits 1 s: that was for the drill")
		}
		pod := onlyPod(t, s)
		_ = s.Signal(pod.Namespace, pod.Name, "server", 9) // which runs at times
	}
}

func onlyPod(t *testing.T, s *system.System) *corev1.Pod {
	t.Helper()
	pods, _ := store.List[*corev1.Pod](s.Store(), store.Selector{})
	if len(pods) != 1 {
		t.Fatalf("there are %d Pods", len(pods))
	}
	return pods[0]
}

// waits reports whether the container waits to be restarted, for the time that a message says.
func waits(t *testing.T, s *system.System, message string) bool {
	t.Helper()
	for _, c := range onlyPod(t, s).Status.ContainerStatuses {
		if c.State.Waiting != nil && strings.HasPrefix(c.State.Waiting.Message, message+" ") {
			return true
		}
	}
	return false
}

// TestRollout: a rollout that the drill makes itself is no change by others, which would end it.
func TestRollout(t *testing.T) {
	_, dir, _ := startRun(t, manifestText)
	report, err := Drill(t.Context(), dir, asked(t, "rollout"), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Failures) != 0 || report.Interrupted || len(report.Results) != 2 || len(report.Results[1].Repetitions) < 2 {
		t.Errorf("the report: %+v", report)
	}
}

// TestRolloutEnds: a rollout is judged when all replicas are replaced. Between two of them all are
// Ready, for minReadySeconds.
func TestRolloutEnds(t *testing.T) {
	text := strings.Replace(manifestText, "spec:", "spec:\n  replicas: 2\n  minReadySeconds: 2\n  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", 1)
	_, dir, _ := startRun(t, text)
	report, err := Drill(t.Context(), dir, asked(t, "rollout"), func(string) {})
	if err != nil || len(report.Results) != 2 {
		t.Fatalf("%v, the report: %+v", err, report)
	}
	for _, rep := range report.Results[1].Repetitions {
		replaced := 0
		for _, c := range rep.Changes {
			if c.Kind == drill.ChangeStarted && c.At >= rep.Begin {
				replaced++
			}
		}
		if replaced != 2 {
			t.Errorf("repetition %d was over when %d of 2 replicas were replaced", rep.Number, replaced)
		}
	}
}

// TestNothingHappened: a process that ignores the signal of a crash is no crash that went well, and
// one that is deadlocked is none any more when the drill was interrupted.
func TestNothingHappened(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	text := strings.Replace(manifestText, `[sleep, "1000"]`, `[sh, -c, "trap '' HUP; exec sleep 1000"]`, 1)
	text = strings.Replace(text, "{labels: {app: web}}", "{labels: {app: web}, annotations: {probity.run/drill.deadlock.server: touch "+done+"}}", 1)
	s, dir, _ := startRun(t, text)
	report, err := Drill(t.Context(), dir, asked(t, "crash=129"), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 1 || len(report.LeftOut) != 1 || !strings.Contains(report.LeftOut[0].Reason, "still runs 3s after signal 1 (hangup)") {
		t.Errorf("results %+v, left out %+v", report.Results, report.LeftOut)
	}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Go(func() { stopOnce(ctx, stop, done) })
	report, err = Drill(ctx, dir, asked(t, "deadlock"), func(string) {})
	if err != nil || !report.Interrupted || len(report.LeftOut) != 0 || len(report.Failures) != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	for began := time.Now(); onlyPod(t, s).Status.ContainerStatuses[0].RestartCount != 1; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("the deadlocked process goes on")
		}
	}
}

// stopOnce ends a drill when a file is there.
func stopOnce(ctx context.Context, stop func(), file string) {
	for ctx.Err() == nil {
		if _, err := os.Stat(file); err == nil {
			stop()
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestRefused: nothing is done that was asked for wrongly, and a run that takes no drills says so.
func TestRefused(t *testing.T) {
	_, dir, said := startRun(t, manifestText)
	for name, test := range map[string]struct {
		change func(*Request)
		want   string
	}{
		"no such workload": {func(r *Request) { r.Only = []string{"db"} }, `cannot drill only "db": there is no such workload, but deployment/web`},
		"no such fault":    {func(r *Request) { r.Faults = []string{"explode"} }, `unknown fault "explode"`},
		"no rate":          {func(r *Request) { r.Rate = 0.5 }, "cannot use --rate 0.5: it must be between 1 and 1000"},
		"no request":       {func(r *Request) { r.Requests = []drill.RequestSpec{{Method: "GET", Path: "x"}} }, `cannot send the request "GET x"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := asked(t, "crash")
			test.change(&r)
			_, err := Drill(t.Context(), dir, r, func(string) {})
			if _, refused := errors.AsType[*drill.InputError](err); !refused || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if said.has("") {
		t.Errorf("the run has said %q", said.lines)
	}
}
