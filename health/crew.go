package health

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// member is a goroutine with a name.
type member struct {
	name string
	work func(context.Context)
}

// crew owns the goroutines of Run and joins them. Code of the user may never return, so joining has
// a bound, and tells who is missing.
type crew struct {
	ctx context.Context // of all members: Run's own, hence kept
	end context.CancelFunc

	left chan struct{} // has a value when a member has left

	mu   sync.Mutex // guards what follows
	here map[string]int
}

func newCrew(ctx context.Context) *crew {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	return &crew{ctx: ctx, end: end, left: make(chan struct{}, 1), here: map[string]int{}}
}

// start starts a member.
func (c *crew) start(m member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.here[m.name]++
	go func() {
		defer c.leave(m.name)
		m.work(c.ctx)
	}()
}

func (c *crew) leave(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here[name]--; c.here[name] == 0 {
		delete(c.here, name)
	}
	select {
	case c.left <- struct{}{}:
	default: // join is going to look anyway
	}
}

// join ends the context of all members and waits until they have left, or for the given time. It
// returns the names of those who are still here.
func (c *crew) join(limit time.Duration) []string {
	c.end()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		names := c.names()
		if len(names) == 0 {
			return nil
		}
		select {
		case <-c.left:
		case <-timer.C:
			return c.names()
		}
	}
}

func (c *crew) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.here))
}
