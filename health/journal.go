package health

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const journalSize = 256 // lines that wait for a slow log

// journal hands lines to a log that may be slow or blocked, without ever waiting for it. A
// goroutine of Run calls write; put may be called from anywhere.
type journal struct {
	log    *slog.Logger
	signal chan struct{} // has a value when there may be a line

	mu    sync.Mutex // guards what follows
	lines []slog.Record
	lost  int
}

func newJournal(log *slog.Logger) *journal { return &journal{log: log, signal: make(chan struct{}, 1)} }

// put adds a line with the time of now.
func (j *journal) put(level slog.Level, message string, attrs ...slog.Attr) {
	record := slog.NewRecord(time.Now(), level, message, 0)
	record.AddAttrs(attrs...)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) == journalSize {
		j.lost++
		return
	}
	j.lines = append(j.lines, record)
	select {
	case j.signal <- struct{}{}:
	default: // there is a signal already
	}
}

// write logs until ctx ends, and then what is left.
func (j *journal) write(ctx context.Context) {
	for ended := false; !ended; {
		select {
		case <-j.signal:
		case <-ctx.Done():
			ended = true
		}
		j.flush(context.WithoutCancel(ctx))
	}
}

func (j *journal) flush(ctx context.Context) {
	j.mu.Lock()
	lines, lost := j.lines, j.lost
	j.lines, j.lost = nil, 0
	j.mu.Unlock()
	for _, line := range lines {
		if j.log.Enabled(ctx, line.Level) {
			_ = j.log.Handler().Handle(ctx, line) // as slog.Logger does: there is nobody to tell
		}
	}
	if lost > 0 {
		j.log.WarnContext(ctx, "Log is slow, lines were lost", "lines", lost)
	}
}
