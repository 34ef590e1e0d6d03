package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/probity-run/probity/health"
)

// errLoading is why there is no computation yet.
var errLoading = errors.New("the weights are not loaded yet")

const (
	maxNumbers = 1024     // in one computation
	maxBody    = 64 << 10 // bytes of one request
	maxResults = 100      // in one list
)

// server is the HTTP interface. Safe for concurrent use.
type server struct {
	calculator *calculator
	health     *health.Health
	db         *database
	log        *slog.Logger
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/startupz", s.health.Handler()) // are the weights loaded? With progress
	mux.Handle("/readyz", s.health.Handler())   // could a result be stored now?
	mux.Handle("/livez", s.health.Handler())    // does the calculating loop go round?
	mux.Handle("/readyz/", s.health.Handler())  // one check alone
	mux.Handle("GET /metrics", s.health.Metrics())
	// Names that other manifests use. One endpoint for all is readiness, never liveness.
	mux.HandleFunc("/startup", s.health.Startupz)
	mux.HandleFunc("/ready", s.health.Readyz)
	mux.HandleFunc("/health", s.health.Readyz)
	mux.HandleFunc("/healthz", s.health.Livez)
	mux.HandleFunc("POST /compute", s.compute)
	mux.HandleFunc("GET /results", s.results)
	mux.HandleFunc("GET /results/{id}", s.result)
	return mux
}

// compute answers {"x": [1, 2, 3]} with the result, which is stored unless the query says
// store=false.
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
	if !s.health.OK(health.Startup) {
		s.unavailable(w, "the weights are being loaded, /startupz tells how far; try again later", errLoading)
		return
	}
	output, err := s.calculator.compute(r.Context(), job.X)
	if err != nil {
		s.unavailable(w, "the computation was not done in time; try again later", err)
		return
	}
	answer := result{Input: job.X, Output: output, Time: time.Now().UTC()}
	if math.IsNaN(answer.Output) || math.IsInf(answer.Output, 0) {
		refuse(w, http.StatusBadRequest, "the numbers of x are too large to be weighed")
		return
	}
	if r.URL.Query().Get("store") == "false" {
		reply(w, http.StatusOK, answer)
		return
	}
	if answer, err = s.db.save(r.Context(), answer); err != nil {
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
	s.log.Warn("Request is refused", "error", err)
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

// logged writes a line for each request, such as "GET /livez 200 OK": at debug for those of probes,
// else at info.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, answer := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		level := slog.LevelInfo
		switch r.URL.Path {
		case "/startupz", "/readyz", "/livez", "/startup", "/ready", "/health", "/healthz":
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
