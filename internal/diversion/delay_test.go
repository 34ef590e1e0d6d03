package diversion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// client notes what it hears and when.
type client struct {
	begin time.Time
	heard []string
	err   error // of each write
}

func (c *client) note(text string) {
	c.heard = append(c.heard, fmt.Sprintf("%v %s", time.Since(c.begin), text))
}

func (c *client) Write(p []byte) (int, error) {
	if len(p) > 0 {
		c.note(string(p))
	}
	return len(p), c.err
}

func (c *client) CloseWrite() error { c.note("the end"); return nil }

func (c *client) SetLinger(int) error { c.note("a reset"); return nil }

// TestDelay: each piece is as late as every other one, and the end, too; until the fault is over.
func TestDelay(t *testing.T) {
	reset := errors.New("reset")
	for name, c := range map[string]struct {
		end  error // of what the Pod says
		over time.Duration
		err  error // of the client's writes
		want []string
	}{
		"until the end":         {end: io.EOF, want: []string{"200ms one", "250ms two", "300ms three", "350ms the end"}},
		"until a reset":         {end: reset, want: []string{"200ms one", "250ms two", "300ms three", "350ms a reset"}},
		"the fault is over":     {end: io.EOF, over: 120 * time.Millisecond, want: []string{"120ms one", "120ms two", "120ms three", "150ms the end"}},
		"over while it waits":   {end: io.EOF, over: 240 * time.Millisecond, want: []string{"200ms one", "240ms two", "240ms three", "240ms the end"}},
		"a client that is gone": {end: io.EOF, err: reset, want: []string{"200ms one"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cut := context.WithCancel(t.Context())
				defer cut()
				s := newSlowness(ctx, 200*time.Millisecond, slog.New(slog.DiscardHandler))
				listens := &client{begin: time.Now(), err: c.err}
				pod, says := io.Pipe()
				said := make(chan piece, maxPieces)
				var running sync.WaitGroup
				running.Go(func() { s.listen(ctx, pod, said) })
				running.Go(func() { s.answer(ctx, listens, said, cut) })
				if c.over > 0 {
					running.Go(func() {
						time.Sleep(c.over)
						close(s.over)
					})
				}
				for i, text := range []string{"one", "two", "three"} {
					time.Sleep(time.Until(listens.begin.Add(time.Duration(i) * 50 * time.Millisecond)))
					if _, err := io.WriteString(says, text); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(50 * time.Millisecond)
				_ = says.CloseWithError(c.end) // it returns none
				running.Wait()
				if diff := cmp.Diff(c.want, listens.heard); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if gone := ctx.Err() != nil; gone != (c.end != io.EOF || c.err != nil) {
					t.Errorf("the connection is cut: %v", gone)
				}
			})
		})
	}
}
