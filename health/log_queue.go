package health

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"
)

const logQueueSize = 256 // lines that wait for a slow log

// logQueue passes lines to a log that may be slow or blocked, without ever waiting for it. A
// goroutine of Run calls write; put may be called from anywhere.
type logQueue struct {
	log    *slog.Logger
	least  slog.Level    // what is below is left out
	signal chan struct{} // has a value when there may be a line

	mu    sync.Mutex // guards what follows
	lines []slog.Record
	lost  int
}

// newLogQueue returns the queue of a log. Without one, warnings and errors go to the default log.
func newLogQueue(log *slog.Logger) *logQueue {
	q := &logQueue{log: log, least: math.MinInt, signal: make(chan struct{}, 1)}
	if log == nil {
		q.log, q.least = slog.Default(), slog.LevelWarn
	}
	return q
}

// put adds a line with the present time.
func (q *logQueue) put(level slog.Level, message string, attrs ...slog.Attr) {
	if level < q.least {
		return
	}
	record := slog.NewRecord(time.Now(), level, message, 0)
	record.AddAttrs(attrs...)
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == logQueueSize {
		q.lost++
		return
	}
	q.lines = append(q.lines, record)
	select {
	case q.signal <- struct{}{}:
	default: // there is a signal already
	}
}

// panicked adds a line with the stack of a panic, if that is what the error is.
func (q *logQueue) panicked(message, name string, err error) {
	if stack := stackOf(err); stack != "" {
		q.put(slog.LevelError, message, slog.String("name", name), slog.Any("error", err), slog.String("stack", stack))
	}
}

// write logs until ctx ends, and then what is left.
func (q *logQueue) write(ctx context.Context) {
	for ended := false; !ended; {
		select {
		case <-q.signal:
		case <-ctx.Done():
			ended = true
		}
		q.flush(context.WithoutCancel(ctx))
	}
}

func (q *logQueue) flush(ctx context.Context) {
	q.mu.Lock()
	lines, lost := q.lines, q.lost
	q.lines, q.lost = nil, 0
	q.mu.Unlock()
	for _, line := range lines {
		if q.log.Enabled(ctx, line.Level) {
			_ = q.log.Handler().Handle(ctx, line) // ignored, as slog.Logger does
		}
	}
	if lost > 0 {
		q.log.WarnContext(ctx, "Log is slow, lines were lost", "lines", lost)
	}
}
