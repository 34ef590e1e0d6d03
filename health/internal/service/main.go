// Service is what the tests put under the kubelet's rules: a slow start, a database that is a TCP
// address, a loop that can be made to hang.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/probity-run/probity/health"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string) error {
	h := health.New(health.Options{ShutdownDelay: time.Second, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	weights := h.Startup("weights", health.TaskOptions{Stall: 10 * time.Second})
	h.Ready("database", func(ctx context.Context) error { return dial(ctx, getenv("DATABASE")) }, health.CheckOptions{Period: time.Second})
	loop := h.Live("loop", 3*time.Second)
	slow, err := time.ParseDuration(getenv("SLOW"))
	if err != nil {
		return fmt.Errorf("cannot start slowly: %w", err)
	}
	go func() {
		for done := range slow / time.Second {
			weights.Progress(int64(done), int64(slow/time.Second))
			time.Sleep(time.Second)
		}
		weights.Done()
	}()
	go turn(loop, getenv("HANG"))
	mux := http.NewServeMux()
	mux.Handle("/", h.Handler())
	return h.Serve(ctx, &http.Server{Addr: "127.0.0.1:" + getenv("PORT"), Handler: mux})
}

// dial is the ping of a database.
func dial(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// turn beats until it is the one that takes away the file, and then hangs.
func turn(loop *health.Heartbeat, hang string) {
	for os.Remove(hang) != nil {
		loop.Beat()
		time.Sleep(100 * time.Millisecond)
	}
	select {}
}
