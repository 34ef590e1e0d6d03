//go:build example && postgres

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/test/harness"
)

// These tests run the calculator's Deployment, three replicas, on a PostgreSQL of their own. They
// need what calculator_test.go needs, and take about a minute and a half, because databases and
// services have the timings of real ones.
//
//	go test -tags example,postgres -run CalculatorPostgres -v ./test/e2e

const (
	probePeriod = 2 * time.Second // of the readiness probe in deployment.yaml
	checkPeriod = time.Second     // of the calculator's own check
	// for everything that takes hardly any time on a machine that does nothing else
	slack = 500 * time.Millisecond
)

// deployed runs the Deployment and waits for its three Pods.
func deployed(t *testing.T, db *postgres, flags string) *harness.Run {
	t.Helper()
	probity, err := filepath.Abs(filepath.Join(root, "probity"))
	if err != nil {
		t.Fatal(err)
	}
	command := fmt.Sprintf("calculator=./calculator -data %s %s", t.TempDir(), flags)
	r := harness.StartFile(t, harness.Options{Args: []string{"--command", command}, Env: []string{"DATABASE_URL=" + db.url("calculator")}},
		probity, filepath.Join(calculator, "deployment.yaml"))
	r.WaitPods(3, "run", func(p *corev1.Pod) bool { return harness.Restarted(0)(p) })
	return r
}

func unready(p *corev1.Pod) bool { return !harness.Ready(p) }

// neverRestarted fails the test if a container was restarted.
func neverRestarted(t *testing.T, r *harness.Run) {
	t.Helper()
	for name, pod := range r.Newest() {
		if n := appStatus(pod).RestartCount; n != 0 {
			t.Errorf("%s was restarted %d times", name, n)
		}
	}
}

// TestCalculatorPostgresOwnTests runs the example's database tests, the saturated pool among them,
// on PostgreSQL. It is not parallel, so that it is over before the others measure times.
func TestCalculatorPostgresOwnTests(t *testing.T) {
	db := newPostgres(t)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-run", "Database|Check|Pool", ".")
	cmd.Dir = calculator
	cmd.Env = append(cmd.Environ(), "CALCULATOR_TEST_DATABASE_URL="+db.url("calculator"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestPoolIsSaturated/postgres") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCalculatorPostgresOutage stops the database for ten seconds. Nothing is restarted. All
// replicas are unready within one period of the readiness probe, after the time that they need to
// notice, and ready again within two periods after the database is back.
func TestCalculatorPostgresOutage(t *testing.T) {
	for name, c := range map[string]struct {
		clients int
		unready time.Duration
	}{
		// requests that fail show it at once
		"under load": {8, probePeriod + slack},
		"idle":       {0, probePeriod + checkPeriod + slack}, // only the check shows it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newPostgres(t)
			r := deployed(t, db, "-weights-size 4MiB")
			r.WaitPods(3, "are ready", harness.Ready)
			load(t, front(t, r), c.clients)

			meter := harness.StartMeter(t)
			db.stop()
			gone := time.Now()
			r.WaitPods(3, "are unready", unready)
			within(t, "unready", gone, c.unready, meter)
			<-time.After(10*time.Second - time.Since(gone)) // the length of the outage
			meter = harness.StartMeter(t)
			db.start()
			back := time.Now()
			r.WaitPods(3, "are ready again", harness.Ready)
			within(t, "ready again", back, 2*probePeriod+slack, meter)
			neverRestarted(t, r)
			if events := r.Events("Liveness probe"); len(events) > 0 {
				t.Errorf("liveness failed: %s", harness.Line(events[0]))
			}
		})
	}
}

// within logs how long something took and fails the test if that is too long, and the machine had
// time for it.
func within(t *testing.T, what string, since time.Time, limit time.Duration, meter harness.Meter) {
	t.Helper()
	took, load := time.Since(since).Round(time.Millisecond), meter.Stop()
	t.Logf("%s after %v; this test was %v", what, took, load)
	if took > limit && !load.Busy() {
		t.Errorf("%s after %v, want %v at most", what, took, limit)
	}
}

// load has clients store results until the test ends, and waits for the first result.
func load(t *testing.T, service string, n int) {
	t.Helper()
	if n == 0 {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() { compute(ctx, service) })
	}
	t.Cleanup(clients.Wait)
	t.Cleanup(cancel)
	harness.WaitFor(t, "a result is stored", func() bool { return strings.Contains(get(t, service+"/results"), `"id"`) })
}

