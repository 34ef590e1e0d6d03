// Package soak runs a hundred Pods that crash, hang, flap and recover at random, for as long as one
// likes, while invariants are checked, and compares what Probity uses at the end with what it used
// at the beginning:
//
//	go test -tags soak -timeout 30m ./test/soak                      five minutes
//	go test -tags soak ./test/soak -duration 2m -seed 42             as one likes
package soak
