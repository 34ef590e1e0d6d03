//go:build !linux

package process

import (
	"errors"
	"net/netip"
	"syscall"
	"time"
)

// Sockets does nothing on this system, which has no list of sockets to read.
type Sockets struct {
	// Freshness is how old an answer may be.
	Freshness time.Duration
}

// Close does nothing on this system.
func (s *Sockets) Close() {}

// Held lists nothing on this system.
func (s *Sockets) Held([]int) ([]Listener, error) { return nil, nil }

// Identity cannot tell the owner of a socket on this system.
type Identity struct {
	Sockets *Sockets
	Own     netip.Addr
}

// Owns answers Unknown on this system, which callers treat as Own.
func (id *Identity) Owns(tree func() ([]int, error), port int) (Ownership, error) {
	return Ownership{Owner: Unknown, Addr: loopbacks(id.Own)[0]}, nil
}

// Tree knows only the process itself on this system.
func Tree(p Process) ([]int, error) {
	select {
	case <-p.Done():
		return nil, nil
	default:
		return []int{p.PID()}, nil
	}
}

// Dead reports whether there is no process of that id any more. A zombie counts as alive on this
// system.
func Dead(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
