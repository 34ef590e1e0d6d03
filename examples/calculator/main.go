// Calculator is a service with everything that its probes have to tell apart. At start it loads a
// large weights file into memory, then starts an HTTP daemon that takes computations, then opens
// its database and keeps results there. With -worker it is a program without a web interface that
// proves itself by a heartbeat file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "calculator:", err)
		os.Exit(1)
	}
}

// run is the program: it returns when ctx ends and everything it started has ended.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	s, err := parse(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: s.logLevel}))
	if s.lock == 0 {
		log.Info("Process created", "pid", os.Getpid())
		if err := os.MkdirAll(s.data, 0o755); err != nil {
			return fmt.Errorf("cannot make the data folder, name another with -data: %w", err)
		}
	}
	db, err := openDatabase(s, log) // connects to nothing yet
	if err != nil {
		return err
	}
	switch {
	case s.lock > 0:
		err = db.lockFor(ctx, s.lock)
	case s.worker:
		err = work(ctx, s, db, log)
	default:
		err = serve(ctx, s, db, log)
	}
	return errors.Join(err, db.close())
}
