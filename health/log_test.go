package health

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowLog is a log that blocks until it is released.
type slowLog struct {
	release chan struct{}
	mu      sync.Mutex
	lines   []string
}

func (l *slowLog) logger() *slog.Logger                     { return slog.New(l) }
func (l *slowLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *slowLog) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *slowLog) WithGroup(string) slog.Handler            { return l }
func (l *slowLog) Handle(_ context.Context, r slog.Record) error {
	<-l.release
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Message)
	return nil
}

func (l *slowLog) messages() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// A line for each change, with the full error, and none in between.
func TestLogHasTransitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		h := New(Options{ShutdownDelay: -1, Log: slog.New(slog.NewTextHandler(&out, nil))})
		var down atomic.Bool
		h.Ready("database", func(context.Context) error {
			if down.Load() {
				return errors.New("user app at 10.1.2.3 refused")
			}
			return nil
		})
		end := begin(t, h)
		after(time.Minute)
		down.Store(true)
		after(time.Minute)
		down.Store(false)
		after(time.Minute)
		if err := end(); err != nil {
			t.Error(err)
		}
		got := regexp.MustCompile(`time=\S+ |detail="[^"]*" `).ReplaceAllString(out.String(), "")
		want := `level=INFO msg="Probe answer changed" probe=startup ok=true answer=ok
level=INFO msg="Check passes" check=database
level=INFO msg="Probe answer changed" probe=readiness ok=true answer=ok
level=WARN msg="Check fails" check=database kind=owned state=failing error="user app at 10.1.2.3 refused"
level=WARN msg="Probe answer changed" probe=readiness ok=false answer="not ready: database failing"
level=INFO msg="Check passes" check=database
level=INFO msg="Probe answer changed" probe=readiness ok=true answer=ok
level=INFO msg=Stopping delay=0s
level=INFO msg="Probe answer changed" probe=readiness ok=false answer=stopping
`
		if got != want {
			t.Errorf("the log is\n%s\nwant\n%s", got, want)
		}
	})
}

// Without a logger, what goes wrong is on standard error, and nothing else.
func TestNoLogger(t *testing.T) {
	stderr, before := new(lockedBuffer), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(stderr, nil)))
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ShutdownDelay: -1})
		h.Ready("cache", fine)
		h.Ready("database", func(context.Context) error { return errDown })
		end := begin(t, h)
		after(time.Second)
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	out := stderr.String()
	if !strings.Contains(out, `level=WARN msg="Check fails" check=database`) || !strings.Contains(out, "connection refused") {
		t.Errorf("standard error does not have why the database fails:\n%s", out)
	}
	if strings.Contains(out, "level=INFO") {
		t.Errorf("standard error has more than warnings:\n%s", out)
	}
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
