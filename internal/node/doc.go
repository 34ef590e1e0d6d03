// Package node runs Pods as processes on this machine: the kubelet's part.
//
// A [Node] watches the store for Pods. For each it starts one goroutine, a runner, that owns the
// Pod's [lifecycle.Pod], feeds it with what happens (a process ended, a probe answered, the object
// was deleted) and carries out its effects. What others may know goes into the store: the Pod's
// status, its Events, and a [ProbeReport] with the last attempts.
//
// A runner has a part for each thing that changes by itself: its object in the store, its report,
// what this machine allocates to it (ports and volumes), its containers, the attempts of its
// probes, its hooks, the ports that its programs really listen on, an inspection of what would not
// work on a cluster, and its traffic. The parts share the loop, which is the runner's goroutine:
// their state belongs to it, and every other goroutine posts functions to it. What they decide is
// decided by functions of values, without goroutine, clock or I/O.
//
// A Pod whose object is removed from the store is killed at once. A new Pod of that name does not
// start before nothing of it is left.
package node
