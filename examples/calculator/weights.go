package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/probity-run/probity/health"
)

const (
	chunkSize = 1 << 18 // bytes that are read at once, and the least progress that is noticed
	rowSize   = 4096    // weights that one number of a computation meets
)

// errDamaged means that a weights file is not what was written.
var errDamaged = errors.New("the weights file is damaged")

// weights are the numbers that computations need. They never change once loaded: safe for
// concurrent use.
type weights []float32

// compute weighs the numbers of x, each by a row of the weights. Numbers that are too large give
// NaN or an infinity.
func (w weights) compute(x []float64) float64 {
	var sum float64
	for i, v := range x {
		from := i * rowSize % len(w)
		for _, weight := range w[from:min(from+rowSize, len(w))] {
			sum += v * float64(weight)
		}
	}
	return sum / rowSize
}

// loadWeights returns the weights in the data folder, and tells the task, which may be nil, how far
// it has come. A file that is missing, damaged or of another size is made anew.
func loadWeights(ctx context.Context, s settings, task *health.Task, log *slog.Logger) (weights, error) {
	path := filepath.Join(s.data, "weights.bin")
	task.Phase("reading MiB")
	w, err := readWeights(ctx, path, s, task, log)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) {
		return w, err
	}
	log.Info("Weights file is made", "file", path, "size", s.weightsSize, "because", err)
	task.Phase("making the file")
	if err := makeWeights(ctx, path, s.weightsSize); err != nil {
		return nil, fmt.Errorf("cannot make the weights file: %w", err)
	}
	task.Phase("reading MiB of the new file")
	return readWeights(ctx, path, s, task, log)
}

// makeWeights writes size bytes of weights, always the same, and their checksum. The file appears
// complete or not at all, so replicas that share the folder may do this at the same time.
func makeWeights(ctx context.Context, path string, size byteSize) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "weights-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := errors.Join(writeWeights(ctx, file, size), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func writeWeights(ctx context.Context, to io.Writer, size byteSize) error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	random := rand.New(rand.NewPCG(1, 2))
	chunk := make([]byte, 0, chunkSize)
	for left := size; left > 0 && ctx.Err() == nil; left -= min(chunkSize, left) {
		chunk = chunk[:0]
		for range min(chunkSize, left) / 4 {
			chunk = binary.LittleEndian.AppendUint32(chunk, math.Float32bits(2*random.Float32()-1))
		}
		if _, err := io.MultiWriter(to, sum).Write(chunk); err != nil {
			return err
		}
	}
	_, err := to.Write(sum.Sum(nil))
	return cmp.Or(ctx.Err(), err)
}

// readWeights reads a weights file of the size and at the rate of the settings, and validates it.
func readWeights(ctx context.Context, path string, s settings, task *health.Task, log *slog.Logger) (weights, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot load the weights: %w", err)
	}
	defer file.Close() // only read from
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot load the weights: %w", err)
	}
	if want := int64(s.weightsSize) + crc32.Size; info.Size() != want {
		return nil, fmt.Errorf("%w: it has %d bytes, not %d", errDamaged, info.Size(), want)
	}
	start, sum := time.Now(), crc32.New(crc32.MakeTable(crc32.Castagnoli))
	w, err := decodeWeights(ctx, io.TeeReader(file, sum), &progress{task: task, log: log, size: s.weightsSize, rate: s.loadRate, start: start, logged: start})
	if err != nil {
		return nil, fmt.Errorf("cannot load the weights from %s: %w", path, err)
	}
	var want [crc32.Size]byte
	if _, err := io.ReadFull(file, want[:]); err != nil {
		return nil, fmt.Errorf("cannot load the weights from %s: %w", path, err)
	}
	if binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
		return nil, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	log.Info("Weights loaded", "size", s.weightsSize, "duration", time.Since(start).Round(time.Millisecond))
	return w, nil
}

func decodeWeights(ctx context.Context, from io.Reader, p *progress) (weights, error) {
	w := make(weights, 0, p.size/4)
	chunk := make([]byte, chunkSize)
	for p.done < p.size {
		n, err := io.ReadFull(from, chunk[:min(chunkSize, p.size-p.done)])
		if err != nil {
			return nil, err
		}
		for i := 0; i < n; i += 4 {
			w = append(w, math.Float32frombits(binary.LittleEndian.Uint32(chunk[i:])))
		}
		if err := p.add(ctx, byteSize(n)); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// progress tells the task how far loading has come, logs it about once a second, and holds it to a
// rate. For one goroutine.
type progress struct {
	task       *health.Task
	log        *slog.Logger
	size, rate byteSize
	done       byteSize
	start      time.Time
	logged     time.Time
}

// add counts n more bytes. It waits until the rate allows them, and fails when the context ends.
func (p *progress) add(ctx context.Context, n byteSize) error {
	p.done += n
	p.task.Progress(int64(p.done/mebibyte), int64(p.size/mebibyte))
	if p.rate > 0 {
		due := p.start.Add(time.Duration(float64(p.done) / float64(p.rate) * float64(time.Second)))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
	}
	if now := time.Now(); now.Sub(p.logged) >= time.Second {
		p.logged = now
		p.log.Info("Weights are being loaded", "percent", int(100*float64(p.done)/float64(p.size)))
	}
	return ctx.Err()
}
