package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// The protocol of port-forward, and its name in a WebSocket.
const (
	protocolForward = "portforward.k8s.io"
	tunnelForward   = spdyVersion + "+" + protocolForward
)

// Dial opens a connection to a port of whatever is forwarded.
type Dial func(ctx context.Context, port int32) (net.Conn, error)

// Forward upgrades the request of a client that wants ports forwarded, and carries its connections
// until it leaves or the context of the request ends. If the error is a [*ProtocolError] nothing
// was answered yet; other errors tell why the client has left.
func Forward(w http.ResponseWriter, r *http.Request, dial Dial) error {
	var upgraded upgradedConn
	var over io.ReadWriter
	var err error
	tunneled := isWebSocket(r)
	if tunneled {
		upgraded, _, err = upgradeWebSocket(w, r, tunnelForward)
		over = tunnel{newWebSocket(upgraded)}
	} else {
		upgraded, err = upgradeSPDY(w, r, protocolForward)
		over = upgraded
	}
	if err != nil {
		return err
	}
	defer upgraded.Close() // whatever was not sent is not wanted
	conn, err := newSPDY(over)
	if err != nil {
		return err
	}
	return newForwarding(r.Context(), conn, dial).run(upgraded)
}

// forwarding are the connections of one client. A connection is a pair of streams with the same
// number: one for its data, and one for an error.
type forwarding struct {
	conn    *spdyConn
	dial    Dial
	ctx     context.Context
	leave   context.CancelCauseFunc
	halves  map[string]*spdyStream // by number; of the reader alone
	running sync.WaitGroup
}

func newForwarding(ctx context.Context, conn *spdyConn, dial Dial) *forwarding {
	f := &forwarding{conn: conn, dial: dial, halves: map[string]*spdyStream{}}
	f.ctx, f.leave = context.WithCancelCause(ctx)
	return f
}

// run serves until the client is gone, and joins what it has started.
func (f *forwarding) run(over net.Conn) error {
	f.running.Go(func() { beatUntil(f.ctx, f.leave, f.conn.beat) })
	f.running.Go(func() {
		<-f.ctx.Done()
		over.Close() // so that nobody waits for the client
	})
	err := f.conn.serve(f.accept)
	f.leave(fmt.Errorf("%w: %w", errLeft, err))
	f.running.Wait()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// accept gets a stream that the client has opened.
func (f *forwarding) accept(s *spdyStream) {
	number := s.header.Get(corev1.PortForwardRequestIDHeader)
	other := f.halves[number]
	if other == nil {
		f.halves[number] = s
		return
	}
	delete(f.halves, number)
	data, errs := s, other
	if data.header.Get(corev1.StreamType) != corev1.StreamTypeData {
		data, errs = errs, data
	}
	errs.Close() // the client has nothing to send there
	f.running.Go(func() { f.forward(data, errs) })
}

// forward carries one connection to its end, or says what is wrong.
func (f *forwarding) forward(data, errs *spdyStream) {
	defer errs.Reset()
	defer data.Reset()
	port, err := strconv.ParseUint(data.header.Get(corev1.PortHeader), 10, 16)
	if err == nil {
		err = f.carry(data, int32(port))
	}
	if err != nil {
		_, _ = io.WriteString(errs, err.Error()) // the client may be gone
	}
	_ = errs.CloseWrite()
}

// carry carries one connection to its end. The error says why there is none.
func (f *forwarding) carry(data *spdyStream, port int32) error {
	conn, err := f.dial(f.ctx, port)
	if err != nil {
		return err
	}
	defer conn.Close() // all was read and written
	defer context.AfterFunc(f.ctx, func() { conn.Close() })()
	var sending sync.WaitGroup
	sending.Go(func() {
		if _, err := io.Copy(conn, data); err != nil {
			conn.Close() // the client has given up, or the program takes no more
			return
		}
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // if not, the end of the connection says it
		}
	})
	_, err = io.Copy(data, conn)
	if err == nil {
		err = data.CloseWrite()
	}
	if err != nil {
		data.Reset()
	}
	sending.Wait()
	return nil
}
