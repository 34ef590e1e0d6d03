package proxy

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// sessionAffinity remembers which endpoint a client's requests go to: sessionAffinity ClientIP
// (R202). It is safe for concurrent use.
type sessionAffinity struct {
	mu      sync.Mutex // guards clients
	clients map[netip.Addr]session
}

type session struct {
	endpoint *endpoint
	lastSeen time.Time
}

// maxSessions bounds the memory of a port. There are more addresses on loopback than that, but
// nobody uses so many.
const maxSessions = 4096

// endpointOf returns the endpoint of a client that was seen within the timeout, or nil.
func (a *sessionAffinity) endpointOf(client netip.Addr, now time.Time, timeout time.Duration) *endpoint {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.clients[client]; now.Sub(s.lastSeen) < timeout {
		return s.endpoint
	}
	return nil
}

// remember notes the endpoint that a client's request goes to. Each request starts the timeout
// anew.
func (a *sessionAffinity) remember(client netip.Addr, e *endpoint, now time.Time, timeout time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.clients == nil {
		a.clients = map[netip.Addr]session{}
	}
	if _, known := a.clients[client]; !known && len(a.clients) >= maxSessions {
		maps.DeleteFunc(a.clients, func(_ netip.Addr, s session) bool { return now.Sub(s.lastSeen) >= timeout })
		for one := range a.clients { // if all are current, any of them goes
			if len(a.clients) < maxSessions {
				break
			}
			delete(a.clients, one)
		}
	}
	a.clients[client] = session{e, now}
}
