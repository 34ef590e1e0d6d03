// Package diversion puts faults between Pods and who connects to them: the node asks where an
// attempt of a probe is to go, the proxy where a request or a connection of a Service is, and the
// answer is the Pod or something that stands in its place.
//
// What Probity does not connect itself is not touched: the command of an exec probe, a program that
// dials the address of another Pod, port-forward.
//
// The begin and the end of a fault break nothing by themselves: connections that are open stay, and
// those through a fault that has ended go on without it.
package diversion