// TestCalculatorPostgresDeadlock makes the loop of one replica hang. Its HTTP server and its
// database work, so only the heartbeat shows it.
func TestCalculatorPostgresDeadlock(t *testing.T) {
	t.Parallel()
	r := deployed(t, newPostgres(t), "-weights-size 4MiB")
	pods := r.WaitPods(3, "are ready", harness.Ready)
	var victim *corev1.Pod
	for _, victim = range pods {
		break // any
	}
	if err := syscall.Kill(harness.PIDOf(t, victim, "calculator"), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	r.WaitEvent(1, "Warning Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 503")
	r.WaitEvent(1, "Normal Killing Container calculator failed liveness probe, will be restarted")
	r.WaitPods(3, "are ready, one restarted", func(p *corev1.Pod) bool {
		return harness.Ready(p) && harness.Restarted(0)(p) && (p.Name != victim.Name || harness.Restarted(1)(p))
	})
	t.Logf("restarted and ready %v after the deadlock", time.Since(begun).Round(10*time.Millisecond))
	for name, pod := range r.Newest() {
		if n := appStatus(pod).RestartCount; name != victim.Name && n != 0 || n > 1 {
			t.Errorf("%s was restarted %d times", name, n)
		}
	}
}

// TestCalculatorPostgresSlowStart lets the weights load for half a minute. Meanwhile no replica is
// killed, and /startupz shows the progress.
func TestCalculatorPostgresSlowStart(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	r := deployed(t, newPostgres(t), "-weights-size 60MiB -load-rate 2MiB/s")
	pod := r.WaitPod("runs", func(p *corev1.Pod) bool { return harness.Restarted(0)(p) })
	startup := fmt.Sprintf("http://127.0.0.1:%d/startupz", harness.PrivatePort(t, pod, "calculator"))
	percent := regexp.MustCompile(`^starting: weights: reading .*\((\d+)%\), `)
	var seen []int
	harness.WaitFor(t, "the weights are loaded", func() bool {
		answer := get(t, startup)
		if match := percent.FindStringSubmatch(answer); match != nil {
			n, err := strconv.Atoi(match[1])
			if err != nil || len(seen) > 0 && n < seen[len(seen)-1] {
				t.Errorf("%q after %v %%: %v", answer, seen, err)
			}
			if len(seen) == 0 || n > seen[len(seen)-1] {
				seen = append(seen, n)
			}
		}
		return answer == "ok\n"
	})
	if len(seen) < 15 {
		t.Errorf("progress was %v %%, want a step for almost each of 30 seconds", seen)
	}
	r.WaitPods(3, "are ready", harness.Ready)
	t.Logf("ready after %v; progress in %%: %v", time.Since(begun).Round(100*time.Millisecond), seen)
	neverRestarted(t, r)
	if events := r.Events("Killing"); len(events) > 0 {
		t.Errorf("a slow start was killed: %s", harness.Line(events[0]))
	}
}

// front is the address of the Service, at its own port or the next free one.
func front(t *testing.T, r *harness.Run) string {
	t.Helper()
	return "http://" + regexp.MustCompile(`127(\.\d+){3}:\d+`).FindString(r.WaitEvent(1, "port 8090 ").Message)
}

// compute stores results until ctx ends, about fifty a second. Failures are ignored: the tests stop
// the database.
func compute(ctx context.Context, address string) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/compute", strings.NewReader(`{"x": [1, 2, 3]}`))
		if err != nil {
			panic(err) // the address is none
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	}
}

// get returns what an address answers, or "" if there is no answer.
func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(body)
}
