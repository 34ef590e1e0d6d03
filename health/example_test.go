package health_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/probity-run/probity/health"
)

// get sends a request as a prober does, and prints the answer.
func get(handler http.Handler, path string) {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	fmt.Printf("%s %d %s\n", path, w.Code, strings.TrimSpace(w.Body.String()))
}

// run runs h until the function that it returns is called, which returns Run's error. It waits for
// the first results.
func run(h *health.Health) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	for pending := true; pending; time.Sleep(time.Millisecond) {
		pending = strings.Contains(h.Report(health.Startup).Reason, "Run has not been called")
		for _, check := range h.Report(health.Readiness).Checks {
			pending = pending || check.State == "pending"
		}
	}
	return func() error { cancel(); return <-ended }
}

// pool stands for a *sql.DB.
type pool struct{ err error }

func (p *pool) PingContext(context.Context) error { return p.err }

// A whole service: one HTTP server, a database, a loop.
func Example() {
	db := &pool{}
	// in a service: signal.NotifyContext
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()

	h := health.New(health.Options{ShutdownDelay: 10 * time.Millisecond})
	h.Ready("database", db.PingContext)
	loop := h.Live("queue loop", 30*time.Second)
	go func() {
		for ctx.Err() == nil {
			loop.Beat()
			time.Sleep(time.Millisecond) // work
		}
	}()
	mux := http.NewServeMux()
	mux.Handle("/", h.Handler())
	fmt.Println(h.Serve(ctx, &http.Server{Addr: "127.0.0.1:0", Handler: mux}))
	// Output: <nil>
}

func ExampleHealth_Startup() {
	h := health.New(health.Options{ShutdownDelay: -1})
	weights := h.Startup("weights", health.TaskOptions{Budget: 20 * time.Minute, Stall: 30 * time.Second})
	defer run(h)()

	weights.Progress(120, 400)
	fmt.Println(h.Report(health.Startup).Reason) // for probes it is rendered once a second
	weights.Done()
	get(h.Handler(), "/startupz")
	// Output:
	// starting: weights: 120/400 (30%)
	// /startupz 200 ok
}

func ExampleHealth_Ready() {
	db := &pool{err: errors.New("dial tcp 10.1.2.3:5432: connection refused")}
	h := health.New(health.Options{ShutdownDelay: -1})
	h.Ready("database", db.PingContext, health.CheckOptions{Period: 2 * time.Second})
	defer run(h)()

	get(h.Handler(), "/readyz")
	get(h.Handler(), "/livez") // a restart would not help the database
	// Output:
	// /readyz 503 not ready: database failing
	// /livez 200 ok
}

func ExampleHealth_Depends() {
	h := health.New(health.Options{ShutdownDelay: -1})
	billing := h.Depends("billing", func(context.Context) error { return errors.New("503") })
	defer run(h)()

	get(h.Handler(), "/readyz") // its outage is theirs: reported, no more
	if billing.Err() != nil {
		fmt.Println("orders are accepted, and billed later")
	}
	// Output:
	// /readyz 200 ok
	// degraded: billing failing
	// orders are accepted, and billed later
}

// A dependency without which this service is of little use may count for readiness, part of the
// time.
func ExampleCircuitBreaker() {
	h := health.New(health.Options{ShutdownDelay: -1})
	h.Depends("billing", func(context.Context) error { return errors.New("503") }, health.CheckOptions{
		CircuitBreaker: &health.CircuitBreaker{After: 15 * time.Second, Open: 15 * time.Second, HalfOpen: 30 * time.Second},
	})
	defer run(h)()

	get(h.Handler(), "/readyz") // it has not failed for 15 s yet
	// Output:
	// /readyz 200 ok
	// degraded: billing failing
}

