package process

import (
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// Identity proves that an answer on a port comes from a certain process tree, by the owner of the
// listening socket. One Identity serves one tree, which may grow and shrink. The zero value is
// ready; it is safe for concurrent use.
//
// The answer is remembered by socket, so that asking before every probe costs one short question to
// the kernel.
type Identity struct {
	// Sockets is asked for the listening sockets. Nil means a netlink socket of its own for each
	// question, which costs more.
	Sockets *Sockets
	// Own is an address that only the tree is meant to have, and this process in its place. It is
	// looked at first. Default: there is none.
	Own netip.Addr

	mu      sync.Mutex
	holders map[uint64]holder // by inode; guarded by mu
}

// holder is who holds a socket.
type holder struct {
	port    int
	owner   Owner
	pid     int
	command string
	until   time.Time // when to search again; zero means never, while the socket exists
}

// unknownPeriod is how long a socket that nobody seems to hold is not looked up again: that means
// reading the descriptors of every process.
const unknownPeriod = time.Second

// Owns finds out who answers on port at the loopback addresses. tree lists the processes that count
// as own: see [Tree]. It is only called if a new socket or a stranger is seen. The error is a
// shortage of this process, or that sockets cannot be listed.
func (id *Identity) Owns(tree func() ([]int, error), port int) (Ownership, error) {
	all, err := id.listeners(port)
	if err != nil {
		return Ownership{}, err
	}
	id.mu.Lock()
	defer id.mu.Unlock()
	if err := id.resolveLocked(port, all, tree); err != nil {
		return Ownership{}, err
	}
	addresses := loopbacks(id.Own)
	result := Ownership{Owner: Nobody, Addr: addresses[0]}
	for _, to := range addresses {
		listeners := reached(all, to)
		if len(listeners) == 0 || to == id.Own && id.holders[listeners[0].Inode].pid == os.Getpid() {
			continue
		}
		o := id.summarizeLocked(listeners)
		o.Addr, o.Bound = to, listeners[0].boundFor(to)
		if o.Owner == Own || result.Owner == Nobody {
			result = o
		}
		if result.Owner == Own {
			break
		}
	}
	return result, nil
}

// boundFor is the address of a socket that connections to an address reach, as [Ownership] has it.
func (l Listener) boundFor(to netip.Addr) netip.Addr {
	if l.OnlyIPv6 && l.Addr.IsUnspecified() {
		return to
	}
	return l.Addr
}

func (id *Identity) listeners(port int) ([]Listener, error) {
	if id.Sockets == nil {
		return Listeners(port)
	}
	return id.Sockets.Listeners(port)
}

// summarizeLocked gives one answer for the sockets among which the kernel chooses: if one belongs
// to a stranger, the answer is that stranger.
func (id *Identity) summarizeLocked(listeners []Listener) Ownership {
	worst := id.holders[listeners[0].Inode]
	for _, l := range listeners[1:] {
		h := id.holders[l.Inode]
		if h.owner == Stranger || h.owner == Unknown && worst.owner == Own {
			worst = h
		}
	}
	return Ownership{Owner: worst.owner, PID: worst.pid, Command: worst.command}
}

// resolveLocked finds the holder of each socket that has none yet, and forgets sockets of the port
// that are gone.
func (id *Identity) resolveLocked(port int, all []Listener, tree func() ([]int, error)) error {
	if id.holders == nil {
		id.holders = map[uint64]holder{}
	}
	missing := map[uint64]bool{}
	for _, l := range all {
		missing[l.Inode] = true
	}
	now := time.Now()
	for inode, h := range id.holders {
		switch fresh := h.until.IsZero() || now.Before(h.until); {
		case h.port != port:
		case fresh && missing[inode]:
			delete(missing, inode)
		default:
			delete(id.holders, inode)
		}
	}
	if len(missing) > 0 {
		if err := id.searchAllLocked(port, tree, missing); err != nil {
			return err
		}
	}
	return id.recheckStrangersLocked(port, tree)
}

// searchAllLocked looks for the missing sockets in the tree, then everywhere. Those whose holder is
// not found are searched for again after unknownPeriod.
func (id *Identity) searchAllLocked(port int, tree func() ([]int, error), missing map[uint64]bool) error {
	found := holder{port: port, owner: Own}
	own, err := tree()
	if err != nil {
		return err
	}
	hidden, err := id.searchLocked(own, missing, found)
	if err == nil && len(missing) > 0 {
		// Without the list of processes their holder is not found.
		pids, _ := readNumbers("/proc")
		found.owner = Stranger
		_, err = id.searchLocked(pids, missing, found)
	}
	if err != nil {
		return err
	}
	notFound := holder{port: port, owner: Stranger, until: time.Now().Add(unknownPeriod)}
	if hidden {
		notFound.owner = Unknown
	}
	for inode := range missing {
		id.holders[inode] = notFound
	}
	return nil
}

// recheckStrangersLocked checks whether strangers are of the tree by now: it may have grown since,
// even between two steps of a search.
func (id *Identity) recheckStrangersLocked(port int, tree func() ([]int, error)) (err error) {
	var own []int
	for inode, h := range id.holders {
		if h.port != port || h.owner != Stranger || h.pid == 0 {
			continue
		}
		if own == nil {
			if own, err = tree(); err != nil {
				return err
			}
		}
		if slices.Contains(own, h.pid) {
			h.owner = Own
			id.holders[inode] = h
		}
	}
	return nil
}

// searchLocked looks for the missing sockets among pids, and moves those that it finds to the
// holders, as found with the process. It reports whether the descriptors of one may not be read;
// that they cannot be read for a shortage of our own is the error.
func (id *Identity) searchLocked(pids []int, missing map[uint64]bool, found holder) (hidden bool, err error) {
	for _, pid := range pids {
		if len(missing) == 0 {
			return false, nil
		}
		err := eachSocket(pid, func(inode uint64) {
			if missing[inode] {
				delete(missing, inode)
				stat, _ := readStat(pid) // without a name if it has ended
				found.pid, found.command = pid, stat.command
				id.holders[inode] = found
			}
		})
		if short(err) {
			return hidden, err
		}
		hidden = hidden || err != nil && !gone(err)
	}
	return hidden, nil
}
