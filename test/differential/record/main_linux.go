// Record plays scenarios on a real kubelet and keeps what was seen in test/differential/testdata, for those who cannot run one. It needs root; see package
// cluster for what else.
//
//	go run ./test/differential/record [-parallel N] [-out DIR] [ID …]
//
// It exits with 3 where a real kubelet cannot run, and then says why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/scenario"
	"github.com/probity-run/probity/test/differential/stage"
	"github.com/probity-run/probity/test/differential/trace"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		if errors.Is(err, cluster.ErrImpossible) {
			os.Exit(exitImpossible)
		}
		os.Exit(1)
	}
}

// exitImpossible is the exit code where a real kubelet cannot run.
const exitImpossible = 3

// inside is the first argument of the program in its own namespaces.
const inside = "inside"

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == inside {
		return play(ctx, args[1:])
	}
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	parallel := flags.Int("parallel", 12, "scenarios at a time; with more than 16 on two cores containers start too slowly")
	root := flags.String("root", ".", "folder of the repository")
	out := flags.String("out", "test/differential/testdata", "folder for the recordings")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tools, err := cluster.Prepare(ctx, *root, slog.Default())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "probity-cluster")
	if err != nil {
		return err
	}
	began := time.Now()
	code, err := cluster.Enclose(ctx, append([]string{inside, dir, tools.Kubernetes, tools.Player, *out, strconv.Itoa(*parallel)}, flags.Args()...)...)
	switch err = errors.Join(err, os.Remove(dir)); {
	case err != nil:
	case code == exitImpossible:
		err = fmt.Errorf("%w: its node does not come up, for the reason above", cluster.ErrImpossible)
	case code != 0:
		err = fmt.Errorf("cannot record: the part in the namespaces ended with code %d", code)
	}
	slog.Info("Recorded", "seconds", int(time.Since(began).Seconds()))
	return err
}

// play is the part in the namespaces: the cluster, and the scenarios on it.
func play(ctx context.Context, args []string) error {
	dir, tools, out := args[0], cluster.Tools{Kubernetes: args[1], Player: args[2]}, args[3]
	parallel, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	chosen, err := scenario.Choose(args[5:])
	if err != nil {
		return err
	}
	if err := cluster.Settle(ctx, dir); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrImpossible, err)
	}
	c, err := cluster.Start(ctx, dir, tools)
	if err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrImpossible, err)
	}
	errs := []error{refuse(ctx, c, filepath.Join(out, "refusals.json"))}
	var mu sync.Mutex // guards errs
	var playing sync.WaitGroup
	places := make(chan struct{}, parallel)
	for _, s := range chosen {
		places <- struct{}{}
		playing.Go(func() {
			defer func() { <-places }()
			t, err := playUndisturbed(ctx, c, s)
			if err == nil {
				err = recording.Write(filepath.Join(out, s.ID+".json"), t)
			}
			slog.Info("Played", "scenario", s.ID, "error", err)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	playing.Wait()
	return errors.Join(append(errs, c.Stop())...)
}

// playUndisturbed plays a scenario again if the machine was too busy, a few times.
func playUndisturbed(ctx context.Context, c *cluster.Cluster, s scenario.Scenario) (t trace.Trace, err error) {
	for try := range 4 {
		namespace := fmt.Sprintf("%s-%d", strings.ToLower(s.ID), try)
		if t, err = stage.Play(ctx, c, s, namespace, c.Ledgers()); err != nil || !t.Disturbed() {
			return t, err
		}
	}
	return t, fmt.Errorf("cannot record %s: the machine is too busy", s.ID)
}

// refuse records what the API server finds wrong with manifests.
func refuse(ctx context.Context, c *cluster.Cluster, path string) error {
	found := recording.Refusals{System: c.Name(), Causes: map[string][]string{}}
	for _, r := range scenario.Refusals() {
		causes, err := c.Refuse(ctx, r.Manifest)
		if err != nil {
			return fmt.Errorf("cannot ask about %s: %w", r.ID, err)
		}
		found.Causes[r.ID] = causes
	}
	return recording.WriteRefusals(path, found)
}