// The application's own calls are the best check: they use the same pool.
func ExampleCheck_Report() {
	h := health.New(health.Options{ShutdownDelay: -1})
	db := &pool{}
	database := h.Ready("database", db.PingContext)
	query := func() error {
		err := db.PingContext(context.Background()) // any query
		// success replaces the next ping, a failure makes it come at once
		database.Report(err)
		return err
	}
	defer run(h)()

	fmt.Println(query(), database.Err())
	// Output: <nil> <nil>
}

// With all of the pool in slow queries the answer is not "database down".
func ExampleCheckOptions_pool() {
	// waits for a connection
	ping := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	h := health.New(health.Options{ShutdownDelay: -1})
	h.Ready("database", ping, health.CheckOptions{
		Timeout: 10 * time.Millisecond,
		// s := db.Stats(); return s.InUse, s.MaxOpenConnections
		Pool: func() (inUse, size int) { return 8, 8 },
	})
	defer run(h)()

	get(h.Handler(), "/readyz")
	// Output: /readyz 503 not ready: database pool saturated
}

// A loop that waits for work reports so; then it need not beat.
func ExampleHealth_Live() {
	h := health.New(health.Options{ShutdownDelay: -1})
	loop := h.Live("queue loop", 50*time.Millisecond)
	defer run(h)()

	jobs := make(chan func())
	var worker sync.WaitGroup
	worker.Go(func() {
		defer loop.Stop()
		for {
			loop.Idle()
			job, ok := <-jobs
			loop.Beat()
			if !ok {
				return
			}
			job()
		}
	})
	time.Sleep(100 * time.Millisecond) // idle for longer than the limit
	get(h.Handler(), "/livez")

	rescue := make(chan struct{})
	jobs <- func() { <-rescue } // a job that hangs
	for h.OK(health.Liveness) {
		time.Sleep(time.Millisecond)
	}
	get(h.Handler(), "/livez")
	close(rescue)
	close(jobs)
	worker.Wait()
	// Output:
	// /livez 200 ok
	// /livez 503 not live: no heartbeat of queue loop
}

func ExampleHealth_LiveLock() {
	var cache sync.RWMutex
	h := health.New(health.Options{ShutdownDelay: -1})
	h.LiveLock("cache", cache.RLocker(), 30*time.Second)
	h.LiveScheduler(time.Minute)
	h.LiveListener("main port", ":8080", 30*time.Second)
	get(h.Handler(), "/livez")
	// Output: /livez 200 ok
}

func ExampleHealth_Drain() {
	h := health.New(health.Options{ShutdownDelay: 10 * time.Millisecond})
	h.Drain("queue", func(context.Context) error { fmt.Println("jobs in flight are finished"); return nil })
	stop := run(h)
	fmt.Println(stop())
	get(h.Handler(), "/readyz")
	get(h.Handler(), "/livez")
	// Output:
	// jobs in flight are finished
	// <nil>
	// /readyz 503 stopping
	// /livez 200 ok
}

// A worker without a network interface: its own binary is its exec probe.
func ExampleProbeFile() {
	folder, err := os.MkdirTemp("", "worker")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "heartbeat")
	stop := run(health.New(health.Options{HeartbeatFile: file, ShutdownDelay: -1}))

	// In main: if os.Args[1] == "probe", exit with 1 if this returns an error.
	fmt.Println(health.ProbeFile(file, health.Liveness, 10*time.Second))
	fmt.Println(stop())
	// Output:
	// <nil>
	// <nil>
}

func ExampleHealth_Handler_verbose() {
	h := health.New(health.Options{ShutdownDelay: -1, Reveal: health.FromLoopback})
	h.Live("loop", time.Minute).Idle()
	h.Depends("billing", func(context.Context) error { return nil })
	defer run(h)()

	get(h.Handler(), "/livez?verbose")
	get(h.Handler(), "/readyz/billing")
	// Output:
	// /livez?verbose 200 liveness: ok
	// [+]loop ok (waiting for work)
	// /readyz/billing 200 ok
}

