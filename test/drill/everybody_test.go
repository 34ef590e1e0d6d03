//go:build drill && exact

package drill

// everybody has each of drill, shepherd and both be killed in each fault: with the tag exact, as it
// takes twenty minutes.
const everybody = true
