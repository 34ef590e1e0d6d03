package proxy

import "sync/atomic"

// Flags of an [inFlightCount], in the bits above the number.
const (
	// flagWithdrawn: requests should go to another endpoint if there is one.
	flagWithdrawn uint64 = 1 << (32 + iota)
	// flagClosed: no further request may come.
	flagClosed
	// flagNotifyZero: onZero is to be called when the number falls to zero.
	flagNotifyZero

	countMask = 1<<32 - 1
)

// inFlightCount is the number of requests in flight together with flags that keep further ones
// away, all in one word. So there is no race between the two: a request that was added before a
// flag was set is counted from then on, and one that comes later sees the flag. The zero value has
// no flags. It is safe for concurrent use.
type inFlightCount struct {
	state atomic.Uint64
	// onZero is called by the request that leaves last while flagNotifyZero is set. Another request
	// may have been added meanwhile, so it has to look at the count itself.
	onZero func()
}

// add counts one more, unless one of the flags in refused is set, and reports whether it did. done
// has to follow if it did.
func (c *inFlightCount) add(refused uint64) bool {
	if c.state.Add(1)&refused == 0 {
		return true
	}
	c.done()
	return false
}

// done counts one less.
func (c *inFlightCount) done() {
	if state := c.state.Add(^uint64(0)); state&countMask == 0 && state&flagNotifyZero != 0 {
		c.onZero()
	}
}

func (c *inFlightCount) setFlags(flags uint64)    { c.state.Or(flags) }
func (c *inFlightCount) clearFlags(flags uint64)  { c.state.And(^flags) }
func (c *inFlightCount) hasAny(flags uint64) bool { return c.state.Load()&flags != 0 }
func (c *inFlightCount) count() int               { return int(c.state.Load() & countMask) }