func ExampleHealth_Metrics() {
	h := health.New(health.Options{})
	w := httptest.NewRecorder()
	h.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	first, _, _ := strings.Cut(w.Body.String(), "# TYPE health_probes")
	fmt.Print(first)
	// Output:
	// # TYPE health_probe_ok gauge
	// health_probe_ok{type="startupz"} 0
	// health_probe_ok{type="readyz"} 0
	// health_probe_ok{type="livez"} 1
}

func ExampleHealth_Manifest() {
	h := health.New(health.Options{Addr: ":9090"})
	h.Startup("weights", health.TaskOptions{Budget: 10 * time.Minute})
	h.Ready("database", new(pool).PingContext)
	fmt.Print(h.Manifest())
	// Output:
	// # In the Pod's spec: ShutdownDelay + DrainTimeout, and a little.
	// terminationGracePeriodSeconds: 28
	//
	// # In the container.
	// startupProbe: # has 10m0s
	//   httpGet:
	//     path: /startupz
	//     port: 9090
	//   periodSeconds: 2
	//   timeoutSeconds: 1
	//   failureThreshold: 300
	// readinessProbe: # the checks have thresholds of their own; what a check needs to notice comes on top
	//   httpGet:
	//     path: /readyz
	//     port: 9090
	//   periodSeconds: 5
	//   timeoutSeconds: 1
	//   failureThreshold: 1
	// livenessProbe: # patient: the limits of the heartbeats come first
	//   httpGet:
	//     path: /livez
	//     port: 9090
	//   periodSeconds: 10
	//   timeoutSeconds: 2
	//   failureThreshold: 3
}

// Each worker has a heartbeat of its own, so that one that hangs is seen.
func ExampleHealth_LivePool() {
	h := health.New(health.Options{ShutdownDelay: -1})
	var workers sync.WaitGroup
	jobs := make(chan func())
	for _, worker := range h.LivePool("worker", 3, time.Second) {
		workers.Go(func() {
			defer worker.Stop()
			for worker.Idle(); ; worker.Idle() {
				job, ok := <-jobs
				if worker.Beat(); !ok {
					return
				}
				job()
			}
		})
	}
	stop := run(h)
	rescue := make(chan struct{})
	jobs <- func() { <-rescue } // a job that hangs, while two workers go on
	for h.OK(health.Liveness) {
		time.Sleep(time.Millisecond)
	}
	fmt.Println(strings.Count(h.Report(health.Liveness).Reason, "worker"), "hangs")
	close(rescue)
	close(jobs)
	workers.Wait()
	fmt.Println(stop())
	// Output:
	// 1 hangs
	// <nil>
}

// The database has moved: its check gets the new pool. The cache is not used any more.
func ExampleCheck_Replace() {
	primary, standby := &pool{err: errors.New("connection refused")}, &pool{}
	h := health.New(health.Options{ShutdownDelay: -1})
	database := h.Ready("database", primary.PingContext)
	cache := h.Ready("cache", new(pool).PingContext)
	defer run(h)()

	get(h.Handler(), "/readyz")
	database.Replace(standby.PingContext)
	cache.Remove()
	for !h.OK(health.Readiness) {
		time.Sleep(time.Millisecond)
	}
	get(h.Handler(), "/readyz")
	// Output:
	// /readyz 503 not ready: database failing
	// /readyz 200 ok
}

func ExampleHTTPCheck() {
	billing := httptest.NewServer(http.NotFoundHandler())
	defer billing.Close()
	h := health.New(health.Options{ShutdownDelay: -1})
	h.Depends("billing", health.HTTPCheck(billing.URL+"/readyz"))
	h.Depends("queue", health.TCPCheck(billing.Listener.Addr().String()))
	h.Depends("names", health.DNSCheck("localhost"))
	defer run(h)()

	get(h.Handler(), "/readyz")
	// Output:
	// /readyz 200 ok
	// degraded: billing failing
}
