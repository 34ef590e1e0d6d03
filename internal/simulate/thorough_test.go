//go:build exact

package simulate

// thoroughly is by how much more is simulated when closed forms and simulation are compared, so
// that chance has less to say.
const thoroughly = 10
