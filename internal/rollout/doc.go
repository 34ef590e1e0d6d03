// Package rollout says of a workload on a cluster whether what was applied is up, and if it is not,
// why: what is seen, how certain it is that waiting does not help, and what to do next.
//
// [Explain] is a pure function of [Facts], which others gather, and of a [Memory] of what it was
// told before. It has no clock, goroutine or I/O; the same facts in another order give the same
// answer.
//
// Events are floors. One budget limits all Warnings of a Pod, so that the kubelet falls silent
// after some: what is counted by them is said with "at least", their silence is no recovery, and
// one that is older than the running instance is history. Conditions and statuses decide.
package rollout
