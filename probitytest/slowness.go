package probitytest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// slowness carries connections to a Pod and delays its answers.
type slowness struct {
	delay   time.Duration
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	relays map[string]net.Listener // by the address behind
	closed bool
}

func newSlowness(delay time.Duration) *slowness {
	s := &slowness{delay: delay, relays: map[string]net.Listener{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// instead opens a relay for an address that is new. If there is none to be had, connections go
// where they went.
func (s *slowness) instead(to string, _ lifecycle.ProbeType) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.relays[to]; l != nil || s.closed {
		if s.closed {
			return to
		}
		return l.Addr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return to
	}
	s.relays[to] = l
	s.running.Go(func() { s.accept(l, to) })
	return l.Addr().String()
}

func (s *slowness) close() error {
	s.mu.Lock()
	s.closed = true
	var errs []error
	for _, l := range s.relays {
		errs = append(errs, l.Close())
	}
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	return errors.Join(errs...)
}

// accept serves a relay until it is closed.
func (s *slowness) accept(l net.Listener, to string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		s.running.Go(func() { s.relay(client, to) })
	}
}

// relay carries one connection. A client that the replica refuses is refused late.
func (s *slowness) relay(client net.Conn, to string) {
	defer client.Close() // both directions have ended
	var dialer net.Dialer
	replica, err := dialer.DialContext(s.ctx, "tcp", to)
	if err != nil {
		return
	}
	defer replica.Close() // as above
	stop := context.AfterFunc(s.ctx, func() { _, _ = client.Close(), replica.Close() })
	defer stop()
	var asked sync.WaitGroup
	asked.Go(func() {
		_, _ = io.Copy(replica, client) // the end of either side ends both
		_ = replica.(*net.TCPConn).CloseWrite()
	})
	s.answer(client, replica)
	_ = client.(*net.TCPConn).CloseWrite()
	asked.Wait()
}

// answer carries what the replica says, each piece late: a pause between pieces is another answer.
func (s *slowness) answer(client io.Writer, replica io.Reader) {
	piece := make([]byte, 64<<10)
	for {
		n, err := replica.Read(piece)
		if n > 0 {
			select {
			case <-time.After(s.delay):
			case <-s.ctx.Done():
			}
			if _, err := client.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
