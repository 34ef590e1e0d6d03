package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// workInterval is the time from one job to the next.
const workInterval = 2 * time.Second

// worker computes one job after another and has no web interface. It proves itself by a heartbeat
// file that it touches after each round, in the loop that works: a timer beside the loop would go
// on touching it while the work hangs.
type worker struct {
	weights   weights
	save      func(context.Context, result) (result, error)
	heartbeat string
	log       *slog.Logger
}

// work runs the worker until ctx ends, in the order of the service: weights, database, jobs. It
// owns the goroutine it starts.
func work(ctx context.Context, s settings, db *database, log *slog.Logger) error {
	// What the last instance left says nothing about this one.
	if err := removeHeartbeat(s.heartbeat); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.heartbeat), 0o755); err != nil {
		return fmt.Errorf("cannot make the folder of the heartbeat, name another file with -heartbeat: %w", err)
	}
	weights, err := loadWeights(ctx, s, nil, log)
	if ctx.Err() != nil {
		return nil // asked to end before there was anything to end
	}
	if err != nil {
		return err
	}
	var started sync.WaitGroup
	started.Go(func() { db.connect(ctx) })
	w := &worker{weights: weights, save: db.save, heartbeat: s.heartbeat, log: log}
	w.loop(ctx)
	started.Wait()
	log.Info("Stopped")
	return removeHeartbeat(s.heartbeat)
}

// loop does a round at each interval until ctx ends; a round that has begun is finished.
func (w *worker) loop(ctx context.Context) {
	tick := time.NewTicker(workInterval)
	defer tick.Stop()
	for job := 1; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		err := w.round(context.WithoutCancel(ctx), job)
		w.beat(job)
		if err != nil {
			w.log.Warn("Result cannot be stored, the job is tried again", "job", job, "error", err)
			continue
		}
		w.log.Info("Job done", "job", job)
		job++
	}
}

// round computes one job and keeps its result. It hangs when the work hangs, and then there is no
// heartbeat. A database that does not answer is an error, within queryTimeout: the worker lives,
// and a restart would not mend the database.
func (w *worker) round(ctx context.Context, job int) error {
	x := []float64{float64(job), 1 / float64(job)}
	_, err := w.save(ctx, result{Input: x, Output: w.weights.compute(x), Time: time.Now().UTC()})
	return err
}

// beat touches the heartbeat file. If that fails the file grows old, which is what the probe looks
// at.
func (w *worker) beat(job int) {
	if err := os.WriteFile(w.heartbeat, fmt.Appendln(nil, "job", job), 0o644); err != nil {
		w.log.Error("Heartbeat file cannot be written", "error", err)
	}
}

func removeHeartbeat(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the old heartbeat: %w", err)
	}
	return nil
}
