// Record plays scenarios on a real kubelet and keeps what was seen in test/differential/testdata,
// for those who cannot run one. It needs root; see package cluster for what else.
//
//	go run ./test/differential/record [-parallel N] [-out DIR] [ID …]
//
// With -like nothing is kept: what is seen is compared with the recordings of that folder. The
// scenarios are played in an order of chance until -for is over, so that several short runs come to
// all of them. On a busy machine the kubelet itself is late now and then, and unlike itself: fewer
// are played at a time then, those that differ again, and at last alone.
//
//	go run ./test/differential/record -like DIR [-for 6m] [-seed N] [ID …]
//
// It exits with 1 if a scenario could not be recorded or differs, and with 3 where a real kubelet
// cannot run, or none of its plays tells anything, and then says why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/probity-run/probity/test/differential/cluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "record:", err)
	if errors.Is(err, cluster.ErrImpossible) || errors.Is(err, errTooBusy) {
		os.Exit(exitImpossible)
	}
	os.Exit(1)
}

// exitImpossible is the exit code where a real kubelet cannot run.
const exitImpossible = 3

// errTooBusy is why nothing was told on a machine on which a kubelet runs.
var errTooBusy = errors.New("the machine is too busy")

// inside is the first argument of the program in its own namespaces.
const inside = "inside"

// options are what the command line says.
type options struct {
	parallel  int // scenarios at a time
	root, out string
	like      string        // empty to record
	length    time.Duration // no play begins after it; none if 0
	seed      uint64        // of the order of what is compared
	ids       []string      // all if there is none
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	flags.IntVar(&o.parallel, "parallel", 12, "scenarios at a time, if the machine can do that; with more than 16 on two cores containers start too slowly")
	flags.StringVar(&o.root, "root", ".", "folder of the repository")
	flags.StringVar(&o.out, "out", "test/differential/testdata", "folder for the recordings")
	flags.StringVar(&o.like, "like", "", "folder of recordings to compare with; nothing is recorded then")
	flags.DurationVar(&o.length, "for", 0, "no scenario is begun later than this after the first, nor played alone later than half of it after that; none means that all scenarios are played")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what decides the order of what is compared")
	err = flags.Parse(args)
	o.ids = flags.Args()
	return o, err
}

// run is the part outside of the namespaces.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == inside {
		return runInside(ctx, args[1], cluster.Tools{Kubernetes: args[2], Player: args[3]}, args[4:])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	tools, err := cluster.Prepare(ctx, o.root, slog.Default())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "probity-cluster")
	if err != nil {
		return err
	}
	began := time.Now()
	code, err := cluster.RunInNamespaces(ctx, append([]string{inside, dir, tools.Kubernetes, tools.Player}, args...)...)
	switch err = errors.Join(err, os.Remove(dir)); {
	case err != nil:
	case code == exitImpossible:
		err = fmt.Errorf("%w, for the reason above", cluster.ErrImpossible)
	case code != 0:
		err = fmt.Errorf("cannot record: the part in the namespaces ended with code %d", code)
	}
	slog.Info("Done", "seconds", int(time.Since(began).Seconds()))
	return err
}

// runInside is the part in the namespaces: the cluster, and what is played on it.
func runInside(ctx context.Context, dir string, tools cluster.Tools, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := cluster.PrepareNamespaces(ctx, dir); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrImpossible, err)
	}
	c, err := cluster.Start(ctx, dir, tools)
	if err != nil {
		return fmt.Errorf("%w: its node does not come up: %w", cluster.ErrImpossible, err)
	}
	return errors.Join(playAll(ctx, c, o), c.Stop())
}

// playAll plays what is no scenario, and the scenarios. Whether the machine was too busy for the
// former, or there is another reason for its silence, the latter tell.
func playAll(ctx context.Context, c *cluster.Cluster, o options) error {
	silent := playAnswers(ctx, c, o)
	if silent != nil && !errors.Is(silent, errTooBusy) {
		return silent
	}
	err := playScenarios(ctx, c, o)
	if silent != nil && err == nil {
		err = fmt.Errorf("scenarios could be told of, but not what else was asked for: %v", silent)
	}
	return err
}
