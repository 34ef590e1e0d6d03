package guard

import (
	"fmt"
	"net/http"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// retryAfter is when a client may ask again that found no slot, in seconds.
const retryAfter = 5

// slots bound how many requests of a kind are served at a time.
type slots struct {
	most int64
	what string // they are, in the plural
	used atomic.Int64
}

// AcquireWatch takes one of the slots for watches, for as long as it takes until the caller calls
// release. If there is none, ok is false, and the request was answered with 429.
func (g *Guard) AcquireWatch(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	return g.acquire(&g.watches, w, r)
}

// AcquireFollow is [Guard.AcquireWatch] for what is followed: a log, or the attempts of probes.
func (g *Guard) AcquireFollow(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	return g.acquire(&g.follows, w, r)
}

// AcquireStream is [Guard.AcquireWatch] for exec, attach and port-forward.
func (g *Guard) AcquireStream(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	return g.acquire(&g.streams, w, r)
}

func (g *Guard) acquire(s *slots, w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	if s.used.Add(1) <= s.most {
		return func() { s.used.Add(-1) }, true
	}
	s.used.Add(-1)
	g.refuse(w, r, apierrors.NewTooManyRequests(fmt.Sprintf("there are %d %s already, please try again later", s.most, s.what), retryAfter))
	return nil, false
}
