package apiserver

import (
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// streams counts the requests whose connections are upgraded, as net/http forgets those.
type streams struct {
	mu      sync.Mutex // guards ended, and that nothing is added after it
	ended   bool
	running sync.WaitGroup
}

// Wait waits for the requests whose connections were upgraded, and lets no new one begin. They end
// with the contexts of their requests, which [http.Server.BaseContext] gives them.
func (s *Server) Wait() {
	s.streams.mu.Lock()
	s.streams.ended = true
	s.streams.mu.Unlock()
	s.streams.running.Wait()
}

// begin counts a request.
func (s *streams) begin() (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.running.Add(1)
	}
	return !s.ended
}

// acquireStream takes a place for an upgraded connection. If there is none, ok is false and the
// request was answered.
func (c *call) acquireStream() (release func(), ok bool) {
	if !c.server.streams.begin() {
		c.fail(apierrors.NewServiceUnavailable("the run is being stopped"))
		return nil, false
	}
	guard := c.server.opts.Guard
	if guard == nil {
		return c.server.streams.running.Done, true
	}
	releaseSlot, ok := guard.AcquireStream(c.w, c.r)
	if !ok {
		c.server.streams.running.Done()
		return nil, false
	}
	return func() {
		releaseSlot()
		c.server.streams.running.Done()
	}, true
}
