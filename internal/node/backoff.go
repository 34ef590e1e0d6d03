package node

import (
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
)

// LimitBackoff caps the crash-loop back-off of all Pods, those to come included, for a while. With
// 0 that time is over: see [lifecycle.BackoffLimited].
func (n *Node) LimitBackoff(limit time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.backoff = limit
	for _, r := range n.runners {
		r.limitBackoff(limit)
	}
}

func (r *runner) limitBackoff(limit time.Duration) {
	r.loop.post(func() { r.on(lifecycle.BackoffLimited{Max: limit}) })
}
