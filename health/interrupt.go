package health

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"
)

// sameSignal is how long after the first interrupt another one is the same: timeout and terminals
// send it to the process and to its group.
const sameSignal = 500 * time.Millisecond

var errInterrupted = errors.New("stopped by a second interrupt, without waiting for what was in flight")

// untilInterrupted returns a context that also ends when a person presses Ctrl-C again, and a
// function that ends it and waits for the goroutine behind it. Who made asked with
// signal.NotifyContext catches interrupts to its end, so that nobody else would notice the second.
// A process that does not catch signals itself is left alone.
func untilInterrupted(asked, parent context.Context) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(parent)
	if !endedBySignal(asked) {
		return ctx, func() { cancel(nil) }
	}
	signals, begun := make(chan os.Signal, 1), time.Now()
	signal.Notify(signals, os.Interrupt)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-signals:
				if time.Since(begun) >= sameSignal {
					cancel(errInterrupted)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return ctx, func() { signal.Stop(signals); cancel(nil); watching.Wait() }
}

// endedBySignal reports whether a context was ended by signal.NotifyContext, which says so since Go
// 1.26.
func endedBySignal(ctx context.Context) bool {
	return ctx.Err() != nil && strings.HasSuffix(context.Cause(ctx).Error(), " signal received")
}

// interrupted returns errInterrupted if a second interrupt ended the context.
func interrupted(ctx context.Context) error {
	if err := context.Cause(ctx); err == errInterrupted {
		return err
	}
	return nil
}
