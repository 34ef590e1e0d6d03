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
	switch err = recordAnswers(ctx, c, seen); {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		err = fmt.Errorf("%w: %w", errTooBusy, err)
	case err == nil:
		err = compareAnswers(o.like, seen)
	}
	return errors.Join(err, os.RemoveAll(seen))
}

func recordAnswers(ctx context.Context, c *cluster.Cluster, out string) error {
	if err := refuse(ctx, c, filepath.Join(out, refusalsFile)); err != nil {
		return err
	}
	return probeMetrics(ctx, c, filepath.Join(out, metricsFile))
}

func compareAnswers(reference, seen string) error {
	want, err := recording.ReadRefusals(filepath.Join(reference, refusalsFile))
	if err != nil {
		return err
	}
	got, err := recording.ReadRefusals(filepath.Join(seen, refusalsFile))
	if err != nil {
		return err
	}
	wantShape, err := recording.ReadShape(filepath.Join(reference, metricsFile))
	if err != nil {
		return err
	}
	gotShape, err := recording.ReadShape(filepath.Join(seen, metricsFile))
	if err != nil {
		return err
	}
	return errors.Join(
		differ(refusalsFile, "what a cluster refuses", cmp.Diff(want, got)), differ(metricsFile, "the kubelet's metrics of probes", cmp.Diff(wantShape, gotShape)))
}

func differ(file, what, diff string) error {
	if diff == "" {
		return nil
	}
	return fmt.Errorf("%s: %s has changed; go run ./test/differential/record records it anew (-recorded +seen):\n%s", file, what, diff)
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
