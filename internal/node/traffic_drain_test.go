package node

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwaitDrained(t *testing.T) {
	never := time.Hour
	for name, c := range map[string]struct {
		idle, sent, gone time.Duration // when it happens
		granted          bool
		patience, want   time.Duration
	}{
		"sent at once":              {never, 0, never, false, arrivalLimit, arrivalTime},
		"sent late":                 {never, time.Second, never, false, arrivalLimit, time.Second + arrivalTime},
		"never sent":                {never, never, never, false, arrivalLimit, arrivalLimit},
		"answered":                  {100 * time.Millisecond, 0, never, false, arrivalLimit, 100 * time.Millisecond},
		"a drain that is enough":    {3 * time.Second, 0, never, true, 5 * time.Second, 3 * time.Second},
		"a drain that is too short": {never, 0, never, true, 5 * time.Second, 5 * time.Second},
		"the instance ends":         {never, never, time.Second, true, 5 * time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.gone)
				defer cancel()
				sent := after(ctx, c.sent)
				if c.granted {
					sent = nil
				}
				began := time.Now()
				awaitDrained(ctx, after(ctx, c.idle), sent, c.patience)
				if took := time.Since(began); took != c.want {
					t.Errorf("it took %v, want %v", took, c.want)
				}
			})
		})
	}
}

// after is closed then.
func after(ctx context.Context, d time.Duration) <-chan struct{} {
	over := make(chan struct{})
	if d == 0 {
		close(over)
		return over
	}
	stop := time.AfterFunc(d, func() { close(over) })
	context.AfterFunc(ctx, func() { stop.Stop() })
	return over
}
