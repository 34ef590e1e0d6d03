// Record plays scenarios on a real kubelet and keeps what was seen in test/differential/testdata,
// for those who cannot run one. It needs root; see package cluster for what else.
//
//	go run ./test/differential/record [-parallel N] [-out DIR] [-like DIR] [ID …]
//
// With -like a scenario that goes otherwise than in the recordings of that folder is played again,
// a few times: on a busy machine the kubelet itself is late now and then, and unlike itself.
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
	like := flags.String("like", "", "folder of recordings that these should agree with; a scenario that does not is played again")
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
	code, err := cluster.RunInNamespaces(ctx, append([]string{inside, dir, tools.Kubernetes, tools.Player, *out, strconv.Itoa(*parallel), *like}, flags.Args()...)...)
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
	dir, tools, out, like := args[0], cluster.Tools{Kubernetes: args[1], Player: args[2]}, args[3], args[5]
	parallel, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	chosen, err := scenario.Choose(args[6:])
	if err != nil {
		return err
	}
	if err := cluster.PrepareNamespaces(ctx, dir); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrImpossible, err)
	}
	c, err := cluster.Start(ctx, dir, tools)
	if err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrImpossible, err)
	}
	errs := []error{refuse(ctx, c, filepath.Join(out, "refusals.json")), probeMetrics(ctx, c, filepath.Join(out, "probes.txt"))}
	var mu sync.Mutex // guards errs
	var playing sync.WaitGroup
	places := make(chan struct{}, parallel)
	for _, s := range chosen {
		places <- struct{}{}
		playing.Go(func() {
			defer func() { <-places }()
			t, err := playUndisturbed(ctx, c, s, like)
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

// playUndisturbed plays a scenario again if the machine was too busy, a few times. One that goes
// otherwise than in the recordings of the folder like every time is returned as it was: whoever
// compares it shall see that.
func playUndisturbed(ctx context.Context, c *cluster.Cluster, s scenario.Scenario, like string) (t trace.Trace, err error) {
	for try := range 4 {
		namespace := fmt.Sprintf("%s-%d", strings.ToLower(s.ID), try)
		if t, err = stage.Play(ctx, c, s, namespace, c.Ledgers()); err != nil {
			return t, err
		}
		if t.Disturbed() {
			continue
		}
		if same, err := agrees(t, like); err != nil || same {
			return t, err
		}
	}
	if t.Disturbed() {
		return t, fmt.Errorf("cannot record %s: the machine is too busy", s.ID)
	}
	return t, nil
}

// agrees reports whether a trace is as the folder's recording of it, if there is a folder.
func agrees(t trace.Trace, folder string) (bool, error) {
	if folder == "" {
		return true, nil
	}
	reference, err := recording.Read(filepath.Join(folder, t.Scenario+".json"))
	if err != nil {
		return false, err
	}
	found := trace.Compare(reference, t)
	for _, difference := range found {
		slog.Info("Unlike the reference", "scenario", t.Scenario, "track", difference.Track, "what", difference.What)
	}
	return len(found) == 0, nil
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
