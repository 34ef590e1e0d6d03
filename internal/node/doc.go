// Package node runs Pods as processes on this machine: the kubelet's part.
//
// A [Node] watches the store for Pods. For each it starts one goroutine that owns the Pod's
// [lifecycle.Pod], feeds it with what happens (a process ended, a probe answered, the object was
// deleted) and carries out its effects. What others may know goes into the store: the Pod's status,
// its Events, and a [ProbeReport] with the last attempts.
package node
