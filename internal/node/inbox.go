package node

import "sync"

// inbox takes functions that others want a goroutine to call. Putting never blocks, so that the
// loop of the probe engine, and others that serve many Pods, never wait for one of them. It is safe
// for concurrent use.
type inbox struct {
	signal chan struct{} // has a value when there may be something to take

	mu     sync.Mutex // guards what follows
	todo   []func()
	closed bool
}

func newInbox() *inbox { return &inbox{signal: make(chan struct{}, 1)} }

// put adds a function, unless the inbox is closed.
func (b *inbox) put(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.todo = append(b.todo, do)
	select {
	case b.signal <- struct{}{}:
	default: // there is a signal already
	}
}

// take returns all functions that were put since the last call, in order.
func (b *inbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	todo := b.todo
	b.todo = nil
	return todo
}

// close drops what is in the inbox and what is put into it later.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.todo = true, nil
}
