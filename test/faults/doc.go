// Package faults holds probity run to what it promises for the worst day: whatever is killed, full,
// short, stopped or hostile, nothing survives that should not, no service is blamed for what it did
// not do, and Probity recovers by itself.
package faults
