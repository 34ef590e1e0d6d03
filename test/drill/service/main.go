// Service is what the tests of probity drill break: an HTTP service with a database and one loop
// that does the work. By default it is sound; each flag is a mistake that services have.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the mistakes. The zero value has none.
type options struct {
	host     string        // the one address at which it listens
	start    time.Duration // until it has started
	database string        // address; "" for none
	connect  string        // "once": never again; "must": or exit; "each": for each question anew
	names    string        // address of the name server; "" for the machine's
	ask      string        // a name that it asks for once a second
	late     time.Duration // after that it connects to the spare database, too
	leak     int           // MiB of memory a second
	warm     time.Duration // for how long after the start requests fail, whatever the probes say
	ready    string        // "always"; "own": by a connection of its own; "stale": until the checker dies; "latched": never again
	live     string        // "ready": as readiness; "timer": whatever the loop does; "slot": in the queue of requests; "slow": under load
	term     string        // "close": stops listening at once; "exit": exits at once
	slots    int           // requests that are worked on at a time
	work     time.Duration // of a request
}

func main() {
	var o options
	flag.StringVar(&o.host, "host", "127.0.0.1", "")
	flag.DurationVar(&o.start, "start", 0, "")
	flag.StringVar(&o.database, "database", os.Getenv("DATABASE"), "")
	flag.StringVar(&o.connect, "connect", "", "")
	flag.DurationVar(&o.warm, "warm", 0, "")
	flag.StringVar(&o.names, "names", "", "")
	flag.StringVar(&o.ask, "ask", "", "")
	flag.DurationVar(&o.late, "late", 0, "")
	flag.IntVar(&o.leak, "leak", 0, "")
	flag.StringVar(&o.ready, "ready", "", "")
	flag.StringVar(&o.live, "live", "", "")
	flag.StringVar(&o.term, "term", "", "")
	flag.IntVar(&o.slots, "slots", 64, "")
	flag.DurationVar(&o.work, "work", time.Millisecond, "")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM. What it started ends with the process.
func run(o options) error {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	db, err := openDatabase(o)
	if err != nil {
		return err
	}
	s := newService(o, db)
	go s.loop()
	go s.check()
	go leak(o.leak)
	go o.askNames()
	go connectLate(o.late, os.Getenv("SPARE"))
	server := &http.Server{Addr: net.JoinHostPort(o.host, os.Getenv("PORT")), Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-term:
	}
	switch o.term {
	case "exit":
		return nil
	case "":
		// unready, and it goes on for as long as endpoints may be late
		s.ending.Store(true)
		time.Sleep(2 * time.Second)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
