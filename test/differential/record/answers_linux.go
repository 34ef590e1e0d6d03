package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/scenario"
)

// The files of what is no scenario.
const (
	refusalsFile = "refusals.json"
	metricsFile  = "probes.txt"
)

// playAnswers records what the cluster says of wrong manifests and which metrics the kubelet has,
// or compares it with the recordings.
func playAnswers(ctx context.Context, c *cluster.Cluster, o options) error {
	if o.like == "" {
		return recordAnswers(ctx, c, o.out)
	}
	seen, err := os.MkdirTemp("", "probity-answers")
	if err != nil {
		return err
	}
	return errors.Join(compareAnswers(ctx, c, o.like, seen), os.RemoveAll(seen))
}

func recordAnswers(ctx context.Context, c *cluster.Cluster, out string) error {
	if err := refuse(ctx, c, filepath.Join(out, refusalsFile)); err != nil {
		return err
	}
	return probeMetrics(ctx, c, filepath.Join(out, metricsFile))
}

// compareAnswers records in one folder, and compares with the recordings of another.
func compareAnswers(ctx context.Context, c *cluster.Cluster, reference, seen string) error {
	if err := refuse(ctx, c, filepath.Join(seen, refusalsFile)); err != nil {
		return err
	}
	if err := compareFiles(refusalsFile, "what a cluster refuses", recording.ReadRefusals, reference, seen); err != nil {
		return err
	}
	err := probeMetrics(ctx, c, filepath.Join(seen, metricsFile))
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", errTooBusy, err)
	}
	if err != nil {
		return err
	}
	return compareFiles(metricsFile, "the kubelet's metrics of probes", recording.ReadShape, reference, seen)
}

func compareFiles[T any](file, what string, read func(path string) (T, error), reference, seen string) error {
	want, err := read(filepath.Join(reference, file))
	if err != nil {
		return err
	}
	got, err := read(filepath.Join(seen, file))
	if err != nil {
		return err
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s: %s has changed; go run ./test/differential/record records it anew (-recorded +seen):\n%s", file, what, diff)
	}
	return nil
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
