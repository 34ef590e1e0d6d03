package lifecycle

import (
	"slices"
	"time"
)

// Affinity remembers which endpoint a client was sent to, for sessionAffinity ClientIP (R202). E identifies endpoints. Make it with [NewAffinity]. It belongs
// to one goroutine at a time.
type Affinity[E comparable] struct {
	timeout time.Duration
	clients map[string]affine[E]
	swept   time.Time // when entries that are over were last looked for
}

type affine[E comparable] struct {
	endpoint E
	last     time.Time // connection
}

// NewAffinity makes an empty table. A client is forgotten when it did not connect for timeout; Kubernetes' default is 3 hours.
func NewAffinity[E comparable](timeout time.Duration) *Affinity[E] {
	return &Affinity[E]{timeout: timeout, clients: map[string]affine[E]{}}
}

// Choose returns the client's endpoint if it has one that is usable, else what pick picks, and remembers it; either counts as a connection, which lets the
// time start again. It returns false if nothing is usable; then the client is forgotten, too.
func (a *Affinity[E]) Choose(client string, usable []E, pick func([]E) E, now time.Time) (E, bool) {
	a.sweep(now)
	entry, known := a.clients[client]
	known = known && now.Sub(entry.last) < a.timeout && slices.Contains(usable, entry.endpoint)
	if !known {
		delete(a.clients, client)
		if len(usable) == 0 {
			return entry.endpoint, false
		}
		entry.endpoint = pick(usable)
	}
	entry.last = now
	a.clients[client] = entry
	return entry.endpoint, true
}

// Retain forgets the clients of endpoints that are not usable any more: they have no claim to return.
func (a *Affinity[E]) Retain(usable []E) {
	for client, entry := range a.clients {
		if !slices.Contains(usable, entry.endpoint) {
			delete(a.clients, client)
		}
	}
}

// Len is how many clients are remembered.
func (a *Affinity[E]) Len() int { return len(a.clients) }

// sweep forgets, once per timeout, the clients that are over, so that the table does not grow with all who ever came.
func (a *Affinity[E]) sweep(now time.Time) {
	if now.Sub(a.swept) < a.timeout {
		return
	}
	a.swept = now
	for client, entry := range a.clients {
		if now.Sub(entry.last) >= a.timeout {
			delete(a.clients, client)
		}
	}
}
