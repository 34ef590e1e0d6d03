package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// dials are the connections of one attempt, redirects included.
//
// When a request is given up, net/http lets its dial and TLS handshake go on, in the hope that a
// later request can use the connection. Here none ever does, and a service that drops packets would
// cost a socket and a goroutine for minutes each time. So whoever gives up an attempt also gives up
// its dials.
type dials struct {
	seen *observer

	mu      sync.Mutex // guards the fields below
	over    bool
	abandon []func()
}

type dialsKey struct{}

// withDials returns the request with a context that leads transport dials to the returned value,
// and what is seen of them and of the answer to seen.
func withDials(req *http.Request, seen *observer) (*http.Request, *dials) {
	d := &dials{seen: seen}
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotFirstResponseByte: seen.firstByte})
	return req.WithContext(context.WithValue(ctx, dialsKey{}, d)), d
}

// tracked returns a dial function for a transport whose requests all come from withDials.
func (f DialFunc) tracked() DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := ctx.Value(dialsKey{}).(*dials)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		d.onGiveUp(cancel)
		conn, err := f(ctx, network, address)
		if err != nil {
			return nil, err
		}
		d.seen.connected(conn)
		// The owner of the connection notices and closes it; closing here might wait for the peer.
		d.onGiveUp(func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		return conn, nil
	}
}

// onGiveUp remembers what to do when the attempt is given up, or does it now if that has happened.
func (d *dials) onGiveUp(abandon func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		abandon()
		return
	}
	d.abandon = append(d.abandon, abandon)
}

// giveUp ends dials and handshakes that are still going on.
func (d *dials) giveUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	for _, abandon := range d.abandon {
		abandon()
	}
}
