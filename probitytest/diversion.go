package probitytest

import (
	"net/netip"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/system"
)

// diversion is a fault between a Pod and who connects to it. It is safe for concurrent use.
type diversion interface {
	// instead is where a connection goes that is made for a probe, or for a request if the type is
	// empty; to is the Pod's address, host:port.
	instead(to string, probe lifecycle.ProbeType) string
	// close ends it, with the connections through it.
	close() error
}

// diversions are those of a run, one for each Pod at a time: the last. It is safe for concurrent
// use.
type diversions struct {
	mu     sync.Mutex
	active map[types.UID]diversion
}

// put begins a diversion and returns what ends it.
func (d *diversions) put(pod types.UID, by diversion) (end func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active[pod] = by
	return func() error {
		d.mu.Lock()
		if d.active[pod] == by {
			delete(d.active, pod)
		}
		d.mu.Unlock()
		return by.close()
	}
}

func (d *diversions) of(pod types.UID) diversion {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.active[pod]
}

// redirect is how a system learns of them.
func (d *diversions) redirect() system.Redirect {
	return system.Redirect{
		Requests: func(pod types.UID, address string) string {
			if by := d.of(pod); by != nil {
				return by.instead(address, "")
			}
			return address
		},
		Probes: func(pod types.UID, probe lifecycle.ProbeType, address netip.AddrPort) netip.AddrPort {
			by := d.of(pod)
			if by == nil {
				return address
			}
			other, err := netip.ParseAddrPort(by.instead(address.String(), probe))
			if err != nil {
				return address // no diversion gives a name
			}
			return other
		},
	}
}
