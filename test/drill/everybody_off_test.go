//go:build drill && !exact

package drill

// everybody: see everybody_test.go.
const everybody = false
