package health

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// heartbeatPeriod is the time between two renewals of the heartbeat file, unless an answer changes.
const heartbeatPeriod = 2 * time.Second

// heartbeatFile is a file with the answers to the probes, for exec probes. It has a line for each
// probe, such as "readiness ok" or "startup failed". It exists while the service is live.
type heartbeatFile struct {
	path string
	h    *Health
	log  *logQueue
}

// keep renews the file until ctx ends, and then removes it.
func (f heartbeatFile) keep(ctx context.Context) {
	failing := false
	for ctx.Err() == nil {
		changed := f.h.Changed()
		err := f.write()
		if err != nil && !failing {
			f.log.put(slog.LevelError, "Heartbeat file is not renewed", slog.Any("error", err))
		}
		failing = err != nil
		timer := time.NewTimer(heartbeatPeriod)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	if err := f.remove(); err != nil {
		f.log.put(slog.LevelError, "Heartbeat file is not removed", slog.Any("error", err))
	}
}

// write replaces the file as a whole, since it may be read at any time.
func (f heartbeatFile) write() error {
	if !f.h.OK(Liveness) {
		return f.remove()
	}
	var text strings.Builder
	for _, p := range probes {
		word := "failed"
		if f.h.OK(p) {
			word = "ok"
		}
		fmt.Fprintln(&text, p, word)
	}
	err := writeFile(f.path, text.String())
	if err != nil {
		return fmt.Errorf("cannot write the heartbeat file, choose a folder that can be written to: %w", err)
	}
	return nil
}

func (f heartbeatFile) remove() error {
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the heartbeat file: %w", err)
	}
	return nil
}

func writeFile(path, text string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// ProbeFile probes a service by its heartbeat file, from another process: it returns nil if the
// file was renewed within maxAge and has success for the probe. So the service's own binary can be
// its exec probe, in an image without a shell. Give maxAge at least 10 s. (For liveness alone the
// age of the file is enough: a service that is not live has no file.)
func ProbeFile(path string, p Probe, maxAge time.Duration) error {
	if err := positive("maxAge", maxAge); err != nil {
		return fmt.Errorf("cannot judge the heartbeat: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot read the heartbeat, the service is not up or not live: %w", err)
	}
	switch age := time.Since(info.ModTime()); {
	case age > maxAge:
		return fmt.Errorf("heartbeat is %v old, more than %v", short(age), maxAge)
	case age < -heartbeatPeriod:
		return fmt.Errorf("heartbeat is dated %v in the future: check the clocks", short(-age))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the heartbeat: %w", err)
	}
	return judgeHeartbeat(string(text), p)
}

func judgeHeartbeat(text string, p Probe) error {
	for line := range strings.Lines(text) {
		if word, ok := strings.CutPrefix(line, string(p)+" "); ok {
			if strings.TrimSpace(word) == "ok" {
				return nil
			}
			return fmt.Errorf("%s: %s", p, strings.TrimSpace(word))
		}
	}
	return fmt.Errorf("cannot read the heartbeat: it says nothing of %q", p)
}
