// Package faults tests what probity run promises for bad days. Whatever is killed, full, scarce,
// stopped or hostile: no process survives that should not, no service is restarted for a failure
// that is not its own, and Probity recovers by itself.
package faults
