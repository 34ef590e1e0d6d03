package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestHeartbeatFollowsTheWork hangs a job, and lets the database fail, in virtual time.
func TestHeartbeatFollowsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs, proceed := 0, make(chan struct{})
		w := &worker{weights: make(weights, rowSize), heartbeat: filepath.Join(t.TempDir(), "heartbeat"), log: silent(),
			save: func(_ context.Context, r result) (result, error) {
				switch jobs++; jobs {
				case 3:
					return r, errors.New("the database is locked")
				case 5:
					<-proceed // the job hangs
				}
				return r, nil
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		var loop sync.WaitGroup
		loop.Go(func() { w.loop(ctx) })
		for _, step := range []struct {
			name string
			wait time.Duration
			want string // in the heartbeat file, which is made old before each step
		}{
			{"first job", workInterval, "job 1\n"},
			{"second job", workInterval, "job 2\n"},
			{"third job is not stored: the worker lives", workInterval, "job 3\n"},
			{"third job again", workInterval, "job 3\n"},
			{"fourth job hangs", workInterval, "old"},
			{"and goes on hanging", time.Hour, "old"},
		} {
			time.Sleep(step.wait)
			synctest.Wait()
			if got := read(t, w.heartbeat); got != step.want {
				t.Errorf("%s: heartbeat %q, want %q", step.name, got, step.want)
			}
			if err := os.WriteFile(w.heartbeat, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		close(proceed)
		cancel()
		loop.Wait()
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWorker(t *testing.T) {
	data := t.TempDir()
	heartbeat := filepath.Join(data, "beats", "heartbeat")
	p := start(t, data, map[string]string{"HEARTBEAT_FILE": heartbeat}, "-worker")
	p.await("Job done")
	p.await("Database connected")
	if got := read(t, heartbeat); got != "job 1\n" {
		t.Errorf("the heartbeat is %q, want job 1", got)
	}
	if err := p.stop(); err != nil {
		t.Errorf("stopped with %v, want nil", err)
	}
	if exists(heartbeat) {
		t.Error("the heartbeat is left behind, as if the worker still lived")
	}
}

// TestWorkerForgetsTheOldHeartbeat fails in the step that follows, so that no new heartbeat can be
// meant.
func TestWorkerForgetsTheOldHeartbeat(t *testing.T) {
	data := t.TempDir()
	heartbeat := filepath.Join(data, "heartbeat")
	if err := errors.Join(os.WriteFile(heartbeat, nil, 0o600), os.MkdirAll(filepath.Join(data, "weights.bin", "x"), 0o755)); err != nil {
		t.Fatal(err)
	}
	p := start(t, data, nil, "-worker")
	err := <-p.result
	p.result <- err
	if err == nil || exists(heartbeat) {
		t.Errorf("error %v, old heartbeat exists: %v; want an error, and none", err, exists(heartbeat))
	}
}
