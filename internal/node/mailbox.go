package node

import "sync"

// mailbox takes what others want a goroutine to do. Putting never blocks, so that the loop of the
// probe engine and others that serve many Pods are never held up by one. It is safe for concurrent
// use.
type mailbox struct {
	signal chan struct{} // has a value when there may be something to take

	mu     sync.Mutex // guards what follows
	todo   []func()
	closed bool
}

func newMailbox() *mailbox { return &mailbox{signal: make(chan struct{}, 1)} }

// put adds something to do, unless the mailbox is closed.
func (m *mailbox) put(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.todo = append(m.todo, do)
	select {
	case m.signal <- struct{}{}:
	default: // there is a signal already
	}
}

// take returns all there is to do, in order.
func (m *mailbox) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	todo := m.todo
	m.todo = nil
	return todo
}

// close drops what is there and what still comes.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.todo = true, nil
}
