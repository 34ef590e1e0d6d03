package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/health"
)

func TestWeightsAreMadeOnceAndValidated(t *testing.T) {
	data := t.TempDir()
	s, path := settings{data: data, weightsSize: 3*chunkSize + 4096}, filepath.Join(data, "weights.bin")
	want, err := loadWeights(t.Context(), s, nil, silent())
	if err != nil || len(want) != int(s.weightsSize)/4 || slices.Max(want) > 1 || slices.Min(want) < -1 {
		t.Fatalf("%d weights, %v; want %d between -1 and 1", len(want), err, s.weightsSize/4)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1

	for name, test := range map[string]struct {
		found []byte // nil means no file
		made  bool
	}{
		"good":          {good, false},
		"missing":       {nil, true},
		"empty":         {[]byte{}, true},
		"cut short":     {good[:len(good)-1], true},
		"another size":  {good[:4096+4], true},
		"flipped bit":   {flipped, true},
		"only checksum": {append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1), true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if test.found != nil {
				if err := os.WriteFile(path, test.found, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			got, err := loadWeights(t.Context(), s, nil, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%d weights, %v; want the same %d again", len(got), err, len(want))
			}
			if made := strings.Contains(log.String(), "Weights file is made"); made != test.made {
				t.Errorf("made anew: %v, want %v\n%s", made, test.made, log.String())
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, good) {
				t.Errorf("the file differs from the first one: %v", err)
			}
		})
	}
	if files, err := filepath.Glob(filepath.Join(data, "*")); err != nil || len(files) != 1 {
		t.Errorf("files in the data folder: %v, %v; want one", files, err)
	}
}

// TestStartupShowsProgress loads four seconds' worth, in virtual time, and asks once a second.
func TestStartupShowsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settings{data: t.TempDir(), weightsSize: 4 * mebibyte, loadRate: mebibyte}
		if err := makeWeights(t.Context(), filepath.Join(s.data, "weights.bin"), s.weightsSize); err != nil {
			t.Fatal(err)
		}
		v := newService(s, &database{log: silent()}, silent())
		ctx, cancel := context.WithCancel(t.Context())
		var started sync.WaitGroup
		started.Go(func() { _ = v.health.Run(ctx) })
		started.Go(func() {
			if _, err := loadWeights(ctx, s, v.weights, silent()); err != nil {
				t.Error(err)
			}
			v.weights.Done()
		})
		for _, want := range []string{
			"starting: weights: reading MiB, 1/4 (25%), 1/s, 3s left",
			"starting: weights: reading MiB, 2/4 (50%), 1/s, 2s left",
			"starting: weights: reading MiB, 3/4 (75%), 1/s, 1s left",
			"ok",
		} {
			time.Sleep(time.Second)
			synctest.Wait()
			if got := v.health.Report(health.Startup).Reason; got != want {
				t.Errorf("startupz says %q, want %q", got, want)
			}
		}
		cancel()
		started.Wait()
	})
}

// TestWeightsAreLoadedAtARate loads four seconds' worth, in virtual time.
func TestWeightsAreLoadedAtARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := settings{data: t.TempDir(), weightsSize: 4 * mebibyte, loadRate: mebibyte}
		begin := time.Now()
		if _, err := loadWeights(t.Context(), s, nil, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("loading took %v, want 4s", took)
		}
		for _, part := range []string{"percent=25", "percent=50", "percent=75", "duration=4s"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("%s is not logged:\n%s", part, log.String())
			}
		}
	})
}

func TestWeightsStopWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := loadWeights(ctx, settings{data: t.TempDir(), weightsSize: 4 * mebibyte, loadRate: mebibyte}, nil, silent())
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != 1500*time.Millisecond {
			t.Errorf("ended after %v with %v, want 1.5s and the context's error", took, err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := t.TempDir()
	if err := makeWeights(ctx, filepath.Join(data, "weights.bin"), mebibyte); !errors.Is(err, context.Canceled) {
		t.Errorf("making a file ends with %v, want the context's error", err)
	}
	if files, err := os.ReadDir(data); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestCompute(t *testing.T) {
	w := make(weights, 2*rowSize)
	for i := range w {
		w[i] = 1 + float32(i/rowSize) // a row of ones, a row of twos
	}
	for name, test := range map[string]struct {
		x    []float64
		want float64
	}{
		"one number":          {[]float64{3}, 3},
		"a row each":          {[]float64{3, 4}, 11},
		"the rows begin anew": {[]float64{1, 1, 1}, 4},
		"nothing":             {nil, 0},
		"opposites":           {[]float64{2, -1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := w.compute(test.x); got != test.want {
				t.Errorf("compute(%v) = %v, want %v", test.x, got, test.want)
			}
		})
	}
}
