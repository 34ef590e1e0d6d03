// Package simulate plays a manifest in virtual time: the state machine that `probity run` drives
// with processes and sockets ([lifecycle.Pod]) is driven here with a script of what the service
// does, so that a month takes milliseconds and the same seed gives the same answer.
//
// Below it stands package script: what the programs do and what happens to them. Above it stands
// package render: text, JSON, SVG and JUnit, and the picture of a timeline (package timeline) that
// pages show, too. The parts in between:
//
//   - Run: one simulation, from manifest and script to a [Result] with a [Summary] and a
//     [Timeline]. An event queue, no goroutine, no clock.
//   - the cluster that is simulated: Pods, the workloads that create them, the routes of Services.
//   - [Programs]: what the processes of a Pod do when they are started, probed and stopped. The
//     script is one implementation.
//   - [Handler]: what a probe's handler makes of a reply, in the kubelet's words.
//   - the measures, which are taken while a simulation runs, and the closed forms beside them.
//   - RunMany: many simulations with different seeds (Monte Carlo), and their distributions.
//   - [Assertion]: a sentence such as "ready within 30s" that a result fulfils or not.
//   - [Client]: the hook of the differential tests.
//
// What is simulated is Probity's kubelet (docs/differences.md) in front of Kubernetes' endpoints:
// routes follow the Ready condition and the deletion, and nothing that the proxy of `probity run`
// knows beyond them. Nothing here is safe for concurrent use, except that values which nobody
// changes may be read by many.
package simulate
