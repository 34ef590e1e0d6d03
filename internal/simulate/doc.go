// Package simulate plays a manifest in virtual time: the state machine that `probity run` drives
// with processes and sockets ([lifecycle.Pod]) is driven here with a script of what the service
// does, so that a month takes milliseconds and the same seed gives the same answer.
//
// The parts, from the bottom up:
//
//   - [script.Distribution], [script.Script], [script.Fault]: what happens to the service. Decode reads a script,
//     ParseFault a ready-made fault.
//   - [Service]: what a container's program does when it is started, probed and stopped. The script
//     is one implementation; callers may bring their own.
//   - Run: one simulation, from manifest and script to a [Result] with a [Summary] and a
//     [Timeline]. An event queue, no goroutine, no clock.
//   - Play, Trace: one simulation with a Service of the caller's; Play also lets him act from
//     outside and watch every object, as a cluster's API would.
//   - MonteCarlo: many simulations with different seeds, and the closed forms beside them.
//   - Assertion: a sentence such as "ready within 30s" that a result fulfils or not.
//   - the renderers: text, JSON, SVG, JUnit.
//
// What is simulated is Probity's kubelet (docs/differences.md) in front of Kubernetes' endpoints:
// routes follow the Ready condition and the deletion, and nothing that the proxy of `probity run`
// knows beyond them. Nothing here is safe for concurrent use, except that values which nobody
// changes may be read by many.
package simulate
