package proxy

import "sync/atomic"

// Flags of a gate, above the number of those inside.
const (
	// withdrawn: another one is to be used if there is one.
	withdrawn uint64 = 1 << (32 + iota)
	// closed: nobody enters any more.
	closed
	// watched: empty is to be called when the last one leaves.
	watched

	inside = 1<<32 - 1
)

// gate counts who is inside and can refuse those who come later, both in one word: who entered
// before a flag was set is counted from then on, and who comes later sees the flag. The zero value
// is open. It is safe for concurrent use.
type gate struct {
	state atomic.Uint64
	// empty is called by who leaves last while the gate is watched. It must look for itself whether
	// the gate is still empty.
	empty func()
}

// enter counts the caller in, unless a flag that it refuses is set.
func (g *gate) enter(refused uint64) bool {
	if g.state.Add(1)&refused == 0 {
		return true
	}
	g.leave()
	return false
}

// leave counts the caller out.
func (g *gate) leave() {
	if state := g.state.Add(^uint64(0)); state&inside == 0 && state&watched != 0 {
		g.empty()
	}
}

func (g *gate) set(flags uint64)      { g.state.Or(flags) }
func (g *gate) clear(flags uint64)    { g.state.And(^flags) }
func (g *gate) has(flags uint64) bool { return g.state.Load()&flags != 0 }
func (g *gate) count() int            { return int(g.state.Load() & inside) }
