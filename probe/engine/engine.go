// Package engine performs many probe attempts at a small cost: with the outcomes and texts of
// package probe, but without a goroutine, a client object and a header map for each.
//
// On Linux one goroutine waits in epoll and drives all attempts that can take the fast path: HTTP
// over plain TCP, TCP and gRPC to an IP address, with the request formatted once per target and the
// answer parsed where it was received. Everything else (host names, https, exec, other Probers, a
// Dial or Client of one's own), and everything on other systems, is one goroutine per attempt that
// calls the Prober.
//
// The path is chosen per attempt, and can change in the middle of one. Of HTTP, the fast path
// decides only what it understands completely. When an answer is anything else (a redirect, an
// interim response, malformed, too short, large) the connection and the bytes received are handed
// to net/http by way of [probe.HTTPGet], which goes on as if it had made the connection. So both
// paths agree, and the service sees one request. Of gRPC, both paths use the same code.
//
// Wire format and rules are those of package probe, with one difference: a TCP or gRPC connection
// ends with FIN and then RST, so that neither side keeps a socket in TIME_WAIT. The service reads a
// clean end of file.
package engine

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/probity-run/probity/probe"
)

// DefaultQuantum is the Quantum when none is set.
const DefaultQuantum = 10 * time.Millisecond

// ErrClosed is wrapped, next to [probe.ErrStopped], by the error of an attempt that the end of its
// engine cut off.
var ErrClosed = errors.New("the probe engine is closed")

// Options of an Engine. The zero value is the default.
type Options struct {
	// Quantum is the time to whose multiples due times and time-outs are rounded up, so that
	// attempts that are due at about the same time share one wake-up. Default [DefaultQuantum].
	Quantum time.Duration
	// Portable makes all attempts take the path of one goroutine each, as on systems without epoll.
	Portable bool
}

// Engine performs attempts. New makes one; its methods are safe for concurrent use.
//
// The engine owns one goroutine, the loop, and one for each attempt that is not on the fast path.
// All callbacks run on the loop, one at a time: they must not block, or all attempts are late. They
// may call every method but Close. A panic in a callback is not recovered: it ends the program,
// with its stack, rather than all probing in silence. A panic in a Prober is a prober error of that
// attempt.
type Engine struct {
	quantum time.Duration
	start   time.Time // tick 0
	poller  *poller
	joined  sync.WaitGroup // the loop, and the goroutines of attempts

	mu     sync.Mutex // guards the fields below
	inbox  []func()   // what the loop has to do
	asleep bool       // the loop needs a wake-up to read inbox
	closed bool

	// The fields below belong to the loop.
	wheel    wheel
	attempts map[*attempt]struct{} // in flight
	now      time.Time             // when the loop last woke up
	ended    bool                  // nothing may begin any more
}

// New starts an engine. An error means that this machine lacks what an event loop needs.
func New(options Options) (*Engine, error) {
	poller, err := newPoller(options.Portable)
	if err != nil {
		return nil, fmt.Errorf("cannot start the probe engine: %w", err)
	}
	e := &Engine{
		quantum:  max(options.Quantum, 0),
		start:    time.Now(),
		poller:   poller,
		attempts: make(map[*attempt]struct{}),
	}
	if e.quantum == 0 {
		e.quantum = DefaultQuantum
	}
	e.joined.Go(e.loop)
	return e, nil
}

// Close ends the engine: schedules end, attempts in flight end with an error that wraps
// [ErrClosed], and all goroutines and descriptors are gone when it returns. A Prober that ignores
// its context delays that. Close must not be called from a callback. Closing twice does
// nothing.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.wakeLocked()
	e.mu.Unlock()
	e.joined.Wait()
}

// Go starts one attempt of p, at once, and calls done on the loop when it has a result. p is best a
// prepared one ([Engine.Prepare]); another Prober is prepared first.
//
// cancel ends the attempt. It reports whether it came in time: after true, done is never called;
// after false done has been called, or is being called at this moment. On a closed engine done is
// called before Go returns.
func (e *Engine) Go(p probe.Prober, done func(probe.Result)) (cancel func() bool) {
	a := &attempt{engine: e, target: e.Prepare(p), done: done}
	if !e.post(a.begin) {
		a.settle(closedResult())
		return func() bool { return false }
	}
	return func() bool {
		if !a.claim() {
			return false
		}
		e.post(a.release)
		return true
	}
}

// post lets the loop call f; false means that there is no loop any more.
func (e *Engine) post(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.inbox = append(e.inbox, f)
	e.wakeLocked()
	return true
}

// wakeLocked ends the loop's sleep.
func (e *Engine) wakeLocked() {
	if e.asleep {
		e.asleep = false
		e.poller.wake()
	}
}

// closedResult is the result of an attempt that the end of the engine cut off.
func closedResult() probe.Result {
	return probe.Result{Err: fmt.Errorf("%w: %w", probe.ErrStopped, ErrClosed)}
}
