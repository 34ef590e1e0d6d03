package node

import (
	"context"
	"sync"

	"github.com/probity-run/probity/internal/lifecycle"
)

// loop is the goroutine that owns a Pod, and those that work for it. The parts of a runner share
// it. Their state belongs to the loop's goroutine; every other goroutine posts functions to it.
type loop struct {
	inbox *inbox
	// feeds the core and carries out its effects; on the loop's goroutine only
	on      func(lifecycle.Event)
	ctx     context.Context // done when the Pod is gone; ends attempts, hooks and watches
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newLoop(on func(lifecycle.Event)) *loop {
	ctx, cancel := context.WithCancel(context.Background())
	return &loop{inbox: newInbox(), on: on, ctx: ctx, cancel: cancel}
}

// post lets the loop's goroutine call do. It never blocks; when the Pod is gone nothing is done.
func (l *loop) post(do func()) { l.inbox.put(do) }

// start runs a goroutine that works for the Pod.
func (l *loop) start(work func()) { l.running.Go(work) }

// end drops what was posted, and returns when every goroutine that works for the Pod has ended.
func (l *loop) end() {
	l.inbox.close()
	l.cancel()
	l.running.Wait()
}
