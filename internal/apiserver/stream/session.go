package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/process"
)

// Wants are the streams of a session that a client asks for.
type Wants struct{ Stdin, Stdout, Stderr, Terminal bool }

// Session is one exec or attach, with a client that has upgraded its connection. Make it with
// [Open] and end it with [Session.End]. Its streams can be used from a goroutine each.
type Session struct {
	// Stdin is what the client types; nil if it does not want to.
	Stdin io.ReadCloser
	// Stdout and Stderr go to the client; nil if it does not want them. They wait for a client
	// that is slow.
	Stdout, Stderr io.Writer
	// Sizes has the size of the client's window when that changes, the latest one alone; nil
	// without a terminal.
	Sizes <-chan process.WindowSize

	ctx     context.Context
	leave   context.CancelCauseFunc
	conn    net.Conn
	report  func(status []byte) error // and that nothing follows
	beat    func() error
	inputs  []io.Closer // what the client sends is not wanted any more once they are closed
	running sync.WaitGroup
}

// errLeft is why the context of a session ends.
var errLeft = errors.New("the client has closed the connection")

const (
	// beatPeriod is how often a client is told that this side is there. kubectl waits for a minute.
	beatPeriod = 5 * time.Second
	// leaveTime is how long a client may take to close its connection when all was said.
	leaveTime = 5 * time.Second
	// stopTime is how long it may take to take what is being said to it when all has to end.
	stopTime = time.Second
)

// Open upgrades the request of a client that wants a session. It waits for the streams that the
// client opens over SPDY. If the error is a [*ProtocolError] nothing was answered yet; else nobody
// is there any more to be answered.
func Open(w http.ResponseWriter, r *http.Request, wants Wants) (*Session, error) {
	wants.Stderr = wants.Stderr && !wants.Terminal // a terminal has one output
	if isWebSocket(r) {
		return openWebSocket(w, r, wants)
	}
	return openSPDY(w, r, wants)
}

func newSession(ctx context.Context, conn net.Conn) *Session {
	s := &Session{conn: conn}
	s.ctx, s.leave = context.WithCancelCause(ctx)
	return s
}

// run starts the goroutines: receive gets what the client sends until it is gone.
func (s *Session) run(receive func() error) {
	s.running.Go(func() {
		s.leave(fmt.Errorf("%w: %w", errLeft, receive()))
	})
	s.running.Go(func() { beatUntil(s.ctx, s.leave, s.beat) })
	s.running.Go(func() {
		<-s.ctx.Done()
		// Whoever reads or writes is not to wait for a client that is gone, or stuck.
		_ = s.conn.SetDeadline(time.Now().Add(stopTime))
	})
}

// beatUntil tells a client that this side is there until the context ends, and ends it when that
// cannot be said.
func beatUntil(ctx context.Context, leave context.CancelCauseFunc, beat func() error) {
	beats := time.NewTicker(beatPeriod)
	defer beats.Stop()
	for {
		select {
		case <-beats.C:
			if err := beat(); err != nil {
				leave(fmt.Errorf("%w: %w", errLeft, err))
			}
		case <-ctx.Done():
			return
		}
	}
}

// Context ends when the client is gone, or the context of its request ends.
func (s *Session) Context() context.Context { return s.ctx }

// End reports how the session has ended, and waits until the client has closed the connection,
// which it does then. Nobody may use the streams any more.
func (s *Session) End(status *metav1.Status) {
	text, err := json.Marshal(status)
	if err == nil {
		err = s.report(text)
	}
	if err != nil {
		s.leave(err)
	}
	for _, input := range s.inputs {
		input.Close() // it has no errors
	}
	// The connection is not closed at once: what the client still sends would be answered by a
	// reset, by which some systems lose what was sent to it before.
	select {
	case <-s.ctx.Done():
	case <-time.After(leaveTime):
	}
	s.abandon()
}

// abandon closes the connection and waits for the goroutines.
func (s *Session) abandon() {
	s.leave(nil)
	s.conn.Close() // whatever was not sent is not wanted
	s.running.Wait()
}

// readSizes reads the sizes of the client's window, and keeps the latest one.
func (s *Session) readSizes(from io.Reader) {
	sizes := make(chan process.WindowSize, 1)
	s.Sizes = sizes
	s.running.Go(func() {
		for decoder := json.NewDecoder(from); ; {
			var size process.WindowSize
			if decoder.Decode(&size) != nil {
				_, _ = io.Copy(io.Discard, from) // so that nothing waits behind it
				return
			}
			if size.Width == 0 || size.Height == 0 {
				continue // the client does not know it
			}
			select {
			case <-sizes: // nobody has taken it
			default:
			}
			sizes <- size
		}
	})
}
