package proxy

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"sync/atomic"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
)

// endpointID identifies one address of a Service port, as EndpointSlices list it.
type endpointID struct {
	// address is host:port.
	address string
	// uid of the Pod; empty for an endpoint that is none.
	uid types.UID
	// name is the Pod's namespace and name.
	name types.NamespacedName
}

// endpointsOf are the endpoints of the Service port of a name: those that are ready, and those that
// are used as long as no ready one is left (R198). Both are in the order of Pod names.
func endpointsOf(slicesOfService []*discoveryv1.EndpointSlice, portName string) (ready, terminating []endpointID) {
	first, last := lifecycle.Tiers(lifecycle.EndpointsOf(slicesOfService, portName))
	return endpointIDs(first), endpointIDs(last)
}

func endpointIDs(found []lifecycle.Endpoint) (all []endpointID) {
	for _, e := range found {
		address := net.JoinHostPort(e.Address, strconv.Itoa(int(e.Port)))
		all = append(all, endpointID{address: address, uid: e.Pod, name: types.NamespacedName{Namespace: e.Namespace, Name: cmp.Or(e.Name, address)}})
	}
	slices.SortFunc(all, compareEndpoints)
	return all
}

func compareEndpoints(a, b endpointID) int {
	return cmp.Or(cmp.Compare(a.name.Name, b.name.Name), cmp.Compare(a.address, b.address))
}

// failure is how an attempt at a replica failed.
type attemptFailure int

const (
	// failureRefused: the connection was refused, or could not be made otherwise. Nothing was sent.
	failureRefused attemptFailure = iota
	// failureTimeout: the connection was not accepted in time. Nothing was sent.
	failureTimeout
	// failureBroken: the connection broke before an answer.
	failureBroken
	// failureAborted: the answer broke off.
	failureAborted

	numFailures
)

// String returns the name in [EndpointState].Failures.
func (f attemptFailure) String() string {
	return [...]string{"refused", "timeout", "broken", "aborted"}[f]
}

// replica is one endpoint behind one Service port. It stays the same through all tables of the port
// that have it.
type endpoint struct {
	endpointID
	pod      *pod
	inFlight atomic.Int64
	// ejected is the life of the Pod in which it refused a connection and did not accept one since;
	// nil for most.
	ejectedIn atomic.Pointer[instance]
	removed   atomic.Bool // no table has it any more

	requests  atomic.Uint64 // attempts, which is connections with TCP
	failures  [numFailures]atomic.Uint64
	ejections atomic.Uint64
	lost      atomic.Uint64
}

// enter begins an attempt, unless the Pod has one of the refused flags. The attempt has to leave.
func (e *endpoint) startAttempt(refused uint64) *upstreamAttempt {
	inst := e.pod.instance.Load()
	inst.unsent.Add(1) // before it is inside: who waits for those inside finds it here
	a := &upstreamAttempt{instance: inst}
	if !inst.inFlight.add(refused) {
		a.markSent()
		return nil
	}
	e.inFlight.Add(1)
	e.requests.Add(1)
	return a
}

func (e *endpoint) endAttempt(a *upstreamAttempt) {
	a.markSent()
	e.inFlight.Add(-1)
	a.instance.inFlight.done()
}

// isEjected says whether it is out of rotation because it refused a connection. A new life of the
// Pod begins in rotation.
func (e *endpoint) isEjected() bool {
	inst := e.ejectedIn.Load()
	return inst != nil && inst == e.pod.instance.Load()
}

func (e *endpoint) hasAny(flags uint64) bool { return e.pod.instance.Load().inFlight.hasAny(flags) }
