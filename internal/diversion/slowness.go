package diversion

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// maxConnections is how many connections of a Pod can be slow at a time. Further ones wait to be
// accepted, as those of a program that has too much to do.
const maxConnections = 512

// slowness carries connections to a Pod and delays what it says.
type slowness struct {
	delay time.Duration
	ctx   context.Context // until it is done, connections are carried
	log   *slog.Logger
	slots chan struct{} // holds one for each connection
	// over is closed when the fault has ended: what is delayed comes at once.
	over    chan struct{}
	running sync.WaitGroup // listeners and connections

	mu     sync.Mutex                  // guards what follows
	relays map[string]*net.TCPListener // by the address behind
	ended  bool
}

func newSlowness(ctx context.Context, delay time.Duration, log *slog.Logger) *slowness {
	return &slowness{
		delay: delay, ctx: ctx, log: log, slots: make(chan struct{}, maxConnections), over: make(chan struct{}), relays: map[string]*net.TCPListener{},
	}
}

func (s *slowness) request(to string) string {
	if at := s.relayTo(to); at.IsValid() {
		return at.String()
	}
	return to
}

// probe leaves a TCP probe alone: it asks for no answer, and it is the kernel that accepts, however
// slow the program is.
func (s *slowness) probe(_ lifecycle.ProbeType, probe *corev1.Probe, to netip.AddrPort) netip.AddrPort {
	if probe.TCPSocket != nil {
		return to
	}
	if at := s.relayTo(to.String()); at.IsValid() {
		return at
	}
	return to
}

// relayTo is the relay to an address, which is opened if it is new; invalid if there is none to be
// had.
func (s *slowness) relayTo(address string) netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return netip.AddrPort{}
	}
	l := s.relays[address]
	if l == nil {
		var err error
		if l, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			s.log.Error("Cannot make a Pod slow", "address", address, "error", err)
			return netip.AddrPort{}
		}
		s.relays[address] = l
		s.running.Go(func() { s.serve(l, address) })
	}
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// retire lets connections go on without delay.
func (s *slowness) retire(ctx context.Context) {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	close(s.over)
	wait(ctx, linger)
	for _, l := range s.relays { // there are no more
		_ = l.Close() // nobody comes
	}
	s.running.Wait()
}

// serve accepts connections until the relay is closed.
func (s *slowness) serve(l *net.TCPListener, to string) {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		client, err := l.AcceptTCP()
		if err != nil {
			<-s.slots
			if errors.Is(err, net.ErrClosed) {
				return
			}
			wait(s.ctx, 50*time.Millisecond) // for a free descriptor
			continue
		}
		s.running.Go(func() {
			defer func() { <-s.slots }()
			s.carry(client, to)
		})
	}
}

// carry carries one connection until both sides have ended it, or one is gone.
func (s *slowness) carry(client *net.TCPConn, to string) {
	defer client.Close() // as all was said
	var dialer net.Dialer
	conn, err := dialer.DialContext(s.ctx, "tcp", to)
	if err != nil {
		_ = client.SetLinger(0) // a reset is as near to a refusal as who was accepted can get
		return
	}
	pod := conn.(*net.TCPConn)
	defer pod.Close() // as above
	ctx, cut := context.WithCancel(s.ctx)
	defer cut()
	defer context.AfterFunc(ctx, func() { _, _ = client.Close(), pod.Close() })()
	said := make(chan piece, maxPieces)
	var others sync.WaitGroup
	others.Go(func() { ask(pod, client, cut) })
	others.Go(func() { s.listen(ctx, pod, said) })
	s.answer(ctx, client, said, cut)
	others.Wait()
}

// ask carries what the client says.
func ask(pod, client *net.TCPConn, cut func()) {
	buffer := make([]byte, maxPiece)
	for {
		n, err := client.Read(buffer)
		if n > 0 {
			if _, failed := pod.Write(buffer[:n]); failed != nil {
				return // the Pod listens no more, and may have said why
			}
		}
		switch {
		case err == nil:
		case isEnd(err):
			_ = pod.CloseWrite() // it may have ended
			return
		default:
			cut() // the client is gone
			return
		}
	}
}
