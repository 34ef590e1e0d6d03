package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	shutdownTimeout = 10 * time.Second // for requests in flight, after SIGTERM; less than Kubernetes' grace period
	maxNumbers      = 1024             // in one computation
	maxBody         = 64 << 10         // bytes of one request
	maxResults      = 100              // in one list
)

// errStopping is why a daemon that has been asked to end is not ready.
var errStopping = errors.New("the calculator is stopping")

// serve runs the service in the order that its probes expect: weights, HTTP daemon, database. It owns the goroutines it starts.
func serve(ctx context.Context, s settings, db *database, log *slog.Logger) error {
	weights, err := loadWeights(ctx, s, log)
	if ctx.Err() != nil {
		return nil // asked to end before there was anything to end
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return fmt.Errorf("cannot listen, choose another port with -port or PORT: %w", err)
	}
	api := &server{weights: weights, db: db, log: log}
	daemon := &http.Server{
		Handler:           api.logged(api.routes()),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	connecting, stopConnecting := context.WithCancel(ctx)
	var started sync.WaitGroup
	failed := make(chan error, 1)
	started.Go(func() { failed <- daemon.Serve(listener) })
	log.Info("HTTP daemon answers", "address", listener.Addr())
	started.Go(func() { db.connect(connecting) })

	select {
	case <-ctx.Done():
		err = api.stop(daemon, s.drain)
	case err = <-failed:
	}
	stopConnecting()
	started.Wait()
	return err
}

// server is the HTTP interface. Safe for concurrent use.
type server struct {
	weights  weights
	db       *database
	log      *slog.Logger
	stopping atomic.Bool
	wasReady atomic.Bool // what the last readiness check found, to log changes only
}

// stop ends the daemon: unready at once, then as long as drain says for callers to notice, then no new connections, then the
// end of what is in flight.
func (s *server) stop(daemon *http.Server, drain time.Duration) error {
	s.stopping.Store(true)
	s.log.Info("Stopping", "drain", drain)
	time.Sleep(drain)
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := daemon.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("cannot finish the requests in flight: %w", err), daemon.Close())
	}
	s.log.Info("Stopped")
	return nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /startup", s.startup)
	mux.HandleFunc("GET /ready", s.ready)
	mux.HandleFunc("GET /health", s.ready) // for manifests that have one endpoint: readiness, never liveness
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("POST /compute", s.compute)
	mux.HandleFunc("GET /results", s.results)
	mux.HandleFunc("GET /results/{id}", s.result)
	return mux
}

// startup is asked by the startup probe: are the weights loaded? The daemon starts after that, so until then the probe is
// refused a connection, which counts as a failure as an answer of 503 would, and an answer means yes.
func (s *server) startup(w http.ResponseWriter, _ *http.Request) { answerProbe(w, nil) }

// healthz is asked by the liveness probe: does the daemon answer? The database is not asked, as a restart would not mend it, and
// computations that are not stored succeed without it.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) { answerProbe(w, nil) }

// ready is asked by the readiness probe: could a result be stored now?
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	err := errStopping
	if !s.stopping.Load() {
		err = s.db.ready(r.Context())
	}
	switch was := s.wasReady.Swap(err == nil); {
	case was && err != nil:
		s.log.Warn("Not ready any more", "error", err)
	case !was && err == nil:
		s.log.Info("Ready")
	}
	answerProbe(w, err)
}

// answerProbe says 200 or 503. Why is in the log: an error's text may name hosts and users.
func answerProbe(w http.ResponseWriter, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		http.Error(w, "no, see the log", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// compute answers {"x": [1, 2, 3]} with the result, which is stored unless the query says store=false.
func (s *server) compute(w http.ResponseWriter, r *http.Request) {
	var job struct {
		X []float64 `json:"x"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&job); err != nil {
		refuse(w, http.StatusBadRequest, `send numbers as JSON, such as {"x": [1, 2, 3]}`)
		return
	}
	if len(job.X) == 0 || len(job.X) > maxNumbers {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("x has %d numbers, it has to have 1 to %d", len(job.X), maxNumbers))
		return
	}
	answer := result{Input: job.X, Output: s.weights.compute(job.X), Time: time.Now().UTC()}
	if math.IsNaN(answer.Output) || math.IsInf(answer.Output, 0) {
		refuse(w, http.StatusBadRequest, "the numbers of x are too large to be weighed")
		return
	}
	if r.URL.Query().Get("store") == "false" {
		reply(w, http.StatusOK, answer)
		return
	}
	answer, err := s.db.save(r.Context(), answer)
	if err != nil {
		s.unavailable(w, "the result cannot be stored: the database does not answer; try again later, or use /compute?store=false, which needs none", err)
		return
	}
	reply(w, http.StatusCreated, answer)
}

func (s *server) results(w http.ResponseWriter, r *http.Request) {
	list, err := s.db.latest(r.Context(), maxResults)
	if err != nil {
		s.unavailable(w, "the results cannot be read: the database does not answer; try again later", err)
		return
	}
	reply(w, http.StatusOK, list)
}

func (s *server) result(w http.ResponseWriter, r *http.Request) {
	answer, err := s.db.get(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, errUnknown):
		refuse(w, http.StatusNotFound, err.Error())
	case err != nil:
		s.unavailable(w, "the result cannot be read: the database does not answer; try again later", err)
	default:
		reply(w, http.StatusOK, answer)
	}
}

// unavailable tells the client what it can do, and the log why.
func (s *server) unavailable(w http.ResponseWriter, message string, err error) {
	s.log.Warn("Database does not answer", "error", err)
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusServiceUnavailable, message)
}

func refuse(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"error": message})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: there is nobody to tell
}

// logged writes a line for each request, such as "GET /healthz 200 OK": at debug for those of probes, else at info.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, answer := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		level := slog.LevelInfo
		switch r.URL.Path {
		case "/startup", "/ready", "/health", "/healthz":
			level = slog.LevelDebug
		}
		s.log.Log(r.Context(), level, fmt.Sprintf("%s %s %d %s", r.Method, r.URL.Path, answer.status, http.StatusText(answer.status)),
			"duration", time.Since(start).Round(time.Microsecond))
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
