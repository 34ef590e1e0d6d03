// Load sends requests to a server for a time, or until Ctrl-C is pressed, and prints how many
// failed and how long they took. A failed request is never sent again.
//
//	go run ./test/load -url http://127.0.0.1:8080/ -duration 30s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/probity-run/probity/test/load/generator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// shownFailures is how many failures are printed one by one.
const shownFailures = 10

// run returns the exit code: 0 if no request failed, 1 if one did, 2 for arguments that cannot be
// used.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var opts generator.Options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&opts.URL, "url", "", "what to ask for, such as http://127.0.0.1:8080/ (required)")
	duration := flags.Duration("duration", 20*time.Second, "for how long; 0: until Ctrl-C")
	flags.IntVar(&opts.Clients, "clients", 64, "how many ask at the same time")
	flags.BoolVar(&opts.NewConnections, "new-connections", false, "make a connection for each request instead of keeping one per client")
	flags.Float64Var(&opts.Posts, "posts", 0.2, "share of POST requests, 0 to 1; the others are GET")
	flags.Float64Var(&opts.Rate, "rate", 0, "requests per second of all clients together; 0: as many as are answered")
	flags.DurationVar(&opts.Timeout, "timeout", time.Minute, "of a request")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	report, err := generator.Run(ctx, opts)
	if err != nil {
		fmt.Fprintln(errs, "load:", err)
		return 2
	}
	for i := range report.Failures[:min(len(report.Failures), shownFailures)] {
		fmt.Fprintln(errs, &report.Failures[i])
	}
	fmt.Fprintln(out, report)
	if len(report.Failures) > 0 {
		return 1
	}
	return 0
}
