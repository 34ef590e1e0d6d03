package proxy

import (
	"sync"
	"time"
)

// sweeper looks at the HTTP/1 connections now and then, and breaks off what waits too long. It runs
// only while there are connections. It is safe for concurrent use.
type sweeper struct {
	upstreams *upstreamPool
	// clientTimeout is [Options.ClientTimeout].
	clientTimeout time.Duration
	period        time.Duration
	start         func(func()) // starts its goroutine, and somebody joins it

	mu      sync.Mutex // guards the rest
	conns   map[*http1Conn]bool
	running bool
	stopped chan struct{}
}

const (
	// sweepPeriod is how often the sweeper looks, and so how late a limit is at most.
	sweepPeriod = 100 * time.Millisecond
	// idleSweepPeriod is how often it looks while no connection has a request.
	idleSweepPeriod = 10 * sweepPeriod
	// firstLookAtClient is how long a client waits before somebody asks whether it is still there,
	// nextLookAtClient how long until that is asked again.
	firstLookAtClient, nextLookAtClient = 200 * time.Millisecond, 500 * time.Millisecond
)

// watched is what the sweeper has seen of a mark.
type watched struct {
	state uint64
	since time.Time
}

// age is for how long the mark has been the same.
func (w *watched) age(state uint64, now time.Time) time.Duration {
	if state != w.state || w.since.IsZero() {
		w.state, w.since = state, now
	}
	return now.Sub(w.since)
}

// add watches a connection until remove.
func (s *sweeper) add(c *http1Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
	if !s.running {
		s.running = true
		s.start(s.run)
	}
}

func (s *sweeper) remove(c *http1Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// run sweeps until there is nothing to be watched, or stop.
func (s *sweeper) run() {
	timer := time.NewTimer(s.period)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.stopped:
			return
		}
		next := s.sweep(time.Now())
		if next == 0 {
			return
		}
		timer.Reset(next)
	}
}

// stop ends the sweeper for good.
func (s *sweeper) stop() { close(s.stopped) }

// sweep looks at everything once, and returns when to look again; 0 means that nothing is left.
func (s *sweeper) sweep(now time.Time) (next time.Duration) {
	unused := s.upstreams.sweep(now)
	waiting, busy := s.lookAtMarks(now)
	for _, c := range waiting { // without the lock, as it asks the kernel
		if c.hasLeft() {
			c.leave()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case busy || unused:
		return s.period
	case len(s.conns) > 0:
		return max(s.period, idleSweepPeriod)
	}
	s.running = false
	return 0
}

// lookAtMarks breaks off what waits too long. It returns the clients that may have left, and
// whether any connection has a request.
func (s *sweeper) lookAtMarks(now time.Time) (waiting []*http1Conn, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		state := c.mark.state.Load()
		busy = busy || phaseOf(state) != phaseIdle
		if s.lookAt(c, state, now) {
			waiting = append(waiting, c)
		}
		if body := c.uploadMark.state.Load(); phaseOf(body) == phaseBody && c.uploadWatch.age(body, now) > s.clientTimeout {
			c.breakOff(&c.uploadMark, body, c.SetReadDeadline)
		}
	}
	return waiting, busy
}

// lookAt breaks a connection off that waits too long, and reports whether its client may have left.
func (s *sweeper) lookAt(c *http1Conn, state uint64, now time.Time) (mayHaveLeft bool) {
	age := c.watch.age(state, now)
	switch phaseOf(state) {
	case phaseIdle:
		if age > idleTimeout {
			c.breakOff(&c.mark, state, c.SetReadDeadline)
		}
	case phaseHead:
		if age > readHeaderTimeout {
			c.breakOff(&c.mark, state, c.SetReadDeadline)
		}
	case phaseTaking:
		if age > s.clientTimeout {
			c.breakOff(&c.mark, state, c.SetWriteDeadline)
		}
	case phaseWaiting:
		if age == 0 {
			c.nextLook = now.Add(firstLookAtClient)
		}
		if now.Before(c.nextLook) {
			return false
		}
		c.nextLook = now.Add(nextLookAtClient)
		return true
	}
	return false
}

// ofPort are the connections of a port.
func (s *sweeper) ofPort(sp *servicePort) (conns []*http1Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.port == sp {
			conns = append(conns, c)
		}
	}
	return conns
}
