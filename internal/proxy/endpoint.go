package proxy

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/workload"
)

// endpointID identifies an [endpoint] of a Service port, as EndpointSlices list it.
type endpointID struct {
	// address is host:port.
	address string
	// uid of the Pod; empty for an endpoint that is no Pod.
	uid types.UID
	// name is the Pod's namespace and name.
	name types.NamespacedName
}

// endpointsOf reads from EndpointSlices the endpoints of the Service port with a name: those that
// are ready, and those that are used if no ready one is left (R198). Both are sorted by Pod name.
func endpointsOf(slicesOfService []*discoveryv1.EndpointSlice, portName string) (ready, terminating []endpointID) {
	first, last := workload.Tiers(workload.EndpointsOf(slicesOfService, portName))
	return endpointIDs(first), endpointIDs(last)
}

func endpointIDs(found []workload.Endpoint) (all []endpointID) {
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

// attemptFailure is how an attempt at an endpoint failed.
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

// endpoint is one address behind one Service port, with what the proxy knows and counts of it. The
// same endpoint stands in all tables of the port, one after the other, that have its endpointID.
type endpoint struct {
	endpointID
	pod      *pod
	inFlight atomic.Int64
	// ejectedIn is the instance of the Pod that refused a connection and did not accept one since;
	// nil if there is none.
	ejectedIn atomic.Pointer[instance]
	removed   atomic.Bool // no table has it any more
	// found is where the Pod was seen to listen; nil if it was not.
	found    atomic.Pointer[socket]
	checking sync.Mutex                                 // held during a check, so that one serves all who wait for it
	redirect func(pod types.UID, address string) string // nil: nowhere else

	requests  atomic.Uint64 // attempts, which is connections with TCP
	failures  [numFailures]atomic.Uint64
	ejections atomic.Uint64
	lost      atomic.Uint64
}

// socket is where an instance of a Pod was seen to listen.
type socket struct {
	instance *instance
	address  string // host:port
}

// dialAddress is where connections go: to the socket that was found, else to the address that the
// EndpointSlice has, or to where that is redirected.
func (e *endpoint) dialAddress() string {
	address := e.address
	if s := e.found.Load(); s != nil {
		address = s.address
	}
	if e.redirect != nil {
		return e.redirect(e.uid, address)
	}
	return address
}

// isFoundIn reports whether an instance was seen to listen.
func (e *endpoint) isFoundIn(inst *instance) bool {
	s := e.found.Load()
	return s != nil && s.instance == inst
}

// startAttempt begins an attempt, unless the Pod has one of the refused flags: then it returns nil.
// endAttempt has to follow.
func (e *endpoint) startAttempt(refused uint64) *upstreamAttempt {
	inst := e.pod.instance.Load()
	inst.unsent.Add(1) // before it is in flight, so that whenSent waits for all that are in flight
	a := &upstreamAttempt{instance: inst}
	if !inst.inFlight.add(refused) {
		a.markSent()
		return nil
	}
	e.inFlight.Add(1)
	e.requests.Add(1)
	return a
}

// endAttempt ends an attempt, however it went.
func (e *endpoint) endAttempt(a *upstreamAttempt) {
	a.markSent()
	e.inFlight.Add(-1)
	a.instance.inFlight.done()
}

// isEjected reports whether the endpoint is out of rotation because it refused a connection. A new
// instance of the Pod begins in rotation.
func (e *endpoint) isEjected() bool {
	inst := e.ejectedIn.Load()
	return inst != nil && inst == e.pod.instance.Load()
}

func (e *endpoint) hasAny(flags uint64) bool { return e.pod.instance.Load().inFlight.hasAny(flags) }
