package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	patience = time.Second     // of a request with the loop and with the database
	hang     = 2 * time.Second // of one turn of the loop
)

// service answers requests. Safe for concurrent use.
type service struct {
	options
	db      *database
	slot    chan struct{}
	jobs    chan chan struct{}
	started time.Time
	ready   atomic.Bool // what the checker has found
	known   bool        // the checker has found that it is
	ending  atomic.Bool
	turn    atomic.Int64 // when the turn of the loop began, 0 while it waits
	asked   atomic.Int64 // requests so far
	pace    atomic.Int64 // requests of the last second
}

func newService(o options, db *database) *service {
	s := &service{options: o, db: db, slot: make(chan struct{}, o.slots), jobs: make(chan chan struct{}), started: time.Now()}
	s.ready.Store(db == nil || o.ready == "always")
	return s
}

// loop does the work of requests, one after the other. SIGUSR1 is a deadlock.
func (s *service) loop() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGUSR1)
	for {
		s.turn.Store(0)
		select {
		case done := <-s.jobs:
			s.turn.Store(time.Now().UnixNano())
			close(done)
		case <-stop:
			s.turn.Store(time.Now().UnixNano())
			select {}
		}
	}
}

// stuck reports whether the loop is in one turn for longer than that.
func (s *service) stuck(limit time.Duration) bool {
	began := s.turn.Load()
	return began != 0 && time.Since(time.Unix(0, began)) > limit
}

// check asks the database twice a second, and counts requests.
func (s *service) check() {
	before := int64(0)
	for n := 0; ; n++ {
		if n%2 == 0 {
			now := s.asked.Load()
			s.pace.Store(now - before)
			before = now
		}
		if s.db != nil && s.options.ready != "always" {
			err := s.ask()
			if err != nil && s.options.ready == "stale" && s.ready.Load() {
				select {} // the checker has died, and what it found last stands
			}
			s.ready.Store(err == nil)
			if err != nil && s.options.ready == "latched" && s.known {
				select {} // a breaker has opened, and nothing closes it
			}
			s.known = s.known || err == nil
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func (s *service) ask() error {
	if s.options.ready == "own" {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return s.db.askOwn(ctx)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return s.db.ask(ctx)
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	probe := func(path string, ok func() bool) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			if !ok() {
				http.Error(w, "no", http.StatusServiceUnavailable)
			}
		})
	}
	probe("/startupz", s.hasStarted)
	probe("/readyz", s.isReady)
	probe("/livez", s.isLive)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, nil) })
	mux.HandleFunc("POST /store", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, s.db) })
	return mux
}

func (s *service) hasStarted() bool { return time.Since(s.started) >= s.start }

func (s *service) isReady() bool {
	return s.hasStarted() && s.ready.Load() && !s.ending.Load() && (s.options.ready == "always" || !s.stuck(patience))
}

func (s *service) isLive() bool {
	switch s.live {
	case "ready":
		return s.isReady()
	case "timer":
		return true
	case "slot":
		s.slot <- struct{}{}
		defer func() { <-s.slot }()
		time.Sleep(s.work)
	case "slow":
		if s.pace.Load() > 40 {
			time.Sleep(1300 * time.Millisecond)
		}
	}
	return !s.stuck(hang)
}

// answer does the work of a request, and keeps it in the database if there is one to keep it in.
func (s *service) answer(w http.ResponseWriter, r *http.Request, db *database) {
	s.asked.Add(1)
	s.slot <- struct{}{}
	defer func() { <-s.slot }()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	time.Sleep(s.work)
	err := s.compute(ctx)
	if time.Since(s.started) < s.warm {
		err = errors.New("the model is not loaded")
	}
	if err == nil && db != nil {
		err = db.ask(ctx)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
}

func (s *service) compute(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case s.jobs <- done:
		<-done
		return nil
	case <-ctx.Done():
		return errors.New("the loop is busy")
	}
}
