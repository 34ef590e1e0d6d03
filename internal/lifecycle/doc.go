// Package lifecycle is the pure core: what the kubelet decides about a Pod.
//
// A [Pod] takes events (a process exited, a probe answered, the object was deleted) and instants,
// and returns effects (start this container, run that probe, send SIGTERM, record an Event). It
// starts no goroutine, reads no clock and does no I/O; the live runner, the simulator and the tests
// drive the same code:
//
//	effects := pod.On(event, now) // carry these out, in order
//	deadline := pod.Deadline()    // call On(Tick{}, …) then, if nothing else happens before
//
// The numbers R1, R2 … in comments are the rules of the kubelet's behaviour that the code carries;
// docs/differences.md lists where it departs from them. States change in place: a Pod belongs to
// one goroutine.
package lifecycle
