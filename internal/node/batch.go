package node

import "sync"

// batch keeps functions that can wait for the next tick of the node, so that many results that
// change nothing wake their runners together with probes that are due, and not one by one. The zero
// value is ready; it is safe for concurrent use.
type batch struct {
	mu   sync.Mutex
	todo []func() // guarded by mu
}

// add lets the next flush call do.
func (b *batch) add(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.todo = append(b.todo, do)
}

// flush calls what was added since the last flush.
func (b *batch) flush() {
	b.mu.Lock()
	todo := b.todo
	b.todo = nil
	b.mu.Unlock()
	for _, do := range todo {
		do()
	}
}
