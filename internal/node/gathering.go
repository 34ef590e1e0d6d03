package node

import "sync"

// gathering keeps what can wait for the next beat of the pulse, so that many results that change
// nothing wake their runners together with probes that are due, and not one by one. The zero value
// is ready; it is safe for concurrent use.
type gathering struct {
	mu   sync.Mutex
	todo []func() // guarded by mu
}

// later lets flush call do.
func (g *gathering) later(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.todo = append(g.todo, do)
}

// flush does what was put off.
func (g *gathering) flush() {
	g.mu.Lock()
	todo := g.todo
	g.todo = nil
	g.mu.Unlock()
	for _, do := range todo {
		do()
	}
}
