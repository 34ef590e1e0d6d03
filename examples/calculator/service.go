package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/probity-run/probity/health"
)

const (
	// for requests in flight, after SIGTERM; less than Kubernetes' grace period
	shutdownTimeout = 10 * time.Second
	// for the weights, on the slowest machine: what the startup probe in pod.yaml bears
	startBudget = 150 * time.Second
	stallLimit  = time.Minute // without any progress of the weights
	checkPeriod = time.Second // between two checks of the database that nobody else uses
)

// service is the calculator with its web interface, and with what it knows about itself: three
// questions, three things to register.
type service struct {
	settings   settings
	db         *database
	log        *slog.Logger
	calculator *calculator
	health     *health.Health
	weights    *health.Task
}

// newService registers what there is to know and starts nothing.
func newService(s settings, db *database, log *slog.Logger) *service {
	h := health.New(health.Options{ShutdownDelay: cmp.Or(s.drain, -1), DrainTimeout: shutdownTimeout, Log: log})
	v := &service{settings: s, db: db, log: log, health: h}
	// Startup: what has to be done once. Slow progress is fine, none is not.
	v.weights = h.Startup("weights", health.TaskOptions{Budget: startBudget, Stall: stallLimit})
	// Readiness: what the service owns and cannot serve without. Requests use the same pool, and
	// report what they find.
	db.use = h.Ready("database", db.check, health.CheckOptions{Period: checkPeriod, Timeout: readyTimeout, Pool: db.inUse})
	// Liveness: what only a restart mends. The database is not here: computations that are not
	// stored succeed without it.
	v.calculator = &calculator{jobs: make(chan job), beat: h.Live("calculating loop", hangLimit), log: log}
	// The loop counts for readiness too, and sooner: until the restart, requests go to others.
	h.Ready("computations", v.calculator.check, health.CheckOptions{Period: checkPeriod})
	return v
}

// serve runs the service until ctx ends. SIGUSR1 makes its loop hang, to see what liveness does
// about it.
func serve(ctx context.Context, s settings, db *database, log *slog.Logger) error {
	hang := make(chan os.Signal, 1)
	signal.Notify(hang, syscall.SIGUSR1)
	defer signal.Stop(hang)
	v := newService(s, db, log)
	v.calculator.hang = hang
	return v.run(ctx)
}

// run answers probes from the first moment, and works as soon as it can. When ctx ends it is
// unready at once, goes on serving for as long as drain says, finishes the requests in flight, and
// stops; that order is Serve's. It owns the goroutine it starts.
func (v *service) run(ctx context.Context) error {
	api := &server{calculator: v.calculator, health: v.health, db: v.db, log: v.log}
	listening := make(chan net.Addr, 1)
	daemon := &http.Server{
		Addr: net.JoinHostPort(v.settings.host, v.settings.port), Handler: api.logged(api.routes()),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog:    slog.NewLogLogger(v.log.Handler(), slog.LevelWarn),
		BaseContext: func(l net.Listener) context.Context { listening <- l.Addr(); return context.Background() },
	}
	starting, stopStarting := context.WithCancel(ctx)
	// the requests in flight need the loop
	calculating, stopCalculating := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v.work(starting, calculating, listening)
	}()
	err := v.health.Serve(ctx, daemon)
	if cause, ok := errors.AsType[*net.OpError](err); ok && cause.Op == "listen" {
		err = fmt.Errorf("cannot listen, choose another port with -port or PORT: %w", cause)
	}
	stopStarting()
	stopCalculating()
	select {
	case <-ended:
	case <-time.After(time.Second):
		err = errors.Join(err, errors.New("cannot end the calculating loop: it hangs"))
	}
	if err == nil {
		v.log.Info("Stopped")
	}
	return err
}

// work does what the service is there for, in the order that its probes expect: weights, daemon,
// database; then it is the calculating loop.
func (v *service) work(starting, calculating context.Context, listening <-chan net.Addr) {
	weights, err := loadWeights(starting, v.settings, v.weights, v.log)
	if starting.Err() != nil {
		return // asked to end before there was anything to end
	}
	if err != nil {
		v.weights.Fail(err) // ends Serve
		return
	}
	select {
	case addr := <-listening:
		v.weights.Done()
		v.log.Info("HTTP daemon answers", "address", addr)
	case <-starting.Done():
		return
	}
	var connecting sync.WaitGroup
	connecting.Go(func() { v.db.connect(starting) })
	v.calculator.loop(calculating, weights)
	connecting.Wait()
}
