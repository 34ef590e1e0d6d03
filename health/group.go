package health

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// goroutine is a function that a group runs, with a name for errors.
type goroutine struct {
	name string
	run  func(context.Context)
}

// group owns goroutines of Run and waits for their end. Code of the user may never return, so
// waiting has a bound, and returns the names of those that go on.
type group struct {
	ctx context.Context // of all goroutines: the group's own, hence kept
	end context.CancelFunc

	ended chan struct{} // has a value when a goroutine has ended

	mu      sync.Mutex // guards what follows
	running map[string]int
}

func newGroup(ctx context.Context) *group {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	return &group{ctx: ctx, end: end, ended: make(chan struct{}, 1), running: map[string]int{}}
}

func (g *group) start(r goroutine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running[r.name]++
	go func() {
		defer g.leave(r.name)
		r.run(g.ctx)
	}()
}

// leave is the last that a goroutine does.
func (g *group) leave(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running[name]--; g.running[name] == 0 {
		delete(g.running, name)
	}
	select {
	case g.ended <- struct{}{}:
	default: // join has a value to wake it already
	}
}

// join ends the context of all goroutines and waits until they have ended, or for the given time.
// It returns the names of those that have not.
func (g *group) join(limit time.Duration) []string {
	g.end()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		names := g.names()
		if len(names) == 0 {
			return nil
		}
		select {
		case <-g.ended:
		case <-timer.C:
			return g.names()
		}
	}
}

func (g *group) names() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.running))
}
