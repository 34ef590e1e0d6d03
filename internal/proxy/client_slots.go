package proxy

import "sync"

// clientSlots bound how many clients there are at a time: connections, and requests within an
// HTTP/2 connection. Each may need a connection to an endpoint, so descriptors and memory are
// bounded by it, too. A Service port gets a share of the slots, so that a client that takes all it
// can get of one starves no other. They are safe for concurrent use.
type clientSlots struct {
	total int
	freed broadcast // after a slot was freed, or the shares have grown

	mu      sync.Mutex // guards the rest, and the fields of portSlots
	used    int
	ports   int
	waiting int
}

// portSlots are the slots of one port.
type portSlots struct {
	all  *clientSlots
	used int
}

const (
	// maxClients is the most that all ports together get, for the sake of memory.
	maxClients = 16384
	// descriptorsPerClient are its own and that of a connection to an endpoint.
	descriptorsPerClient = 2
	// minReserve is how many descriptors at least are left to everything else: to probes, to the
	// start and the output of containers, to listeners.
	minReserve = 256
)

// clientLimit is how many clients there may be with a limit of open descriptors (RLIMIT_NOFILE). A
// third of them is left to everything else.
func clientLimit(descriptors uint64) int {
	reserve := max(descriptors/3, min(minReserve, descriptors/2))
	return int(max(1, min(maxClients, (descriptors-reserve)/descriptorsPerClient)))
}

// portShare is how many of total slots one of some ports may use. An eighth is in no share, so that
// a port that comes later finds some.
func portShare(total, ports int) int { return max(1, (total-total/8)/max(1, ports)) }

// portMinimum is how many a port may use even if none are left, because others took them when they
// were fewer.
func portMinimum(total int) int { return max(1, total/64) }

// open adds a port. close has to follow.
func (c *clientSlots) open() *portSlots {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports++
	return &portSlots{all: c}
}

// close takes the port's share away. Slots that are in use stay so until release.
func (p *portSlots) close() {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	p.all.ports--
	p.all.freed.fire()
}

// tryAcquire takes a slot, if the port may have one more. release has to follow then.
func (p *portSlots) tryAcquire() bool {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	return p.tryAcquireLocked()
}

func (p *portSlots) tryAcquireLocked() bool {
	c := p.all
	if p.used >= portShare(c.total, c.ports) || c.used >= c.total && p.used >= portMinimum(c.total) {
		return false
	}
	p.used++
	c.used++
	return true
}

// acquire waits for a slot and takes it, unless stopping is closed before: then it returns false.
// It calls full if it has to wait.
func (p *portSlots) acquire(stopping <-chan struct{}, full func()) bool {
	c := p.all
	c.mu.Lock()
	defer c.mu.Unlock()
	for !p.tryAcquireLocked() {
		freed := c.freed.next()
		c.waiting++
		c.mu.Unlock()
		full()
		more := true
		select {
		case <-freed:
		case <-stopping:
			more = false
		}
		c.mu.Lock()
		if c.waiting--; !more {
			return false
		}
	}
	return true
}

// release gives a slot back.
func (p *portSlots) release() {
	c := p.all
	c.mu.Lock()
	defer c.mu.Unlock()
	p.used--
	c.used--
	if c.waiting > 0 {
		c.freed.fire()
	}
}

// inUse is how many slots the port has taken.
func (p *portSlots) inUse() int {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	return p.used
}
