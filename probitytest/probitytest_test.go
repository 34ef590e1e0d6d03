package probitytest_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/probity-run/probity/probitytest"
)

// playService makes the test binary the service of testdata/web.yaml.
const playService = "PROBITYTEST_SERVICE"

func TestMain(m *testing.M) {
	if os.Getenv(playService) != "" {
		serve()
	}
	// A program under the race detector otherwise sleeps a second when it ends.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	if name := filepath.Base(os.Args[0]); name != "probity" && name != "shepherd" {
		// the tests wait most of the time, so more can run than there are processors
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
	}
	os.Exit(probitytest.Main(m))
}

// serve answers every request with the process id.
func serve() {
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Getpid()) }
	fmt.Println("listens at", os.Getenv("PORT"))
	fmt.Fprintln(os.Stderr, http.ListenAndServe(":"+os.Getenv("PORT"), http.HandlerFunc(answer)))
	os.Exit(1)
}

// web runs testdata/web.yaml with the test binary as the service.
func web(t *testing.T) *probitytest.System {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return probitytest.Options{
		Commands: map[string]string{"server": self}, Environ: append(os.Environ(), playService+"=1"), MaxRestartPeriod: time.Second,
		Timeout: 2 * time.Minute, // bounds a hang: the tests of all packages run at a time
	}.Run(t, "testdata/web.yaml")
}

// get asks the Service and returns what a replica answered.
func get(t *testing.T, run *probitytest.System) string {
	t.Helper()
	response, err := http.Get(run.URL("web"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, body)
	}
	return string(body)
}

func TestRun(t *testing.T) {
	t.Parallel()
	run := web(t)
	if pods := run.Pods("web"); len(pods) != 2 {
		t.Fatalf("%d Pods, want 2", len(pods))
	}
	get(t, run)
	if got := run.Requests("web"); got.Total != 1 || got.Failed != 0 {
		t.Errorf("requests: %+v, want one", got)
	}
	if run.Address("web", 80) != run.Address("web", 0) {
		t.Error("the first port is not port 80")
	}
	if _, err := os.Stat(run.Kubeconfig()); err != nil {
		t.Error(err)
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	run := web(t)
	fault := run.Inject("web", probitytest.Hang())
	fault.Detected()
	fault.Restarted()
	run.WaitReady()
	if restarts := run.Restarts("web"); restarts != 1 {
		t.Errorf("%d restarts for one hang", restarts)
	}
	run.WaitEvent("web", "Killing")
	get(t, run)
}

func TestHangIsUndone(t *testing.T) {
	t.Parallel()
	run := web(t)
	fault := run.Inject("web", probitytest.Hang())
	fault.Undo()
	fault.Undo() // does nothing
	run.WaitReady()
	get(t, run)
}

func TestKill(t *testing.T) {
	t.Parallel()
	run := web(t)
	fault := run.Inject("web", probitytest.Kill())
	fault.Restarted()
	fault.Undo()
	run.WaitReady()
	if restarts := run.Restarts("web"); restarts != 1 {
		t.Errorf("%d restarts for one kill", restarts)
	}
}

// TestRefuse must be seen by readiness and liveness, and be over when it is undone.
func TestRefuse(t *testing.T) {
	t.Parallel()
	run := web(t)
	fault := run.Inject("web", probitytest.Refuse())
	for range 20 {
		get(t, run) // the other replica answers, at the latest at the second try
	}
	fault.Detected()
	for _, reason := range []string{"Unhealthy", "FaultInjected"} {
		if e := run.WaitEvent("web", reason); e.InvolvedObject.Name != fault.Pod.Name {
			t.Errorf("%s is about %s, not %s", reason, e.InvolvedObject.Name, fault.Pod.Name)
		}
	}
	fault.Undo()
	run.WaitReady()
	run.WaitEvent("web", "FaultEnded")
}

// TestUnready must take a replica out of rotation without a restart.
func TestUnready(t *testing.T) {
	t.Parallel()
	run := web(t)
	fault := run.Inject("web", probitytest.Unready())
	fault.Detected()
	first := get(t, run)
	for range 10 {
		if again := get(t, run); again != first {
			t.Errorf("another replica answers: %s, not %s", again, first)
		}
	}
	fault.Undo()
	run.WaitReady()
	if restarts := run.Restarts("web"); restarts != 0 {
		t.Errorf("%d restarts of a replica that is unready", restarts)
	}
}

// TestSlow must make requests late, whatever restarts, and probes fail once it is longer than their
// timeouts.
func TestSlow(t *testing.T) {
	t.Parallel()
	run := web(t)
	const late = 300 * time.Millisecond
	var before []*probitytest.Injection
	for _, pod := range run.Pods("web") {
		before = append(before, run.InjectPod(pod, probitytest.Slow(late)))
	}
	getLate := func() {
		t.Helper()
		begin := time.Now()
		get(t, run)
		if took := time.Since(begin); took < late {
			t.Errorf("answered after %v", took)
		}
	}
	getLate()
	for _, fault := range before {
		run.InjectPod(fault.Pod, probitytest.Kill()).Restarted()
	}
	run.WaitReady()
	getLate()
	fault := run.Inject("web", probitytest.Slow(5*time.Second))
	for _, other := range before {
		other.Undo() // that of the same Pod is over already
	}
	fault.Detected()
	fault.Undo()
	run.WaitReady()
}

func TestSimulation(t *testing.T) {
	probitytest.Simulation{}.Assert(t, "testdata/web.yaml", "ready within 5s", "restarts == 0")
	probitytest.Simulation{Faults: []string{"hang@60s"}}.Assert(t, "testdata/web.yaml", "restarts == 2", "detected within 10s")
}
