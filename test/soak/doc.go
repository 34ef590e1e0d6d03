// Package soak runs a hundred Pods that crash, hang and recover at random. Meanwhile it checks what
// always has to hold, and in the end it compares the resources that Probity uses with those of the
// beginning:
//
//	go test -tags soak -timeout 30m ./test/soak                      five minutes
//	go test -tags soak ./test/soak -duration 2m -seed 42             another duration and seed
package soak
