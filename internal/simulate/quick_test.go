//go:build !exact

package simulate

// thoroughly is by how much more is simulated when closed forms and simulation are compared; the
// tag exact makes it more.
const thoroughly = 1
