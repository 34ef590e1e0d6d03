package diversion

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
)

// Diversions are the faults of a run, at most one for each Pod. The zero value has none; nothing
// runs for it until the first begins. It is safe for concurrent use.
type Diversions struct {
	// active is replaced, never changed, so that who connects takes no lock; nil while there is
	// none.
	active atomic.Pointer[map[types.UID]injected]

	mu      sync.Mutex // held while active is replaced; guards what follows
	stop    context.CancelFunc
	ctx     context.Context // of all connections through diversions; nil before the first
	retired sync.WaitGroup  // those that have ended and are still being left
}

// injected is a fault that has begun.
type injected struct {
	fault manifest.Fault
	since time.Time
	by    diversion
}

// diversion is what stands in the place of a Pod. It is safe for concurrent use.
type diversion interface {
	// request is where a connection goes that is made to send requests of a Service to an address,
	// host:port.
	request(to string) string
	// probe is where an attempt of a probe goes that is to go to an address.
	probe(kind lifecycle.ProbeType, probe *corev1.Probe, to netip.AddrPort) netip.AddrPort
	// retire leaves it to who still comes, as nobody is sent any more, and returns when nothing is
	// left of it; when the context is done, that is at once.
	retire(ctx context.Context)
}

// linger is how long a fault that has ended waits for who was sent just before.
const linger = time.Second

// Begin puts a fault in the place of a Pod, and ends the one that it had. The error says why there
// is none then.
func (d *Diversions) Begin(pod types.UID, fault manifest.Fault, log *slog.Logger) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil {
		d.ctx, d.stop = context.WithCancel(context.Background())
	}
	if err := d.ctx.Err(); err != nil {
		return err
	}
	by, err := newDiversion(d.ctx, fault, log)
	d.replace(pod, injected{fault, time.Now(), by})
	return err
}

// newDiversion makes what a fault needs.
func newDiversion(ctx context.Context, fault manifest.Fault, log *slog.Logger) (diversion, error) {
	var by diversion
	var err error
	switch fault.Kind {
	case manifest.FaultSlow:
		by = newSlowness(ctx, fault.Delay, log)
	case manifest.FaultUnready:
		by, err = newUnreadiness()
	default:
		by, err = newRefusal()
	}
	if err != nil {
		return nil, err
	}
	return by, nil
}

// End ends the fault of a Pod, if it has one.
func (d *Diversions) End(pod types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.replace(pod, injected{})
}

// replace gives a Pod another fault, or none if there is no diversion. The caller holds the lock.
func (d *Diversions) replace(pod types.UID, next injected) {
	before := d.of(pod)
	if before.by == nil && next.by == nil {
		return
	}
	all := map[types.UID]injected{}
	if active := d.active.Load(); active != nil {
		maps.Copy(all, *active)
	}
	delete(all, pod)
	if next.by != nil {
		all[pod] = next
	}
	if len(all) > 0 {
		d.active.Store(&all)
	} else {
		d.active.Store(nil)
	}
	if before.by != nil {
		d.retired.Go(func() { before.by.retire(d.ctx) })
	}
}

// Close ends all faults, with the connections through them, and waits until nothing is left. No
// fault begins after that.
func (d *Diversions) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil {
		return
	}
	d.stop()
	if active := d.active.Load(); active != nil {
		for pod := range *active {
			d.replace(pod, injected{})
		}
	}
	d.retired.Wait()
}

// Of is the fault of a Pod and since when it has it; the zero values if it has none.
func (d *Diversions) Of(pod types.UID) (manifest.Fault, time.Time) {
	i := d.of(pod)
	return i.fault, i.since
}

// Pods are those that have a fault.
func (d *Diversions) Pods() (pods []types.UID) {
	if active := d.active.Load(); active != nil {
		for pod := range *active {
			pods = append(pods, pod)
		}
	}
	return pods
}

func (d *Diversions) of(pod types.UID) injected {
	active := d.active.Load()
	if active == nil {
		return injected{}
	}
	return (*active)[pod]
}

// Request is where a connection goes that is made to send requests of a Service to an address of a
// Pod, host:port. It does not wait.
func (d *Diversions) Request(pod types.UID, address string) string {
	if by := d.of(pod).by; by != nil {
		return by.request(address)
	}
	return address
}

// Probe is where an attempt of an HTTP, TCP or gRPC probe goes that is to go to an address of a
// Pod. It does not wait.
func (d *Diversions) Probe(pod types.UID, kind lifecycle.ProbeType, probe *corev1.Probe, address netip.AddrPort) netip.AddrPort {
	if by := d.of(pod).by; by != nil {
		return by.probe(kind, probe, address)
	}
	return address
}

// wait waits for a time, or until the context is done.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
